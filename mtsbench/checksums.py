"""Checksums of the files of a folder: what was changed after it was written is noticed.

`checksums.json` lists every file of a trial, or the files of a run that describe it, and carries a
checksum of itself, so that no file can drop out of the list. It guards
against damage and against an edit by hand, not against someone who writes the checksums anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pydantic

from mtsbench.errors import DamagedFileError, DataError
from mtsbench.sealed import Sealed, seal

CHECKSUMS = "checksums.json"
AGAIN = "the same `mtsbench run` command makes it again"


class FileSum(pydantic.BaseModel):
    """Length and sha256 of one file."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    bytes: int
    sha256: str


class Checksums(pydantic.BaseModel):
    """What `checksums.json` holds.

    Attributes:
        of: Key of the trial, or name of the run.
        files: Path below the folder, with `/`, to its sum.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)

    schema_version: Literal[2] = 2
    of: str
    files: dict[str, FileSum]


def sum_of(content: bytes | memoryview) -> FileSum:
    """The sum of a file with this content."""
    return FileSum(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def sum_of_file(path: Path) -> FileSum:
    """The sum of a file on disk.

    Raises:
        DamagedFileError: It is missing.
        DataError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            return FileSum(bytes=file.tell(), sha256=found)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _missing(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def write_checksums(folder: Path, of: str, files: Iterable[Path]) -> None:
    """Write `checksums.json` of these files of a folder, apart from itself.

    Args:
        folder: Where it lies.
        of: Key of the trial, or name of the run.
        files: In the folder or below it.
    """
    listed = {
        path.relative_to(folder).as_posix(): sum_of_file(path)
        for path in sorted(files)
        if path != folder / CHECKSUMS
    }
    write_whole(folder / CHECKSUMS, seal(Checksums(of=of, files=listed)))


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file that other processes see complete, or as it was, or not at all."""
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_checksums(folder: Path) -> Checksums:
    """The list of a folder. DamagedFileError if it is missing or damaged."""
    path = folder / CHECKSUMS
    try:
        return Sealed[Checksums].model_validate_json(_bytes(path)).content
    except pydantic.ValidationError as error:
        raise damaged(path, error.errors()[0]["msg"]) from error


def read_checked(path: Path) -> bytes:
    """The content of a file, which is what was written.

    Raises:
        DamagedFileError: The file is missing, differs from what was written, or is not listed.
        DataError: It cannot be read.
    """
    listed = read_checksums(path.parent).files.get(path.name)
    content = _bytes(path)
    if listed is None:
        raise damaged(path, f"{CHECKSUMS} beside it does not list it")
    if sum_of(content) != listed:
        raise damaged(path, "its checksum differs, so it is not what was written")
    return content


def check_folder(
    folder: Path, *, read: Collection[str] | None = None, optional: Collection[str] = ()
) -> None:
    """Check that every listed file is there with its length and checksum.

    Args:
        folder: With its `checksums.json`.
        read: The files whose content is checked; of the others only the length. None is all.
        optional: Files that are read only where they are there, so they may not be added.

    Raises:
        DamagedFileError: A file is missing, differs, or was added.
        DataError: One cannot be read.
    """
    listed = read_checksums(folder).files
    for name, known in listed.items():
        path = folder / name
        if read is None or name in read:
            if sum_of_file(path) != known:
                raise damaged(path, "its checksum differs, so it is not what was written")
        elif _length(path) != known.bytes:
            raise damaged(path, f"it has {_length(path)} bytes, expected {known.bytes}")
    for name in optional:
        if name not in listed and (folder / name).exists():
            raise damaged(folder / name, f"{CHECKSUMS} beside it does not list it")


def damaged(path: Path, cause: str) -> DamagedFileError:
    """The error about a file that is not what was written."""
    return DamagedFileError(f"{path} is damaged ({cause}); {AGAIN}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise _missing(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(path) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _missing(path: Path) -> DamagedFileError:
    return DamagedFileError(f"{path} is missing; {AGAIN}")


def _unreadable(path: Path, error: OSError) -> DataError:
    # Not damage: what cannot be read for the moment must not be done again.
    return DataError(f"{path} cannot be read ({error.strerror}); make it readable and try again")
