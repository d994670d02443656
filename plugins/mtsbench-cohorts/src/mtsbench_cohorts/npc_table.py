"""`clinical.csv` of a user's cohort: outcomes, hospital and clinical variables, checked."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import ClinicalVariable, Outcomes
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mtsbench.data import ClinicalValue

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
            incomplete pair of outcome columns, a row of another length, an id that is empty,
            repeated or no folder name, a time that is not > 0, an event that is not 0 or 1.
            Names the file, and the case or the line.
    """
    columns, rows = _read_rows(path)
    endpoints = _endpoints(columns, path)
    special = {ID, CENTRE, *(name + end for name in endpoints for end in (TIME, EVENT))}
    names = [column for column in columns if column not in special]
    kinds = {name: _kind([row[name] for row in rows.values()]) for name in names}
    return CohortTable(
        case_ids=tuple(rows),
        outcomes={endpoint: _outcomes(endpoint, rows, path) for endpoint in endpoints},
        centres={
            case_id: row[CENTRE]
            for case_id, row in rows.items()
            if row.get(CENTRE, "").lower() not in MISSING
        },
        variables=tuple(
            ClinicalVariable(name=name, kind="numeric" if kinds[name] else "categorical")
            for name in names
        ),
        clinical={
            case_id: {name: _value(row[name], numeric=kinds[name]) for name in names}
            for case_id, row in rows.items()
        },
    )


def _read_rows(path: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [[cell.strip() for cell in line] for line in csv.reader(file, strict=True)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(
            f"cannot read {path}: {error}; expected a comma-separated UTF-8 table with the "
            f"column {ID}, see the README of mtsbench-cohorts"
        ) from error
    columns = lines[0] if lines else []
    repeated = [column for column in columns if columns.count(column) > 1]
    if repeated:
        raise DataError(f"{path} has two columns {repeated[0]!r}; rename or remove one")
    if ID not in columns:
        raise DataError(
            f"{path} has no column {ID!r}, only {', '.join(columns) or 'an empty header'}; "
            "it must hold the names of the case folders"
        )
    rows: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        if len(line) != len(columns):
            raise DataError(
                f"{path}, row {number} has {len(line)} cells, expected {len(columns)}; "
                "quote cells that hold a comma"
            )
        row = dict(zip(columns, line, strict=True))
        _check_id(row[ID], number, rows, path)
        rows[row[ID]] = row
    return columns, rows


def _check_id(case_id: str, number: int, rows: Mapping[str, object], path: Path) -> None:
    if case_id in rows:
        raise DataError(f"{path}: case {case_id!r} has two rows; keep one row per patient")
    if not case_id or case_id.startswith(".") or any(mark in case_id for mark in "/\\:\0"):
        raise DataError(
            f"{path}, row {number}: {case_id!r} is no case id; expected the plain name of a "
            "folder, without '/', '\\' or ':' and not starting with '.'"
        )


def _endpoints(columns: Sequence[str], path: Path) -> list[str]:
    """Names of the outcome pairs, in the order of the time columns."""
    for column in columns:
        for end, other in ((TIME, EVENT), (EVENT, TIME)):
            partner = column.removesuffix(end) + other
            if column.endswith(end) and partner not in columns:
                raise DataError(
                    f"{path} has a column {column!r} but no {partner!r}; an endpoint needs both. "
                    "Add it, or rename the column if it is no outcome"
                )
    return [column.removesuffix(TIME) for column in columns if column.endswith(TIME)]


def _outcomes(endpoint: str, rows: Mapping[str, Mapping[str, str]], path: Path) -> Outcomes:
    case_ids, times, events = [], [], []
    for case_id, row in rows.items():
        time, event = row[endpoint + TIME], row[endpoint + EVENT]
        if time.lower() in MISSING and event.lower() in MISSING:
            continue
        days = _number(time)
        if days is None or days <= 0:
            raise DataError(
                f"{path}: case {case_id!r} has {endpoint + TIME} {time!r}; expected days > 0, "
                f"or both {endpoint} cells empty where the follow-up is unknown"
            )
        if _number(event) not in (0, 1):
            raise DataError(
                f"{path}: case {case_id!r} has {endpoint + EVENT} {event!r}; "
                "expected 1 = event observed or 0 = censored"
            )
        case_ids.append(case_id)
        times.append(days)
        events.append(_number(event) == 1)
    return Outcomes(
        endpoint=endpoint,
        case_ids=tuple(case_ids),
        time=np.array(times, dtype=np.float64),
        event=np.array(events, dtype=np.bool_),
    )


def _kind(cells: Sequence[str]) -> bool:
    """Whether a column is numeric: it has values, and all of them are numbers."""
    known = [cell for cell in cells if cell.lower() not in MISSING]
    return bool(known) and all(_number(cell) is not None for cell in known)


def _value(cell: str, *, numeric: bool) -> ClinicalValue:
    if cell.lower() in MISSING:
        return None
    return float(cell) if numeric else cell


def _number(cell: str) -> float | None:
    """The finite number that a cell holds, if it does; Python's `1_000` is none."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None
