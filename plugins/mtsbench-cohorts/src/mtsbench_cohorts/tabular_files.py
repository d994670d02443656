"""The tables that come with scikit-survival and those that pycox downloads."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mtsbench.data import ClinicalValue, ClinicalVariable
from mtsbench.errors import DataError
from mtsbench_cohorts.tabular import TableDataset, TableDescription

MONTH = 365.25 / 12
Kind = Literal["numeric", "categorical"]


def _variables(numeric: str, categorical: str = "") -> tuple[ClinicalVariable, ...]:
    kinds: tuple[tuple[str, Kind], ...] = ((numeric, "numeric"), (categorical, "categorical"))
    return tuple(
        ClinicalVariable(name=name, kind=kind) for names, kind in kinds for name in names.split()
    )


BUNDLED: Mapping[str, tuple[str, TableDescription]] = {
    "veteran": (
        "veteran.arff",
        TableDescription(
            name="veteran",
            endpoint="os",
            time="Survival_in_days",
            days=1.0,
            event="Status",
            happened="dead",
            censored="censored",
            variables=_variables(
                "Karnofsky_score Months_from_Diagnosis Age_in_years",
                "Treatment Celltype Prior_therapy",
            ),
        ),
    ),
    # `los`, the length of the hospital stay, is left out: it is not known at admission, and a
    # patient who dies in hospital has it equal to the follow-up.
    "whas500": (
        "whas500.arff",
        TableDescription(
            name="whas500",
            endpoint="os",
            time="lenfol",
            days=1.0,
            event="fstat",
            happened="1",
            censored="0",
            variables=_variables(
                "age hr sysbp diasbp bmi", "gender cvd afb sho chf av3 miord mitype"
            ),
        ),
    ),
    "gbsg2": (
        "GBSG2.arff",
        TableDescription(
            name="gbsg2",
            endpoint="rfs",
            time="time",
            days=1.0,
            event="cens",
            happened="1",
            censored="0",
            variables=_variables("age tsize pnodes progrec estrec", "horTh menostat tgrade"),
        ),
    ),
}
# Name to columns x0, x1, ..., and days in a unit of the column `duration`.
DOWNLOADED: Mapping[str, tuple[int, float]] = {
    "metabric": (9, MONTH),
    "support": (14, 1.0),
    "gbsg": (7, MONTH),
}


def read_bundled(name: str) -> TableDataset:
    """A table in scikit-survival's package folder, found without importing the package.

    Raises:
        DataError: scikit-survival is not installed, or its file cannot be read.
    """
    from scipy.io import arff

    file, description = BUNDLED[name]
    found = find_spec("sksurv")
    if found is None or found.origin is None:
        raise DataError(
            f"dataset {name!r} is a file of scikit-survival, which is not installed; "
            "pip install scikit-survival"
        )
    path = Path(found.origin).parent / "datasets" / "data" / file
    try:
        table, _ = arff.loadarff(path)
    except (OSError, arff.ArffError) as error:
        raise DataError(f"cannot read {path}: {error}; install scikit-survival again") from error
    columns: tuple[str, ...] = table.dtype.names or ()
    rows = [
        {column: _value(cell) for column, cell in zip(columns, row, strict=True)}
        for row in table.tolist()
    ]
    return TableDataset(path, _sha256(path), description, rows)


def read_downloaded(name: str, root: Path | None) -> TableDataset:
    """A table that pycox has downloaded, or the same file in `root`.

    Raises:
        DataError: There is no such file, or it cannot be read.
    """
    import pyarrow as pa
    from pyarrow import feather

    columns, days = DOWNLOADED[name]
    path = (root or _pycox_folder(name)) / f"{name}.feather"
    try:
        rows = [
            {column: _value(cell) for column, cell in row.items()}
            for row in feather.read_table(path).to_pylist()
        ]
    except FileNotFoundError:
        raise DataError(
            f"{path} does not exist; download it with "
            f'`python -c "from pycox.datasets import {name}; {name}.read_df()"`, or give the '
            f"folder of {name}.feather with --data-root"
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}; download it again") from error
    description = TableDescription(
        name=name,
        endpoint="rfs" if name == "gbsg" else "os",
        time="duration",
        days=days,
        event="event",
        happened="1",
        censored="0",
        variables=_variables(" ".join(f"x{number}" for number in range(columns))),
    )
    return TableDataset(path, _sha256(path), description, rows)


def _pycox_folder(name: str) -> Path:
    """Where pycox downloads to; the variable is pycox's own."""
    chosen = os.environ.get("PYCOX_DATA_DIR")
    if chosen:
        return Path(chosen)
    found = find_spec("pycox")
    if found is None or found.origin is None:
        raise DataError(
            f"dataset {name!r} is a file that pycox downloads, and pycox is not installed; "
            f"pip install pycox, or give the folder of {name}.feather with --data-root"
        )
    return Path(found.origin).parent / "datasets" / "data"


def _value(cell: bytes | ClinicalValue) -> ClinicalValue:
    """As ARFF (bytes, `?` is missing) or Arrow gives it."""
    if isinstance(cell, bytes):
        text = cell.decode().strip("'\"")
        return None if text == "?" else text
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
