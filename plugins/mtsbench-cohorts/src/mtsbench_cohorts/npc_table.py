"""`clinical.csv` of a user's cohort: outcomes, hospital and clinical variables, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import ClinicalVariable, Outcomes
from mtsbench.errors import DataError
from mtsbench_cohorts.table_columns import check_no_entry, column_kind, number
from mtsbench_cohorts.table_rows import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mtsbench.data import ClinicalValue
    from mtsbench_cohorts.table_columns import Kind

ID, CENTRE, TIME, EVENT = "case_id", "centre", "_time", "_event"
MISSING = frozenset({"", "na", "n/a", "nan"})


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortTable:
    """The table of a cohort.

    Attributes:
        case_ids: In the order of the rows.
        outcomes: Endpoint to the outcomes of the cases that have one.
        centres: Case id to hospital, where given.
        variables: All columns that are neither id, hospital nor outcome.
        clinical: Case id to its value of every variable; None is missing.
    """

    case_ids: tuple[str, ...]
    outcomes: Mapping[str, Outcomes]
    centres: Mapping[str, str]
    variables: tuple[ClinicalVariable, ...]
    clinical: Mapping[str, Mapping[str, ClinicalValue]]


def read_table(path: Path) -> CohortTable:
    """Read and check the table.

    Raises:
        DataError: No or an unreadable file, no `case_id` column, columns of one name, an
            incomplete pair of outcome columns, a column of delayed entry or nearly of numbers, a
            row of another length, an id that is empty, repeated or no folder name, a time that is
            not > 0, an event that is not 0 or 1. Names the file, and the case or the line.
    """
    columns, rows = _read_cases(path)
    endpoints = _endpoints(columns)
    special = {ID, CENTRE, *(name + end for name in endpoints for end in (TIME, EVENT))}
    cells = {
        column: {
            case_id: row[column]
            for case_id, row in rows.items()
            if row[column].lower() not in MISSING
        }
        for column in columns
        if column not in special
    }
    check_no_entry({name: known.values() for name, known in cells.items()}, endpoints, str(path))
    _check_pairs(columns, path)
    kinds = {name: column_kind(name, known, str(path)) for name, known in cells.items()}
    return CohortTable(
        case_ids=tuple(rows),
        outcomes={endpoint: _outcomes(endpoint, rows, path) for endpoint in endpoints},
        centres={
            case_id: row[CENTRE]
            for case_id, row in rows.items()
            if row.get(CENTRE, "").lower() not in MISSING
        },
        variables=tuple(ClinicalVariable(name=name, kind=kind) for name, kind in kinds.items()),
        clinical={
            case_id: {
                name: _value(known.get(case_id), kinds[name]) for name, known in cells.items()
            }
            for case_id in rows
        },
    )


def _read_cases(path: Path) -> tuple[tuple[str, ...], dict[str, dict[str, str]]]:
    """Names of the columns, and case id to its row."""
    columns, lines = read_rows(path)
    repeated = [column for column in columns if columns.count(column) > 1]
    if repeated:
        raise DataError(f"{path} has two columns {repeated[0]!r}; rename or remove one")
    if ID not in columns:
        raise DataError(
            f"{path} has no column {ID!r}, only {', '.join(columns) or 'an empty header'}; "
            "it must hold the names of the case folders"
        )
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        row = dict(zip(columns, line.cells, strict=True))
        _check_id(row[ID], line.line, rows, path)
        rows[row[ID]] = row
    return columns, rows


def _check_id(case_id: str, line: int, rows: Mapping[str, object], path: Path) -> None:
    if case_id in rows:
        raise DataError(f"{path}: case {case_id!r} has two rows; keep one row per patient")
    if not case_id or case_id.startswith(".") or any(mark in case_id for mark in "/\\:\0"):
        raise DataError(
            f"{path}, line {line}: {case_id!r} is no case id; expected the plain name of a "
            "folder, without '/', '\\' or ':' and not starting with '.'"
        )


def _endpoints(columns: Sequence[str]) -> list[str]:
    """Names of the complete outcome pairs, in the order of the time columns."""
    names = [column.removesuffix(TIME) for column in columns if column.endswith(TIME)]
    return [name for name in names if name + EVENT in columns]


def _check_pairs(columns: Sequence[str], path: Path) -> None:
    for column in columns:
        for end, other in ((TIME, EVENT), (EVENT, TIME)):
            partner = column.removesuffix(end) + other
            if column.endswith(end) and partner not in columns:
                raise DataError(
                    f"{path} has a column {column!r} but no {partner!r}; an endpoint needs both. "
                    "Add it, or rename the column if it is no outcome"
                )


def _outcomes(endpoint: str, rows: Mapping[str, Mapping[str, str]], path: Path) -> Outcomes:
    case_ids, times, events = [], [], []
    for case_id, row in rows.items():
        time, event = row[endpoint + TIME], row[endpoint + EVENT]
        if time.lower() in MISSING and event.lower() in MISSING:
            continue
        days = number(time)
        if days is None or days <= 0:
            raise DataError(
                f"{path}: case {case_id!r} has {endpoint + TIME} {time!r}; expected days > 0, "
                f"or both {endpoint} cells empty where the follow-up is unknown"
            )
        if number(event) not in (0, 1):
            raise DataError(
                f"{path}: case {case_id!r} has {endpoint + EVENT} {event!r}; "
                "expected 1 = event observed or 0 = censored"
            )
        case_ids.append(case_id)
        times.append(days)
        events.append(number(event) == 1)
    return Outcomes(
        endpoint=endpoint,
        case_ids=tuple(case_ids),
        time=np.array(times, dtype=np.float64),
        event=np.array(events, dtype=np.bool_),
    )


def _value(cell: str | None, kind: Kind) -> ClinicalValue:
    return float(cell) if cell is not None and kind == "numeric" else cell
