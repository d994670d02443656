"""How one cropped case lies in the cache folder.

An entry is `KEY.images.npy`, `KEY.mask.npy` if there is a mask, and `KEY.json` with the rest and
the checksums of all. Every file is written under a temporary name and renamed, the JSON last: an
entry whose JSON exists is complete, and what a killed run left behind is never read. A case that
has no tumour to centre on leaves only a JSON that says so.

Images are float32 unless the user asks for less. float16 (11 significant bits) holds SUV to 0.05 %,
but it has no number above 65504, and a PET in Bq/ml or a third party's channel can exceed that.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pydantic
from numpy.typing import NDArray

from mtsbench.checksums import FileSum, sum_of, sum_of_file, write_whole
from mtsbench.data import ClinicalValue
from mtsbench.errors import DamagedEntryError, DataError
from mtsbench.preprocessing.cropping import CroppedCase
from mtsbench.preprocessing.settings import Storage
from mtsbench.preprocessing.storage import decode, encode, stored_as
from mtsbench.sealed import Sealed, seal
from mtsbench.volumes import Grid

FORMAT = 2  # raise it whenever the same request would give other bytes


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


class _Entry(pydantic.BaseModel):
    """What the JSON holds, beside its own checksum.

    Attributes:
        key: That of the file's name, so that files of two entries cannot be mixed up.
        images: Sum of the array's file; None where there is no tumour.
        mask: The same; None where there is no mask.
        no_tumour: Why this case cannot be centred on its tumour.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    key: str
    grid: Grid | None = None
    images: FileSum | None = None
    mask: FileSum | None = None
    clinical: dict[str, ClinicalValue] = {}
    no_tumour: str | None = None


def write_entry(
    folder: Path, key: str, cropped: CroppedCase, channels: Sequence[str], storage: Storage
) -> None:
    """Store a crop; a reader meanwhile sees the old entry, the new one, or none.

    Raises:
        DataError: The storage cannot hold a value.
    """
    images = _npy(encode(cropped.images, storage, channels, cropped.case_id))
    write_whole(_images(folder, key), images)
    mask = None if cropped.mask is None else _npy(cropped.mask)
    if mask is not None:
        write_whole(_mask(folder, key), mask)
    entry = _Entry(
        key=key,
        grid=cropped.grid,
        images=sum_of(images),
        mask=None if mask is None else sum_of(mask),
        clinical={name: _plain(value) for name, value in cropped.clinical.items()},
    )
    write_whole(_json(folder, key), seal(entry))


def write_no_tumour(folder: Path, key: str, reason: str) -> None:
    """Store that this case cannot be centred on its tumour, and why."""
    write_whole(_json(folder, key), seal(_Entry(key=key, no_tumour=reason)))


def read_entry(
    folder: Path,
    key: str,
    case_id: str,
    channels: Sequence[str],
    size: tuple[int, int, int],
    storage: Storage,
    *,
    whole: bool = True,
) -> StoredCrop | str | None:
    """The crop with memory-mapped arrays; why there is no tumour; None if nothing is stored.

    Args:
        folder: Of the cache.
        key: Of the entry.
        case_id: For messages.
        channels: Of the images.
        size: Of the images.
        storage: Of the images.
        whole: Whether the arrays' checksums are compared, for which all of them is read, or only
            their headers and lengths.

    Raises:
        DamagedEntryError: A file is missing, cut off, or not what was written.
    """
    try:
        entry = Sealed[_Entry].model_validate_json(_json(folder, key).read_bytes()).content
    except FileNotFoundError:
        return None
    except pydantic.ValidationError as error:
        raise _damaged(_json(folder, key), case_id, error.errors()[0]["msg"]) from error
    if entry.key != key:
        raise _damaged(_json(folder, key), case_id, "it is of another entry")
    if entry.no_tumour is not None:
        return entry.no_tumour
    assert entry.grid is not None and entry.images is not None  # noqa: PT018 - both of one write
    images = _map(_images(folder, key), case_id, *stored_as(storage, channels, size))
    mask = None
    if entry.mask is not None:
        mask = _map(_mask(folder, key), case_id, np.dtype(np.uint8), (1, *size))
    if whole:
        _check_sum(_images(folder, key), case_id, entry.images)
        if entry.mask is not None:
            _check_sum(_mask(folder, key), case_id, entry.mask)
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


def _npy(array: NDArray[np.generic]) -> memoryview:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getbuffer()


def _check_sum(path: Path, case_id: str, expected: FileSum) -> None:
    try:
        found = sum_of_file(path)
    except DataError as error:
        raise _damaged(path, case_id, str(error)) from error
    if found != expected:
        raise _damaged(path, case_id, "its checksum differs, so it is not what was written")


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
        "the same command prepares the case again, which replaces it"
    )
