"""Boxes in patient space, and which voxels of a grid lie in them.

A box is an array (2, 3): lowest and highest patient coordinates (x, y, z) mm. A volume's box
reaches half a voxel beyond its outermost voxel centres; an oblique volume's box is the smallest
one along the patient axes that holds it.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.volumes import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Slices = tuple[slice, slice, slice]
Point = tuple[float, float, float]


def box_of(grid: Grid) -> NDArray[np.float64]:
    """The box of a grid."""
    depth, height, width = ((-0.5, count - 0.5) for count in grid.size)
    return _bounds([grid.to_patient(corner) for corner in product(depth, height, width)])


def intersection(boxes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """The box that all boxes share; None where they share no volume."""
    low = np.max([box[0] for box in boxes], axis=0)
    high = np.min([box[1] for box in boxes], axis=0)
    return np.array([low, high]) if (low < high).all() else None


def covering(grid: Grid, box: NDArray[np.float64], margin: Sequence[int] = (0, 0, 0)) -> Slices:
    """The voxels of `grid` that reach into `box`, and `margin` more along (D, H, W).

    Any of the slices may be empty, where the grid lies beside the box.
    """
    corners = [to_index(grid, (x, y, z)) for x, y, z in product(*box.T)]
    low, high = _bounds(corners)
    first = np.clip(np.floor(low + 0.5) - margin, 0, grid.size).astype(int)
    stop = np.clip(np.ceil(high + 0.5) + margin, first, grid.size).astype(int)
    depth, height, width = (slice(int(a), int(b)) for a, b in zip(first, stop, strict=True))
    return depth, height, width


def part_of(grid: Grid, slices: Slices) -> Grid:
    """The grid of the voxels that `slices` selects."""
    depth, height, width = slices
    return Grid(
        size=(
            depth.stop - depth.start,
            height.stop - height.start,
            width.stop - width.start,
        ),
        spacing=grid.spacing,
        origin=grid.to_patient((depth.start, height.start, width.start)),
        direction=grid.direction,
    )


def to_index(grid: Grid, point: Point) -> Point:
    """The fractional voxel index (d, h, w) of a patient point: the inverse of `to_patient`."""
    direction = np.reshape(grid.direction, (3, 3))
    steps = np.linalg.solve(direction, np.subtract(point, grid.origin))
    d, h, w = steps[::-1] / np.asarray(grid.spacing)
    return float(d), float(h), float(w)


def _bounds(points: Sequence[Point]) -> NDArray[np.float64]:
    return np.array([np.min(points, axis=0), np.max(points, axis=0)])
