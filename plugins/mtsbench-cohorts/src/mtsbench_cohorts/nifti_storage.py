"""What ITK does not tell of a NIfTI file: that it was cut off, or held NaN.

ITK reads a truncated .nii.gz without a word, and replaces NaN and Inf by 0 (ITK issue 6575,
still so in SimpleITK 2.5).

Source: NIfTI-1 and NIfTI-2 header fields, https://nifti.nimh.nih.gov.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench_cohorts.file_fingerprint import GZIP_MAGIC

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

CHUNK = 1 << 20  # bytes; a multiple of every voxel's size
HEADER = 540  # bytes of a NIfTI-2 header, the longer one
FLOATS = {16: "f4", 64: "f8"}  # NIfTI datatype codes


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Where the voxels lie in an uncompressed file.

    Attributes:
        offset: First byte.
        size: Bytes.
        dtype: Of floating-point voxels, byte order included; None for integers.
    """

    offset: int
    size: int
    dtype: np.dtype[np.floating] | None


def storage_problem(path: Path) -> str | None:
    """Why a file cannot be trusted, as the end of a sentence that begins with its name.

    None where all is well, or where it is no NIfTI file, which is not for this module to judge.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP_MAGIC
        with gzip.open(path) if packed else path.open("rb") as stream:
            stored = _stored(stream.read(HEADER))
            return None if stored is None else _voxel_problem(stream, stored)
    except (OSError, EOFError, zlib.error) as error:
        return f"is cut off or damaged: {error}"


def _stored(header: bytes) -> Stored | None:
    for order in "<>":
        if header[:4] == struct.pack(f"{order}i", 348) and header[344:347] == b"n+1":
            dims = struct.unpack_from(f"{order}8h", header, 40)
            code, bits = struct.unpack_from(f"{order}2h", header, 70)
            (offset,) = struct.unpack_from(f"{order}f", header, 108)
        elif header[:4] == struct.pack(f"{order}i", 540) and header[4:7] == b"n+2":
            dims = struct.unpack_from(f"{order}8q", header, 16)
            code, bits = struct.unpack_from(f"{order}2h", header, 12)
            (offset,) = struct.unpack_from(f"{order}q", header, 168)
        else:
            continue
        size = math.prod(dims[1 : dims[0] + 1]) * bits // 8
        dtype = np.dtype(f"{order}{FLOATS[code]}") if code in FLOATS else None
        return Stored(offset=int(offset), size=size, dtype=dtype)
    return None


def _voxel_problem(stream: gzip.GzipFile | BufferedReader, stored: Stored) -> str | None:
    """Reads to the end of the stream, so that gzip compares its checksum."""
    stream.seek(stored.offset)
    read, broken = 0, 0
    while chunk := stream.read(CHUNK):
        voxels = chunk[: max(stored.size - read, 0)]
        if stored.dtype is not None and len(voxels) % stored.dtype.itemsize == 0:
            broken += int(np.count_nonzero(~np.isfinite(np.frombuffer(voxels, stored.dtype))))
        read += len(chunk)
    if read < stored.size:
        return f"is cut off: it holds {read} of {stored.size} bytes of voxels"
    return f"holds NaN or Inf in {broken} voxels" if broken else None
