"""What simulated anatomy is painted on: two property maps and the mm axes of the head.

Head coordinates are mm from the middle of the nasopharynx: x to the patient's left, y to the
back, z to the top, as in ITK's patient coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.volumes import Grid

Point = tuple[float, float, float]
Slices = tuple[slice, slice, slice]


class Tissue(NamedTuple):
    """What the scanners see of a tissue: CT number and standardised uptake value."""

    hu: float
    suv: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Canvas:
    """A head in the making.

    Attributes:
        x: (1, 1, W) head coordinates of the voxels, as are y and z.
        y: (1, H, 1).
        z: (D, 1, 1).
        hu: (D, H, W) CT numbers.
        suv: (D, H, W) uptake.
        spacing: mm between voxels along (D, H, W), in the patient, whatever the head's scale.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    hu: NDArray[np.float32]
    suv: NDArray[np.float32]
    spacing: tuple[float, float, float]

    @property
    def voxel_volume(self) -> float:
        """Of one voxel, ml."""
        depth, height, width = self.spacing
        return depth * height * width / 1000

    def box(self, centre: Point, reach: Point) -> Slices:
        """The voxels within `reach` mm (x, y, z) of `centre`; may be empty at the edge."""
        slices = []
        for axis, middle, length in zip(
            (self.z, self.y, self.x), centre[::-1], reach[::-1], strict=True
        ):
            first, stop = np.searchsorted(axis.ravel(), [middle - length, middle + length])
            slices.append(slice(int(first), int(stop)))
        return slices[0], slices[1], slices[2]

    def quadric(self, box: Slices, centre: Point, radii: Point) -> NDArray[np.float32]:
        """((x - cx) / rx)^2 + ... in a box: below 1 inside the ellipsoid."""
        x, y, z = self.offsets(box, centre)
        rx, ry, rz = (np.float32(radius) for radius in radii)
        result: NDArray[np.float32] = (x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2
        return result

    def offsets(
        self, box: Slices, centre: Point
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Open axes (x, y, z) of a box, from `centre`."""
        cx, cy, cz = (np.float32(value) for value in centre)
        depth, height, width = box
        return self.x[:, :, width] - cx, self.y[:, height] - cy, self.z[depth] - cz

    def paint(self, box: Slices, where: NDArray[np.bool_], tissue: Tissue) -> None:
        """Put a tissue where `where` (of the box's shape) is true."""
        self.hu[box][where] = tissue.hu
        self.suv[box][where] = tissue.suv

    def ellipsoid(self, centre: Point, radii: Point, tissue: Tissue) -> None:
        """Put a tissue in an ellipsoid."""
        box = self.box(centre, radii)
        self.paint(box, self.quadric(box, centre, radii) < 1, tissue)


def blank_canvas(grid: Grid, nasopharynx: Point, scale: float) -> Canvas:
    """Air on a grid along the patient axes.

    Args:
        grid: Voxels to paint on; its directions are the patient axes.
        nasopharynx: Patient coordinates (x, y, z) of its middle, the head's origin.
        scale: Size of this head over the reference head.
    """
    axes = [
        ((start + step * np.arange(count) - middle) / scale).astype(np.float32)
        for start, step, count, middle in zip(
            grid.origin, grid.spacing[::-1], grid.size[::-1], nasopharynx, strict=True
        )
    ]
    return Canvas(
        x=axes[0][None, None, :],
        y=axes[1][None, :, None],
        z=axes[2][:, None, None],
        hu=np.full(grid.size, -1000.0, dtype=np.float32),
        suv=np.full(grid.size, 0.02, dtype=np.float32),
        spacing=grid.spacing,
    )


def random_field(
    random: np.random.Generator, shape: tuple[int, ...], sigma: tuple[float, ...]
) -> NDArray[np.float32]:
    """Smooth Gaussian noise of mean 0 and SD 1, periodic at the volume's edges.

    Args:
        random: Source of the white noise.
        shape: (D, H, W).
        sigma: Of the smoothing Gaussian, voxels along (D, H, W).
    """
    from scipy.ndimage import gaussian_filter1d

    field = random.standard_normal(shape, dtype=np.float32)
    for axis, width in enumerate(sigma):
        gaussian_filter1d(field, width, axis=axis, output=field, mode="wrap", truncate=3.0)
    field -= field.mean()
    field /= field.std()
    return field
