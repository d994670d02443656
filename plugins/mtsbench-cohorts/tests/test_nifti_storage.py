from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import SimpleITK as sitk
from mtsbench_cohorts.nifti_storage import storage_problem


def nifti(array, *, order="<", version=1):
    """The bytes of a minimal NIfTI file, independent of any reader."""
    code = {"f4": 16, "f8": 64, "i2": 4}[array.dtype.str[1:]]
    dims = (3, *array.shape[::-1], 1, 1, 1, 1)
    bits = array.dtype.itemsize * 8
    if version == 1:
        header = bytearray(352)
        struct.pack_into(f"{order}i", header, 0, 348)
        struct.pack_into(f"{order}8h", header, 40, *dims)
        struct.pack_into(f"{order}2h", header, 70, code, bits)
        struct.pack_into(f"{order}f", header, 108, 352)
        header[344:348] = b"n+1\0"
    else:
        header = bytearray(544)
        struct.pack_into(f"{order}i", header, 0, 540)
        header[4:12] = b"n+2\0\r\n\x1a\n"
        struct.pack_into(f"{order}2h", header, 12, code, bits)
        struct.pack_into(f"{order}8q", header, 16, *dims)
        struct.pack_into(f"{order}q", header, 168, 544)
    return bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_broken_voxels_are_counted(tmp_path, version, order, dtype, pack):
    array = np.ones((3, 4, 5), dtype=dtype)
    path = tmp_path / "pet.nii"
    path.write_bytes(pack(nifti(array, order=order, version=version)))
    assert storage_problem(path) is None

    array[0, 0, 0], array[2, 3, 4] = np.nan, np.inf
    path.write_bytes(pack(nifti(array, order=order, version=version)))
    assert storage_problem(path) == "holds NaN or Inf in 2 voxels"


def test_broken_voxels_beyond_the_first_chunk_are_found(tmp_path):
    array = np.ones((80, 80, 80), dtype=np.float32)
    array[-1, -1, -1] = np.nan
    path = tmp_path / "pet.nii"
    path.write_bytes(nifti(array))

    assert storage_problem(path) == "holds NaN or Inf in 1 voxels"


def test_a_missing_end_is_reported(tmp_path):
    whole = nifti(np.ones((3, 4, 5), dtype=np.int16))
    path = tmp_path / "ct.nii"
    path.write_bytes(whole[:-7])
    assert storage_problem(path) == "is cut off: it holds 113 of 120 bytes of voxels"

    path.write_bytes(gzip.compress(whole)[:-9])
    assert "is cut off or damaged" in (storage_problem(path) or "")


def test_a_wrong_checksum_is_reported(tmp_path):
    packed = bytearray(gzip.compress(nifti(np.ones((3, 4, 5), dtype=np.int16))))
    packed[-8] ^= 1
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(packed)

    assert "is cut off or damaged: CRC check failed" in (storage_problem(path) or "")


def test_what_itk_writes_has_no_problem_and_other_formats_are_not_judged(tmp_path):
    image = sitk.GetImageFromArray(np.ones((3, 4, 5), dtype=np.float32))
    for name in ("a.nii", "a.nii.gz", "a.mha", "a.nrrd"):
        sitk.WriteImage(image, str(tmp_path / name))
        assert storage_problem(tmp_path / name) is None
