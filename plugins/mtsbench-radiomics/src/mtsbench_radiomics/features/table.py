"""Named numbers of each case, and why some are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureTable:
    """Features of a set of cases.

    Attributes:
        case_ids: N, unique.
        names: F, unique.
        values: (N, F) float64; NaN is missing.
        reasons: Case id to why its features are missing, for cases whose row holds NaN.

    Raises:
        DataError: The shape is not (N, F), a name or id appears twice, or a value is infinite.
    """

    case_ids: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.case_ids), len(self.names))
        if self.values.shape != expected:
            raise DataError(f"a feature table must have shape {expected}, got {self.values.shape}")
        for what, found in (("feature", self.names), ("case", self.case_ids)):
            repeated = [name for row, name in enumerate(found) if name in found[:row]]
            if repeated:
                raise DataError(f"{what} {repeated[0]!r} appears twice in a feature table")
        infinite = np.argwhere(np.isinf(self.values))
        if len(infinite):
            row, column = infinite[0]
            raise DataError(
                f"case {self.case_ids[row]!r}: feature {self.names[column]!r} is infinite; "
                "give NaN and a reason where a feature is not defined"
            )

    def select(self, names: Sequence[str]) -> FeatureTable:
        """These features, in this order.

        Raises:
            DataError: The table lacks one.
        """
        position = {name: column for column, name in enumerate(self.names)}
        lacking = [name for name in names if name not in position]
        if lacking:
            raise DataError(
                f"the features hold no {lacking[0]!r}, which the model was fitted with; extract "
                "them with the same settings"
            )
        columns = [position[name] for name in names]
        return FeatureTable(
            case_ids=self.case_ids,
            names=tuple(names),
            values=self.values[:, columns],
            reasons=self.reasons,
        )

    def join(self, other: FeatureTable) -> FeatureTable:
        """The features of both tables, of the same cases in the same order.

        Raises:
            DataError: The cases differ, or both have a feature of one name.
        """
        if self.case_ids != other.case_ids:
            raise DataError(
                f"tables of {len(self.case_ids)} and {len(other.case_ids)} cases cannot be "
                "joined: they must hold the same cases in the same order"
            )
        return FeatureTable(
            case_ids=self.case_ids,
            names=self.names + other.names,
            values=np.hstack([self.values, other.values]),
            reasons={**other.reasons, **self.reasons},
        )
