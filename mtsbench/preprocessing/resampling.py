"""Volumes carried from one grid to another, by linear interpolation in patient space.

Where the target is coarser than 1.5 times the source along a source axis, the source is first
smoothed along that axis by a Gaussian with sigma = 0.5 * factor source voxels (half a target
voxel; truncated at 4 sigma; edges repeated), so that fine structure is averaged, not aliased.
`factor` is the target's spacing along the source axis, the sum over patient axes i of
u_i**2 * spacing_i for the axis' unit vector u, over the source's spacing.

A point counts as inside a volume up to half a voxel beyond its outermost voxel centres.
Every call runs on one thread: cases are what is done in parallel.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.preprocessing.geometry import box_of, covering, part_of
from mtsbench.volumes import Grid, Volume, bounding_box, to_sitk

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mtsbench.preprocessing.geometry import Point
    from mtsbench.preprocessing.settings import PreprocessingSettings

Sigma = tuple[float, float, float]  # voxels along (D, H, W)

COARSER = 1.5
SIGMA_PER_FACTOR = 0.5
TRUNCATE = 4.0
MASK_THRESHOLD = 0.5


def common_grid(centre: Point, settings: PreprocessingSettings) -> Grid:
    """The grid of the chosen size and spacing, along the patient axes, whose middle is `centre`."""
    extent = [(n - 1) * s for n, s in zip(settings.size, settings.spacing, strict=True)]
    x, y, z = (middle - length / 2 for middle, length in zip(centre, extent[::-1], strict=True))
    return Grid(size=settings.size, spacing=settings.spacing, origin=(x, y, z))


def resample_image(volume: Volume, target: Grid, *, outside: float) -> NDArray[np.float32]:
    """The image (D, H, W) on `target`; `outside` where the volume does not reach."""
    return _resample(volume, target, outside, _smooth)


def _resample(
    volume: Volume,
    target: Grid,
    outside: float,
    smooth: Callable[[NDArray[np.float32], Sigma], None],
) -> NDArray[np.float32]:
    sigma = _smoothing(volume.grid, target)
    margin = [math.ceil(TRUNCATE * width) + 2 for width in sigma]
    # Only the part that can matter: a whole-body scan is many times larger than the crop.
    needed = covering(volume.grid, box_of(target), margin)
    array = volume.array[needed].astype(np.float32)
    if array.size == 0:
        return np.full(target.size, outside, dtype=np.float32)
    smooth(array, sigma)
    return _interpolate(Volume(array=array, grid=part_of(volume.grid, needed)), target, outside)


def resample_mask(mask: Volume, target: Grid) -> NDArray[np.uint8]:
    """The mask (D, H, W) on `target`: 1 where the interpolated 0/1 mask is at least 0.5.

    The mask is smoothed like an image, so a voxel is tumour where about half of it was, and a
    small structure neither vanishes nor grows because of where the sample points fell.
    """
    share = _resample(mask, target, 0.0, _smooth_mask)
    return (share >= MASK_THRESHOLD).astype(np.uint8)


def native_probability(
    probability: NDArray[np.float32], grid: Grid, native: Grid
) -> NDArray[np.float32]:
    """A prediction carried back from the common grid to any other grid.

    Args:
        probability: (D, H, W) on `grid`.
        grid: The common grid of this case, `PreparedCase.grid`.
        native: Where it is wanted, e.g. the grid of the true mask; may be oblique.

    Returns:
        (D, H, W) on `native`, linearly interpolated; 0 outside the common grid.

    Raises:
        DataError: `probability` does not have the size of `grid`.
    """
    volume = Volume(array=probability.astype(np.float32, copy=False), grid=grid)
    result = np.zeros(native.size, dtype=np.float32)
    reached = covering(native, box_of(grid))
    if result[reached].size:
        result[reached] = _interpolate(volume, part_of(native, reached), 0.0)
    return result


def _smoothing(source: Grid, target: Grid) -> Sigma:
    """Sigma in source voxels along (D, H, W); 0 where no smoothing is needed."""
    # Columns are ITK axes x, y, z = W, H, D; rows and the target's axes are patient x, y, z.
    squared = np.reshape(source.direction, (3, 3)) ** 2
    wanted = (np.asarray(target.spacing)[::-1] @ squared)[::-1]
    # Rounded, because headers store spacings as float32: 3 mm over 2 mm is not "above 1.5".
    factor = np.round(wanted / np.asarray(source.spacing), 4)
    depth, height, width = np.where(factor > COARSER, SIGMA_PER_FACTOR * factor, 0.0)
    return float(depth), float(height), float(width)


def _smooth_mask(array: NDArray[np.float32], sigma: Sigma) -> None:
    """The same, about the tumour only: farther off, zeros stay zeros."""
    if array.any():
        reach = [math.ceil(TRUNCATE * width) + 1 for width in sigma]
        depth, height, width = (
            slice(max(0, edge.start - more), edge.stop + more)
            for edge, more in zip(bounding_box(array), reach, strict=True)
        )
        _smooth(array[depth, height, width], sigma)


def _smooth(array: NDArray[np.float32], sigma: Sigma) -> None:
    from scipy.ndimage import gaussian_filter1d

    for axis, width in enumerate(sigma):
        if width > 0:
            gaussian_filter1d(
                array, width, axis=axis, output=array, mode="nearest", truncate=TRUNCATE
            )


def _interpolate(volume: Volume, target: Grid, outside: float) -> NDArray[np.float32]:
    import SimpleITK as sitk

    source = Volume(array=volume.array, grid=_rounded(volume.grid))
    resample = sitk.ResampleImageFilter()
    resample.SetNumberOfThreads(1)
    resample.SetSize(tuple(reversed(target.size)))
    resample.SetOutputSpacing(tuple(reversed(target.spacing)))
    resample.SetOutputOrigin(target.origin)
    resample.SetOutputDirection(_rounded(target).direction)
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetOutputPixelType(sitk.sitkFloat32)
    resample.SetDefaultPixelValue(outside)
    array: NDArray[np.float32] = sitk.GetArrayFromImage(resample.Execute(to_sitk(source)))
    return array


def _rounded(grid: Grid) -> Grid:
    """The grid without direction cosines that are as good as 0.

    From a matrix with an entry such as 1e-312 ITK computes an inverse of NaN and then, without
    a word, finds that every voxel lies outside.
    """
    return replace(grid, direction=tuple(np.round(grid.direction, 12).tolist()))
