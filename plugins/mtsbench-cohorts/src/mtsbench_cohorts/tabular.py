"""Cohorts that are a table: clinical variables and follow-up, no images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Case, ClinicalValue, ClinicalVariable, Outcomes
from mtsbench.errors import DataError
from mtsbench_cohorts.table_columns import check_column

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1  # raise it whenever the same file would give other cases


@dataclass(frozen=True, kw_only=True)
class TableDescription:
    """How the columns of a file are to be understood.

    Attributes:
        name: Of the dataset; begins the case ids.
        endpoint: What the event is.
        time: Column of the follow-up.
        days: Days in one unit of `time`.
        event: Column of the event.
        happened: The value of `event` that means an event, as text.
        censored: The value of `event` that means none.
        variables: Columns known at the start of the follow-up.
    """

    name: str
    endpoint: str
    time: str
    days: float
    event: str
    happened: str
    censored: str
    variables: tuple[ClinicalVariable, ...]


class TableDataset:
    """Implements `mtsbench.interfaces.Dataset` without images.

    A follow-up of 0 becomes half a unit of the table's time: the patient was followed for less
    than one unit, and a time of 0 would be in nobody's risk set.

    Args:
        path: For messages and the fingerprint.
        fingerprint: Of the file.
        description: What the columns mean.
        rows: Column to value for each patient, in the order of the file; None is missing.

    Raises:
        DataError: A column is missing, a time is negative or no number, an event is missing or of
            a third kind, or a variable does not hold what it is declared to hold. Names patient
            and file.
    """

    channels: tuple[str, ...] = ()
    simulated = False
    natural_spacing = (1.0, 1.0, 1.0)
    natural_size = (16, 16, 16)
    test_centre = "field-of-view"

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        description: TableDescription,
        rows: Sequence[Mapping[str, ClinicalValue]],
    ) -> None:
        self.description = description
        self.endpoints: tuple[str, ...] = (description.endpoint,)
        self.clinical_variables = description.variables
        names = {variable.name for variable in description.variables}
        expected = {description.time, description.event, *names}
        missing = sorted(expected - set(rows[0] if rows else ()))
        if missing:
            raise DataError(
                f"{path} has no column {missing[0]!r}; expected {', '.join(sorted(expected))}"
            )
        width = len(str(len(rows)))
        self.case_ids = tuple(
            f"{description.name}-{number:0{width}}" for number in range(1, len(rows) + 1)
        )
        self._rows = dict(zip(self.case_ids, rows, strict=True))
        self._fingerprint = f"{fingerprint} {VERSION}"
        self._outcomes = self._read_outcomes(path)
        for variable in description.variables:
            cells = {
                case_id: _text(row[variable.name])
                for case_id, row in self._rows.items()
                if row[variable.name] is not None
            }
            check_column(variable.name, cells, variable.kind, str(path))

    def load(self, case_id: str) -> Case:
        """One patient. DataError for an unknown id."""
        if case_id not in self._rows:
            raise DataError(
                f"no case {case_id!r} among the {len(self.case_ids)} of {self.description.name}, "
                f"{self.case_ids[0]} to {self.case_ids[-1]}"
            )
        row = self._rows[case_id]
        clinical = {variable.name: row[variable.name] for variable in self.clinical_variables}
        return Case(case_id=case_id, images={}, mask=None, clinical=clinical)

    def outcomes(self, endpoint: str) -> Outcomes:
        """Follow-up in days. DataError for another endpoint."""
        if endpoint != self.description.endpoint:
            raise DataError(
                f"{self.description.name} has the endpoint {self.description.endpoint}, "
                f"not {endpoint!r}"
            )
        return self._outcomes

    def centres(self) -> Mapping[str, str]:
        """None known."""
        return {}

    def case_fingerprint(self, case_id: str) -> str:
        """That of the file, and the case."""
        return f"{self._fingerprint} {case_id}"

    def fingerprint(self) -> str:
        """Of the file's bytes."""
        return self._fingerprint

    def _read_outcomes(self, path: Path) -> Outcomes:
        known = self.description
        times, events = [], []
        for case_id, row in self._rows.items():
            value = row[known.time]
            if not isinstance(value, int | float) or not value >= 0:
                raise DataError(
                    f"{path}: case {case_id!r} has {known.time} {value!r}; expected a number >= 0"
                )
            event = _text(row[known.event])
            if event not in (known.happened, known.censored):
                raise DataError(
                    f"{path}: case {case_id!r} has {known.event} {row[known.event]!r}; expected "
                    f"{known.happened} = event observed or {known.censored} = censored. Another "
                    "cause of death (competing risks) is not supported: code it as censored"
                )
            times.append((value or 0.5) * known.days)
            events.append(event == known.happened)
        return Outcomes(
            endpoint=known.endpoint,
            case_ids=self.case_ids,
            time=np.array(times, np.float64),
            event=np.array(events, np.bool_),
        )


def _text(value: ClinicalValue) -> str:
    """1.0 and 1 and True are `1`."""
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)
