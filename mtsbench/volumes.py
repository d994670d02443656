"""Image volumes in patient space: an array and the grid it lies on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError

if TYPE_CHECKING:
    import SimpleITK as sitk
    from numpy.typing import NDArray

IDENTITY_DIRECTION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where the voxels of a volume lie in patient space.

    Attributes:
        size: Voxels along (D, H, W).
        spacing: mm between voxel centres along (D, H, W).
        origin: Centre of voxel (0, 0, 0) in patient coordinates (x, y, z) mm, LPS as in ITK.
        direction: ITK direction cosines, row-major 3x3; column k is the patient-space unit
            vector of ITK axis k (x = W, y = H, z = D).
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = IDENTITY_DIRECTION

    def centre(self) -> tuple[float, float, float]:
        """Patient coordinates (x, y, z) mm of the middle of the grid."""
        middle = [(count - 1) / 2 for count in self.size]
        return self.to_patient((middle[0], middle[1], middle[2]))

    def to_patient(self, index: tuple[float, float, float]) -> tuple[float, float, float]:
        """Patient coordinates (x, y, z) mm of a (possibly fractional) voxel index (d, h, w)."""
        steps = np.asarray(index, dtype=np.float64)[::-1] * np.asarray(self.spacing)[::-1]
        point = np.asarray(self.origin) + np.reshape(self.direction, (3, 3)) @ steps
        return float(point[0]), float(point[1]), float(point[2])

    def same_space(self, other: Grid, tolerance: float = 1e-3) -> bool:
        """Whether both grids put every voxel at the same place, to a tolerance in mm."""
        return (
            self.size == other.size
            and np.allclose(self.spacing, other.spacing, atol=tolerance)
            and np.allclose(self.origin, other.origin, atol=tolerance)
            and np.allclose(self.direction, other.direction, atol=tolerance)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """One image channel or mask.

    Attributes:
        array: (D, H, W); any numeric type for images, uint8 or bool for masks.
        grid: Geometry of `array`.

    Raises:
        DataError: The array's shape is not the grid's size.
    """

    array: NDArray[np.generic]
    grid: Grid

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.size:
            raise DataError(
                f"volume array has shape {self.array.shape} but its grid has size "
                f"{self.grid.size}; they must be equal"
            )


def bounding_box(mask: NDArray[np.generic]) -> tuple[slice, slice, slice]:
    """The smallest box (D, H, W) of voxels that holds a mask, which must not be empty."""
    tumour = mask.astype(np.bool_, copy=False)
    plane = np.any(tumour, axis=0)
    depth, height, width = (
        np.flatnonzero(present)
        for present in (tumour.any(axis=(1, 2)), plane.any(axis=1), plane.any(axis=0))
    )
    return (
        slice(int(depth[0]), int(depth[-1]) + 1),
        slice(int(height[0]), int(height[-1]) + 1),
        slice(int(width[0]), int(width[-1]) + 1),
    )


def to_sitk(volume: Volume) -> sitk.Image:
    """The same volume as a SimpleITK image (bool masks become uint8)."""
    import SimpleITK as sitk

    array = volume.array.astype(np.uint8) if volume.array.dtype == np.bool_ else volume.array
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(tuple(reversed(volume.grid.spacing)))
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    return image


def from_sitk(image: sitk.Image) -> Volume:
    """The volume that a three-dimensional SimpleITK image holds."""
    import SimpleITK as sitk

    width, height, depth = image.GetSize()
    spacing_x, spacing_y, spacing_z = image.GetSpacing()
    origin_x, origin_y, origin_z = image.GetOrigin()
    grid = Grid(
        size=(depth, height, width),
        spacing=(spacing_z, spacing_y, spacing_x),
        origin=(origin_x, origin_y, origin_z),
        direction=tuple(image.GetDirection()),
    )
    return Volume(array=sitk.GetArrayFromImage(image), grid=grid)
