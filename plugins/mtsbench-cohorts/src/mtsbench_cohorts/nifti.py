"""Image files (NIfTI, MetaImage) as volumes, refused when they cannot be trusted."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError
from mtsbench.volumes import Volume, from_sitk
from mtsbench_cohorts.nifti_storage import storage_problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.volumes import Grid


def read_volume(path: Path, case_id: str) -> Volume:
    """A three-dimensional image with one finite number a voxel, on the file's own grid.

    Raises:
        DataError: The file is missing, cannot be read, is cut off, is not three-dimensional, holds
            vectors or complex numbers, or NaN or Inf; names case and file.
    """
    import SimpleITK as sitk

    if not path.is_file():
        raise DataError(f"case {case_id!r}: no file {path}; add it or exclude the case")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        cause = str(error).strip().splitlines()[-1].strip()
        raise DataError(
            f"case {case_id!r}: cannot read {path} as an image: {cause}. "
            "Write it anew as .nii.gz or exclude the case"
        ) from error
    if image.GetDimension() != 3:
        raise DataError(
            f"case {case_id!r}: {path} has {image.GetDimension()} dimensions "
            f"{image.GetSize()}; expected 3. Save the volume wanted as a file of its own"
        )
    if image.GetNumberOfComponentsPerPixel() != 1 or "complex" in image.GetPixelIDTypeAsString():
        raise DataError(
            f"case {case_id!r}: {path} holds {image.GetPixelIDTypeAsString()}; "
            "expected one real number a voxel"
        )
    problem = storage_problem(path)
    volume = from_sitk(image)
    broken = np.count_nonzero(~np.isfinite(volume.array))
    if problem is None and broken:
        problem = f"holds NaN or Inf in {broken} voxels"
    if problem is not None:
        raise DataError(f"case {case_id!r}: {path} {problem}. Repair or exclude the case")
    return volume


def read_mask(
    path: Path, case_id: str, *, tumour: Sequence[int] = (1,), background: Sequence[int] = (0,)
) -> Volume:
    """A label image as uint8 mask: 1 where the label is one of `tumour`; may be empty.

    Args:
        path: Image file.
        case_id: For messages.
        tumour: Labels that become 1.
        background: Labels that become 0.

    Raises:
        DataError: As `read_volume`, or a voxel has a label of neither list; names case and file.
    """
    volume = read_volume(path, case_id)
    mask = np.isin(volume.array, tumour)
    unknown = volume.array[~mask & ~np.isin(volume.array, background)]
    if unknown.size:
        raise DataError(
            f"case {case_id!r}: the mask {path} holds {unknown[0]:g} among {unknown.size} voxels "
            f"that are none of {sorted((*background, *tumour))}; expected {list(tumour)} for "
            "tumour. Relabel it, and resample masks with nearest neighbour"
        )
    return Volume(array=mask.astype(np.uint8), grid=volume.grid)


def share_space(first: Grid, second: Grid) -> bool:
    """Whether the boxes that two grids span along the patient axes have a volume in common."""
    (low, high), (other_low, other_high) = _box(first), _box(second)
    return bool((np.maximum(low, other_low) < np.minimum(high, other_high)).all())


def _box(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    depth, height, width = ((-0.5, count - 0.5) for count in grid.size)
    corners = np.array([grid.to_patient(corner) for corner in product(depth, height, width)])
    return corners.min(axis=0), corners.max(axis=0)
