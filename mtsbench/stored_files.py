"""Reading the files of a run: each is what was written, of this version, and of the right types."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic

from mtsbench.checksums import CHECKSUMS, damaged, read_checked, read_checksums
from mtsbench.errors import DamagedFileError, DataError, one_line
from mtsbench.records import DESCRIPTION, SCHEMA_VERSION, RunDescription
from mtsbench.sealed import Sealed

Stored = TypeVar("Stored")
SealedModel = TypeVar("SealedModel", bound=pydantic.BaseModel)
# Of the columns that are read by name; all others of these tables are numbers.
TEXT, TRUTH = ("case_id",), ("event",)


class _Version(pydantic.BaseModel):
    schema_version: int


class _Described(_Version):
    """What every mtsbench wrote of a run."""

    name: str
    question: dict[str, pydantic.JsonValue]
    method: dict[str, pydantic.JsonValue]


def read_description(folder: Path) -> RunDescription:
    """What the run in this folder is.

    Raises:
        DamagedFileError: `run.json` is not what was written.
        DataError: The folder is no run, or another mtsbench made it.
    """
    path = folder / DESCRIPTION
    if not path.exists():
        raise DataError(f"{path} does not exist; is {folder} the folder of a run?")
    if not (folder / CHECKSUMS).exists():
        check_version(path, path.read_bytes())
    content = read_checked(path)
    check_version(path, content)
    found = _validated(path, content, pydantic.TypeAdapter(RunDescription))
    if read_checksums(folder).of != found.name:
        raise damaged(path, f"{CHECKSUMS} beside it is of another run")
    return found


def check_description(folder: Path) -> None:
    """Refuse a folder whose `run.json` does not describe a run; an older mtsbench may have made it.

    Raises:
        DataError: It does not.
    """
    path = folder / DESCRIPTION
    try:
        _Described.model_validate_json(path.read_bytes())
    except (OSError, pydantic.ValidationError) as error:
        raise DataError(f"{path} does not describe a run ({one_line(error)})") from error


def read_stored(path: Path, schema: pydantic.TypeAdapter[Stored]) -> Stored:
    """What a JSON file holds. DamagedFileError if it is missing or not what was written."""
    return _validated(path, read_checked(path), schema)


def read_sealed(path: Path, schema: type[SealedModel], advice: str) -> SealedModel:
    """What a JSON file with its own checksum holds.

    Args:
        path: Of the file.
        schema: Of its content.
        advice: How it is made again.

    Raises:
        DamagedFileError: It is missing or not what was written.
    """
    try:
        return Sealed[schema].model_validate_json(path.read_bytes()).content  # type: ignore[valid-type]
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read ({error.strerror}); {advice}") from error
    except pydantic.ValidationError as error:
        raise DamagedFileError(f"{path} is damaged ({_cause(error)}); {advice}") from error


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A parquet table that has at least these columns, each of its type and without gaps.

    Raises:
        DamagedFileError: It is missing, is not what was written, lacks a column, or one is of
            another type or has an undefined value.
    """
    try:
        table = pd.read_parquet(io.BytesIO(read_checked(path)))
    except (pa.ArrowInvalid, OSError) as error:
        raise damaged(path, str(error)) from error
    for name in columns:
        if name not in table.columns:
            raise damaged(path, f"it has no column {name!r}")
        if not _fits(name, table[name]):
            raise damaged(path, f"column {name!r} holds {table[name].dtype} or undefined values")
    return table


def _fits(name: str, column: pd.Series) -> bool:
    if name in TEXT:
        return all(isinstance(value, str) for value in column)
    if name in TRUTH:
        return column.dtype == np.bool_
    numbers = isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu"
    return numbers and bool(np.isfinite(column.to_numpy()).all())


def _validated(path: Path, content: bytes, schema: pydantic.TypeAdapter[Stored]) -> Stored:
    try:
        return schema.validate_json(content)
    except pydantic.ValidationError as error:
        raise damaged(path, _cause(error)) from error


def _cause(error: pydantic.ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"


def check_version(path: Path, content: bytes) -> None:
    """Refuse what another mtsbench wrote; what is no such JSON at all is for others to judge.

    Raises:
        DataError: It is of another version.
    """
    try:
        found = _Version.model_validate_json(content).schema_version
    except pydantic.ValidationError:
        return
    if found != SCHEMA_VERSION:
        which = "an older" if found < SCHEMA_VERSION else "a newer"
        raise DataError(
            f"{path.parent} was made by {which} mtsbench (its files are of version {found}, this "
            f"one reads version {SCHEMA_VERSION}); give the `mtsbench run` command again with "
            "another --out, or move that folder away first"
        )
