"""Clinical variables as numbers, coded from training cases only."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtsbench.data import ClinicalValue, ClinicalVariable
from mtsbench.errors import DataError

LARGEST = float(np.finfo(np.float32).max)

ClinicalRow = Mapping[str, ClinicalValue]


@dataclass(frozen=True, kw_only=True)
class NumericCode:
    """How a numeric variable becomes features.

    Attributes:
        mean: Of the known training values.
        sd: Of the known training values (divisor N); None where they do not vary, and then
            there is no feature for the value.
        missing_indicator: Whether missing training values are told by a feature of their own.
    """

    variable: str
    mean: float
    sd: float | None
    missing_indicator: bool

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean) or not (self.sd is None or 0 < self.sd < math.inf):
            raise DataError(
                f"clinical variable {self.variable!r}: mean {self.mean:g} and SD {self.sd} cannot "
                "standardise it; expected a finite mean and SD > 0"
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        value = () if self.sd is None else (self.variable,)
        return value + _indicator(self.variable, self.missing_indicator)

    def encode(self, case_id: str, value: ClinicalValue) -> list[float]:
        """The features of one value."""
        number = _number(case_id, self.variable, value)
        features = []
        if self.sd is not None:
            scaled = 0.0 if number is None else (number - self.mean) / self.sd
            if abs(scaled) > LARGEST:
                raise DataError(
                    f"case {case_id!r}, clinical variable {self.variable!r}: {number:g} is out of "
                    f"range; the training cases have mean {self.mean:g} and SD {self.sd:g}. "
                    "Correct the value"
                )
            features.append(scaled)
        return features + [float(number is None)] * self.missing_indicator


@dataclass(frozen=True, kw_only=True)
class CategoricalCode:
    """How a categorical variable becomes features.

    Attributes:
        levels: Training levels with a feature, sorted; the reference is not among them.
        reference: Most frequent training level, of equals the first in the alphabet; None
            where no training case has a value.
        missing_indicator: As for numeric variables. A level that training cases do not have is
            coded like a missing value: nothing is known of what it means.
    """

    variable: str
    levels: tuple[str, ...]
    reference: str | None
    missing_indicator: bool

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        one_hot = tuple(f"{self.variable}={level}" for level in self.levels)
        return one_hot + _indicator(self.variable, self.missing_indicator)

    def encode(self, case_id: str, value: ClinicalValue) -> list[float]:
        """The features of one value."""
        level = _level(value)
        known = level is not None and (level == self.reference or level in self.levels)
        one_hot = [float(level == other) for other in self.levels]
        return one_hot + [float(not known)] * self.missing_indicator


@dataclass(frozen=True, kw_only=True)
class ClinicalEncoder:
    """From a clinical row to a vector of features.

    Numeric variables are standardised, a missing value becoming 0 (the training mean);
    categorical ones are one-hot without their reference level. A variable with missing
    training values has a feature `NAME_missing`. Features that do not vary in training are left
    out.

    Raises:
        DataError: Two features have one name.
    """

    codes: tuple[NumericCode | CategoricalCode, ...]

    def __post_init__(self) -> None:
        repeated = [name for name, count in Counter(self.feature_names).items() if count > 1]
        if repeated:
            raise DataError(
                f"two clinical features are called {repeated[0]!r}; rename one of the variables "
                f"{', '.join(code.variable for code in self.codes)}"
            )

    @classmethod
    def fit(
        cls, variables: Sequence[ClinicalVariable], rows: Mapping[str, ClinicalRow]
    ) -> ClinicalEncoder:
        """Learn means, standard deviations, levels and references.

        Args:
            variables: Which columns to encode, and how.
            rows: Training case id to its clinical values.

        Raises:
            DataError: A row lacks a variable, or a numeric variable holds something else.
        """
        codes: list[NumericCode | CategoricalCode] = []
        for variable in variables:
            name = variable.name
            values = {case_id: _value(case_id, row, name) for case_id, row in rows.items()}
            if variable.kind == "numeric":
                codes.append(_numeric_code(name, values))
            else:
                codes.append(_categorical_code(name, values))
        return cls(codes=tuple(codes))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names such as `age`, `age_missing`, `stage=IVA`, in order."""
        return tuple(name for code in self.codes for name in code.feature_names)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Variables without a feature for their value, because it does not vary in training."""
        return tuple(
            code.variable
            for code in self.codes
            if not (code.sd if isinstance(code, NumericCode) else code.levels)
        )

    def encode(self, case_id: str, row: ClinicalRow) -> NDArray[np.float32]:
        """The features (F,) of one case.

        Raises:
            DataError: The row lacks a variable, or a numeric variable holds something else.
        """
        features = [
            feature
            for code in self.codes
            for feature in code.encode(case_id, _value(case_id, row, code.variable))
        ]
        return np.array(features, dtype=np.float32)


def _numeric_code(variable: str, values: Mapping[str, ClinicalValue]) -> NumericCode:
    numbers = [_number(case_id, variable, value) for case_id, value in values.items()]
    known = sorted(number for number in numbers if number is not None)
    mean, sd = 0.0, 0.0
    # Equal values are asked for directly: rounding can give them an SD above 0.
    if known and known[0] < known[-1]:
        mean, sd = float(np.mean(known)), float(np.std(known))
    return NumericCode(
        variable=variable,
        mean=mean,
        sd=sd if sd > 0 else None,
        missing_indicator=0 < len(known) < len(numbers),
    )


def _categorical_code(variable: str, values: Mapping[str, ClinicalValue]) -> CategoricalCode:
    levels = [_level(value) for value in values.values()]
    counts = Counter(level for level in levels if level is not None)
    reference = min(counts, key=lambda level: (-counts[level], level), default=None)
    return CategoricalCode(
        variable=variable,
        levels=tuple(sorted(level for level in counts if level != reference)),
        reference=reference,
        missing_indicator=0 < counts.total() < len(levels),
    )


def _indicator(variable: str, wanted: bool) -> tuple[str, ...]:
    return (f"{variable}_missing",) if wanted else ()


def _value(case_id: str, row: ClinicalRow, variable: str) -> ClinicalValue:
    if variable not in row:
        raise DataError(
            f"case {case_id!r} has no clinical variable {variable!r}, only "
            f"{', '.join(row) or 'none'}; give None where a value is missing"
        )
    return row[variable]


def _number(case_id: str, variable: str, value: ClinicalValue) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST:
        raise DataError(
            f"case {case_id!r}, clinical variable {variable!r}: {value!r} is not a usable number; "
            "correct it, give None where it is missing, or declare the variable categorical"
        )
    return number


def _level(value: ClinicalValue) -> str | None:
    """The level's text; the cache stores every number as float, and 1.0 is the level `1`."""
    if value is None or isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))
