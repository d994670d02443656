"""HECKTOR's tables: columns matched loosely, because every edition spells them anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mtsbench.data import ClinicalValue, ClinicalVariable, Outcomes
from mtsbench.errors import DataError
from mtsbench_cohorts.hecktor_layout import match_id
from mtsbench_cohorts.table_columns import check_column, check_no_entry, number
from mtsbench_cohorts.table_rows import read_rows

ID = frozenset({"patientid", "patient", "caseid"})
CENTRE = frozenset({"centerid", "center", "centreid", "centre"})
# Endpoint: the names of its event column, then those of its time column.
ENDPOINTS: Mapping[str, tuple[Collection[str], Collection[str]]] = {
    "rfs": ({"relapse"}, {"rfs", "rfsdays"}),
    "pfs": ({"progression"}, {"progressionfreesurvival", "pfs", "pfsdays"}),
    "os": ({"death"}, {"os", "osdays", "overallsurvival"}),
}
# Only columns known to be observed before treatment; anything else could be an outcome.
CLINICAL: Mapping[str, tuple[Collection[str], Literal["numeric", "categorical"]]] = {
    "age": ({"age"}, "numeric"),
    "weight": ({"weight", "estimatedweight"}, "numeric"),
    "gender": ({"gender", "sex"}, "categorical"),
    "tobacco": ({"tobacco", "tobaccoconsumption"}, "categorical"),
    "alcohol": ({"alcohol", "alcoholconsumption"}, "categorical"),
    "performance_status": ({"performancestatus"}, "categorical"),
    "hpv_status": ({"hpvstatus", "hpv"}, "categorical"),
    "surgery": ({"surgery"}, "categorical"),
    "chemotherapy": ({"chemotherapy"}, "categorical"),
    "treatment": ({"treatment"}, "categorical"),
    "t_stage": ({"tstage"}, "categorical"),
    "n_stage": ({"nstage"}, "categorical"),
    "m_stage": ({"mstage"}, "categorical"),
    "grade": ({"grade"}, "categorical"),
    "histology": ({"mskcctype", "histology"}, "categorical"),
}
MISSING = frozenset({"", "na", "n/a", "nan", "none"})
GENDER = {
    "m": "male",
    "male": "male",
    "1": "male",
    "f": "female",
    "female": "female",
    "0": "female",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class HecktorTables:
    """What the tables say of the patients that have images.

    Attributes:
        outcomes: Endpoint to the outcomes of the cases that have one.
        centres: Case id to hospital.
        variables: Clinical variables that have a column.
        clinical: Case id to values; None is missing.
    """

    outcomes: Mapping[str, Outcomes]
    centres: Mapping[str, str]
    variables: tuple[ClinicalVariable, ...]
    clinical: Mapping[str, Mapping[str, ClinicalValue]]


def loose(column: str) -> str:
    """A column name without bracketed remarks, case, blanks and punctuation.

    `HPV status (0=-, 1=+)`, `HPV_Status` and `hpv status` are one column.
    """
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\([^)]*\)", "", column).lower())


def read_tables(paths: Sequence[Path], case_ids: Sequence[str]) -> HecktorTables:
    """Join the tables on the patients that have images; the others' rows are not used.

    Patients without a row, or with empty outcome cells, keep their images and have no outcome.

    Raises:
        DataError: A table cannot be read, has no patient column, two of one name, a row of another
            length, a patient twice, a column of delayed entry, a number that is none, or an
            outcome that is half empty, not > 0 days, or not 0 or 1. Names table and patient.
    """
    rows: dict[str, dict[str, str]] = {case_id: {} for case_id in case_ids}
    known = {match_id(case_id): case_id for case_id in case_ids}
    columns: set[str] = set()
    for path in paths:
        found, table = _read_table(path)
        _check_columns({key: row for key, row in table.items() if key in known}, path)
        columns |= found
        for key, row in table.items():
            if key in known:
                kept = rows[known[key]]
                kept.update({c: v for c, v in row.items() if not kept.get(c)})
    variables = tuple(
        ClinicalVariable(name=name, kind=kind)
        for name, (names, kind) in CLINICAL.items()
        if columns & set(names)
    )
    source = ", ".join(path.name for path in paths)
    return HecktorTables(
        outcomes={
            endpoint: _outcomes(endpoint, rows, source)
            for endpoint, (events, times) in ENDPOINTS.items()
            if columns & set(events) and columns & set(times)
        },
        centres={
            case_id: _level(centre)
            for case_id, row in rows.items()
            if (centre := _cell(row, CENTRE)) is not None
        },
        variables=variables,
        clinical={
            case_id: {one.name: _clinical(one, row) for one in variables}
            for case_id, row in rows.items()
        },
    )


def read_factors(path: Path) -> Mapping[str, float]:
    """Patient (as `match_id` writes it) to the factor from Bq/ml to SUV.

    Raises:
        DataError: The table cannot be read, or a factor is not a number > 0.
    """
    found, table = _read_table(path, id_names={"pid", *ID})
    if "bqmltosuvbwfactor" not in found:
        raise DataError(
            f"{path} has no column bqml_to_suvbw_factor; it must hold SUV per Bq/ml for each pid"
        )
    factors = {}
    for key, row in table.items():
        factor = number(row["bqmltosuvbwfactor"])
        if factor is None or factor <= 0:
            raise DataError(
                f"{path}: case {key!r} has bqml_to_suvbw_factor {row['bqmltosuvbwfactor']!r}; "
                "expected a number > 0"
            )
        factors[key] = factor
    return factors


def _read_table(
    path: Path, id_names: Collection[str] = ID
) -> tuple[set[str], dict[str, dict[str, str]]]:
    """Loose column names, and patient to row."""
    header, lines = read_rows(path)
    columns = [loose(column) for column in header]
    id_column = next((name for name in columns if name in id_names), None)
    if id_column is None:
        raise DataError(
            f"{path} has no column PatientID, only {', '.join(header) or 'nothing'}; "
            "name the patients' column PatientID or move the table away"
        )
    for names in (id_names, *_used()):
        alike = [name for name, column in zip(header, columns, strict=True) if column in names]
        if len(alike) > 1:
            raise DataError(
                f"{path} has the columns {' and '.join(map(repr, alike))}, which mean the same; "
                "rename or remove all but one"
            )
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        row = dict(zip(columns, line.cells, strict=True))
        key = match_id(row[id_column])
        if not key:
            raise DataError(f"{path}, line {line.line} names no patient; name it or remove the row")
        if key in rows:
            raise DataError(f"{path}: case {row[id_column]!r} has two rows; keep one per patient")
        rows[key] = row
    return set(columns), rows


def _used() -> Iterator[Collection[str]]:
    """Names of each column that is used beside the patients'."""
    yield CENTRE
    for pair in ENDPOINTS.values():
        yield from pair
    yield from (names for names, _ in CLINICAL.values())


