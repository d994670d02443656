"""Where the features of a model come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mtsbench_radiomics.features.table import FeatureTable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.data import Cohort, LabelledCohort
    from mtsbench.interfaces import FitContext

Extract = Callable[["Cohort"], FeatureTable]


@dataclass(frozen=True, kw_only=True, eq=False)
class Extracted:
    """Features of a cohort, and the tumour probability that a network gave on the way."""

    table: FeatureTable
    tumour_probability: tuple[NDArray[np.float32], ...] | None = None


class FeatureSource(Protocol):
    """Gives features; one that learns keeps what it learnt."""

    def learn(
        self, train: LabelledCohort, validation: LabelledCohort, context: FitContext
    ) -> FeatureTable:
        """Features of the training cases, then of the validation cases.

        What a learning source says of a training case must not come from that case's outcome.
        """
        ...

    def extract(self, cohort: Cohort) -> Extracted:
        """Features of other cases."""
        ...

    def save(self, folder: Path) -> None:
        """Keep what was learnt."""
        ...

    def load(self, folder: Path) -> None:
        """Become what was kept."""
        ...


@dataclass(frozen=True, kw_only=True)
class FixedSource:
    """Features that need nothing learnt.

    Attributes:
        parts: Functions from a cohort to features, joined in this order.
    """

    parts: tuple[Extract, ...] = ()

    def learn(
        self, train: LabelledCohort, validation: LabelledCohort, context: FitContext
    ) -> FeatureTable:
        """The same as of any other case."""
        return stacked(joined(self.parts, train.cohort), joined(self.parts, validation.cohort))

    def extract(self, cohort: Cohort) -> Extracted:
        """Features of the cases."""
        return Extracted(table=joined(self.parts, cohort))

    def save(self, folder: Path) -> None:
        """Nothing to keep."""

    def load(self, folder: Path) -> None:
        """Nothing was kept."""


def joined(parts: tuple[Extract, ...], cohort: Cohort) -> FeatureTable:
    """The features of all parts; none where there is no part."""
    table = FeatureTable(
        case_ids=cohort.case_ids, names=(), values=np.empty((len(cohort), 0)), reasons={}
    )
    for part in parts:
        table = table.join(part(cohort))
    return table


def stacked(*tables: FeatureTable) -> FeatureTable:
    """The cases of all tables, one below the other, with the features of any."""
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    return FeatureTable(
        case_ids=tuple(case_id for table in tables for case_id in table.case_ids),
        names=names,
        values=np.concatenate([aligned(table, names).values for table in tables]),
        reasons={case_id: why for table in tables for case_id, why in table.reasons.items()},
    )


def aligned(table: FeatureTable, names: tuple[str, ...]) -> FeatureTable:
    """These features; those that no case of the table has are missing in all of them.

    A table knows a feature by the cases that have it: one of a single case with an empty region
    knows none.

    Raises:
        DataError: A feature is absent, though some case has no reason to lack any.
    """
    absent = tuple(name for name in names if name not in table.names)
    if absent and set(table.reasons) == set(table.case_ids):
        gap = np.full((len(table.case_ids), len(absent)), np.nan)
        table = table.join(
            FeatureTable(case_ids=table.case_ids, names=absent, values=gap, reasons={})
        )
    return table.select(names)


def clinical_features(cohort: Cohort) -> FeatureTable:
    """The encoded clinical variables."""
    names = cohort.clinical_features
    rows = [cohort[row].clinical for row in range(len(cohort))]
    values = np.array(rows, dtype=np.float64).reshape(len(cohort), len(names))
    reasons = {
        case_id: "clinical variables without a value: "
        + ", ".join(name for name, value in zip(names, row, strict=True) if np.isnan(value))
        for case_id, row in zip(cohort.case_ids, values, strict=True)
        if np.isnan(row).any()
    }
    return FeatureTable(case_ids=cohort.case_ids, names=names, values=values, reasons=reasons)
