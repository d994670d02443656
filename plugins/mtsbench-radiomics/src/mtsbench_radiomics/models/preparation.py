"""From features to complete, comparable numbers; all of it learnt from the cases of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from mtsbench_radiomics.estimators.concordance import univariate_concordance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes
    from mtsbench_radiomics.features.table import FeatureTable

CONSTANT = 1e-9  # a smaller range, relative to the largest value, is rounding


@dataclass(frozen=True, kw_only=True)
class PreparationSettings:
    """How features are filtered and scaled.

    Attributes:
        screened: Keep at most this many features besides the `always` ones, those whose
            univariate Harrell C is farthest from 0.5; None keeps all.
        correlation: Of two features with a larger absolute rank correlation, keep the one whose
            univariate C is farther from 0.5; 1 keeps both.
        missing: Drop a feature that is missing in a larger share of the cases.
        standardise: Whether values become z-scores.
    """

    screened: int | None = None
    correlation: float = 1.0
    missing: float = 0.5
    standardise: bool = True

    @property
    def selects(self) -> bool:
        """Whether leaving out features is part of the method."""
        return self.screened is not None or self.correlation < 1


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What was learnt.

    Attributes:
        names: Features that are used, in order.
        medians: Put where a value is missing.
        centre: Subtracted.
        scale: Divided by.
        dropped: Name of each feature that is not used, to the reason.
    """

    names: tuple[str, ...]
    medians: tuple[float, ...]
    centre: tuple[float, ...]
    scale: tuple[float, ...]
    dropped: dict[str, str]

    @classmethod
    def fit(
        cls,
        table: FeatureTable,
        outcomes: Outcomes,
        settings: PreparationSettings,
        always: tuple[str, ...] = (),
    ) -> Preparation:
        """Filter, then learn medians, means and standard deviations.

        Args:
            table: The cases of the fit.
            outcomes: Of the same cases in the same order.
            settings: See there.
            always: Features that no filter but those for missing, constant and equal features
                may drop.
        """
        dropped: dict[str, str] = {}
        names = _usable(table, settings, dropped)
        table = table.select(names)
        medians = np.nanmedian(table.values, axis=0) if names else np.empty(0)
        complete = np.where(np.isnan(table.values), medians, table.values)
        kept = _different(names, complete, dropped)
        if settings.selects:
            kept = _screened(kept, names, complete, outcomes, settings, always, dropped)
        complete, medians = complete[:, kept], medians[kept]
        scaled = settings.standardise
        centre = complete.mean(axis=0) if scaled else np.zeros(len(kept))
        scale = complete.std(axis=0) if scaled else np.ones(len(kept))
        return cls(
            names=tuple(names[column] for column in kept),
            medians=tuple(medians.tolist()),
            centre=tuple(centre.tolist()),
            scale=tuple(scale.tolist()),
            dropped=dropped,
        )

    def apply(self, table: FeatureTable) -> NDArray[np.float64]:
        """(N, F) complete numbers of the used features.

        Raises:
            DataError: The table lacks a feature.
        """
        values = table.select(self.names).values
        complete = np.where(np.isnan(values), np.array(self.medians), values)
        prepared: NDArray[np.float64] = (complete - np.array(self.centre)) / np.array(self.scale)
        return prepared


def _usable(
    table: FeatureTable, settings: PreparationSettings, dropped: dict[str, str]
) -> list[str]:
    """Names of features that are known often enough and vary."""
    names = []
    for name, column in zip(table.names, table.values.T, strict=True):
        known = column[~np.isnan(column)]
        absent = len(column) - len(known)
        if not len(known) or absent > settings.missing * len(column):
            dropped[name] = f"missing in {absent} of {len(column)} training cases"
        elif np.ptp(known) <= CONSTANT * np.abs(known).max():
            dropped[name] = f"constant in the training part: {known[0]:g}"
        else:
            names.append(name)
    return names


def _different(
    names: list[str], complete: NDArray[np.float64], dropped: dict[str, str]
) -> list[int]:
    """Columns that equal no earlier one, such as indicators of values missing together."""
    first: dict[bytes, str] = {}
    kept = []
    for column, name in enumerate(names):
        content = complete[:, column].tobytes()
        if content in first:
            dropped[name] = f"equal to {first[content]} in every training case"
        else:
            first[content] = name
            kept.append(column)
    return kept


def _screened(
    columns: list[int],
    names: list[str],
    complete: NDArray[np.float64],
    outcomes: Outcomes,
    settings: PreparationSettings,
    always: tuple[str, ...],
    dropped: dict[str, str],
) -> list[int]:
    """The columns that pass the correlation filter and the screening, in their old order."""
    concordance = univariate_concordance(complete[:, columns], outcomes.time, outcomes.event)
    strength = dict(zip(columns, np.abs(concordance - 0.5).tolist(), strict=True))
    ranks = rankdata(complete, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    length = np.linalg.norm(ranks, axis=0)
    ranks = np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)
    protected = [column for column in columns if names[column] in always]
    kept = list(protected)
    for column in sorted(columns, key=lambda column: -strength[column]):
        if column in protected:
            continue
        correlation = np.abs(ranks[:, kept].T @ ranks[:, column])
        if settings.screened is not None and len(kept) - len(protected) >= settings.screened:
            dropped[names[column]] = f"not among the {settings.screened} screened features"
        elif len(kept) and correlation.max() > settings.correlation:
            twin = names[kept[int(correlation.argmax())]]
            dropped[names[column]] = f"rank correlation {correlation.max():.2f} with {twin}"
        else:
            kept.append(column)
    return sorted(kept)