def _check_columns(rows: Mapping[str, Mapping[str, str]], path: Path) -> None:
    """Refuse clinical columns that do not hold what they must, and those of delayed entry."""
    cells: dict[str, dict[str, str]] = {}
    for case_id, row in rows.items():
        for column, cell in row.items():
            if cell.lower() not in MISSING:
                cells.setdefault(column, {})[case_id] = cell
    check_no_entry(
        {column: known.values() for column, known in cells.items()}, tuple(ENDPOINTS), str(path)
    )
    for name, (names, kind) in CLINICAL.items():
        for column in cells.keys() & set(names):
            check_column(name, cells[column], kind, str(path))


def _outcomes(endpoint: str, rows: Mapping[str, Mapping[str, str]], source: str) -> Outcomes:
    events, times = ENDPOINTS[endpoint]
    found: list[tuple[str, float, bool]] = []
    for case_id, row in rows.items():
        event, time = _cell(row, events), _cell(row, times)
        if event is None and time is None:
            continue
        days, happened = number(time or ""), number(event or "")
        if days is None or days <= 0:
            raise DataError(
                f"{source}: case {case_id!r} has {endpoint.upper()} {time!r}; expected days > 0, "
                "or event and time both empty where the follow-up is unknown"
            )
        if happened not in (0, 1):
            raise DataError(
                f"{source}: case {case_id!r} has {endpoint.upper()} event {event!r}; "
                "expected 1 = event observed or 0 = censored"
            )
        found.append((case_id, days, happened == 1))
    return Outcomes(
        endpoint=endpoint,
        case_ids=tuple(case_id for case_id, _, _ in found),
        time=np.array([days for _, days, _ in found], dtype=np.float64),
        event=np.array([happened for _, _, happened in found], dtype=np.bool_),
    )


def _clinical(variable: ClinicalVariable, row: Mapping[str, str]) -> ClinicalValue:
    cell = _cell(row, CLINICAL[variable.name][0])
    if cell is None:
        return None
    if variable.kind == "numeric":
        return float(cell)
    level = _level(cell)
    return GENDER.get(level.lower(), level) if variable.name == "gender" else level


def _cell(row: Mapping[str, str], names: Collection[str]) -> str | None:
    """The first filled cell among the columns of these names."""
    cells = (row[name] for name in sorted(names) if name in row)
    return next((cell for cell in cells if cell.lower() not in MISSING), None)


def _level(cell: str) -> str:
    """`1.0` and `1` are one level: spreadsheets add the decimals to columns with gaps."""
    found = number(cell)
    return str(int(found)) if found is not None and found.is_integer() else cell
