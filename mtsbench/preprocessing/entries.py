"""How one cropped case lies in the cache folder.

An entry is `KEY.images.npy`, `KEY.mask.npy` if there is a mask, and `KEY.json` with the rest.
Every file is written under a temporary name and renamed, the JSON last: an entry whose JSON
exists is complete, and what a killed run left behind is never read. A case that has no tumour
to centre on leaves only a JSON that says so.

Images are float32 unless the user asks for less. float16 (11 significant bits) holds SUV to 0.05 %,
but it has no number above 65504, and a PET in Bq/ml or a third party's channel can exceed that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast
from uuid import uuid4

import numpy as np
import pydantic
from numpy.typing import NDArray

from mtsbench.data import ClinicalValue
from mtsbench.errors import DataError
from mtsbench.preprocessing.cropping import CroppedCase
from mtsbench.preprocessing.settings import Storage
from mtsbench.preprocessing.storage import decode, encode, stored_as
from mtsbench.volumes import Grid

FORMAT = 1  # raise it whenever the same request would give other bytes


class DamagedEntryError(DataError):
    """A file of a cache entry is not what was written."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredCrop:
    """A crop as it lies on disk.

    Attributes:
        images: Memory-mapped, as `stored_as` says.
        mask: uint8 (1, D, H, W), memory-mapped; None where the case has no mask.
    """

    case_id: str
    images: NDArray[np.generic]
    mask: NDArray[np.uint8] | None
    clinical: Mapping[str, ClinicalValue]
    grid: Grid

    def read(self) -> CroppedCase:
        """The crop; its images are still memory-mapped if they are stored as float32."""
        return CroppedCase(
            case_id=self.case_id,
            images=decode(self.images),
            mask=self.mask,
            clinical=self.clinical,
            grid=self.grid,
        )


class _CroppedEntry(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    grid: Grid
    has_mask: bool
    clinical: dict[str, ClinicalValue]


class _NoTumourEntry(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    no_tumour: str


_ENTRY: pydantic.TypeAdapter[_CroppedEntry | _NoTumourEntry] = pydantic.TypeAdapter(
    _CroppedEntry | _NoTumourEntry
)


def write_entry(
    folder: Path, key: str, cropped: CroppedCase, channels: Sequence[str], storage: Storage
) -> None:
    """Store a crop; a reader meanwhile sees the old entry, the new one, or none.

    Raises:
        DataError: The storage cannot hold a value.
    """
    images = encode(cropped.images, storage, channels, cropped.case_id)
    _write(_images(folder, key), lambda file: np.save(file, images, allow_pickle=False))
    if cropped.mask is not None:
        mask = cropped.mask
        _write(_mask(folder, key), lambda file: np.save(file, mask, allow_pickle=False))
    entry = _CroppedEntry(
        grid=cropped.grid,
        has_mask=cropped.mask is not None,
        clinical={name: _plain(value) for name, value in cropped.clinical.items()},
    )
    _write(_json(folder, key), lambda file: file.write(entry.model_dump_json().encode()))


def write_no_tumour(folder: Path, key: str, reason: str) -> None:
    """Store that this case cannot be centred on its tumour, and why."""
    entry = _NoTumourEntry(no_tumour=reason)
    _write(_json(folder, key), lambda file: file.write(entry.model_dump_json().encode()))


def read_entry(
    folder: Path,
    key: str,
    case_id: str,
    channels: Sequence[str],
    size: tuple[int, int, int],
    storage: Storage,
) -> StoredCrop | str | None:
    """The crop with memory-mapped arrays; why there is no tumour; None if nothing is stored.

    Checked are the JSON's fields and each array's header and file length. Bytes changed inside
    an array of the right length are not noticed: hashing them at every read costs too much.

    Raises:
        DamagedEntryError: A file is missing, cut off, or holds something else.
    """
    try:
        entry = _ENTRY.validate_json(_json(folder, key).read_bytes())
    except FileNotFoundError:
        return None
    except pydantic.ValidationError as error:
        raise _damaged(_json(folder, key), case_id, error.errors()[0]["msg"]) from error
    if isinstance(entry, _NoTumourEntry):
        return entry.no_tumour
    images = _map(_images(folder, key), case_id, *stored_as(storage, channels, size))
    mask = None
    if entry.has_mask:
        mask = _map(_mask(folder, key), case_id, np.dtype(np.uint8), (1, *size))
    return StoredCrop(
        case_id=case_id,
        images=images,
        mask=cast("NDArray[np.uint8] | None", mask),
        clinical=entry.clinical,
        grid=entry.grid,
    )


def delete_entry(folder: Path, key: str) -> None:
    """Remove whatever is stored under this key."""
    for path in _files(folder, key):
        path.unlink(missing_ok=True)


def _files(folder: Path, key: str) -> Iterator[Path]:
    yield from (_json(folder, key), _images(folder, key), _mask(folder, key))


def _json(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _images(folder: Path, key: str) -> Path:
    return folder / f"{key}.images.npy"


def _mask(folder: Path, key: str) -> Path:
    return folder / f"{key}.mask.npy"


def _plain(value: ClinicalValue) -> ClinicalValue:
    """NumPy numbers, integers and bool as float, which JSON and the encoder understand."""
    return value if value is None or isinstance(value, str) else float(value)


def _write(path: Path, write: Callable[[BinaryIO], object]) -> None:
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        with temporary.open("xb") as file:
            write(file)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _map(
    path: Path, case_id: str, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> NDArray[np.generic]:
    # Nothing cannot be memory-mapped: a dataset without images.
    mode: Literal["r"] | None = "r" if 0 not in shape else None
    try:
        array = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, case_id, str(error)) from error
    if array.dtype != dtype or array.shape != shape:
        found = f"{array.dtype} {array.shape}, expected {dtype} {shape}"
        raise _damaged(path, case_id, f"it holds {found}")
    length = path.stat().st_size
    expected = array.offset + array.nbytes if isinstance(array, np.memmap) else length
    if length != expected:
        raise _damaged(path, case_id, f"it has {length} bytes, expected {expected}")
    return cast("NDArray[np.generic]", array)


def _damaged(path: Path, case_id: str, cause: str) -> DamagedEntryError:
    return DamagedEntryError(
        f"case {case_id!r}: the cache file {path} is damaged ({cause}); "
        "prepare the case again, which replaces it"
    )
