"""Distances in mm between the surfaces of predicted and true tumour masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.directed import Directed, larger_percentile
from mtsbench.metrics.shapes import check_masks
from mtsbench.metrics.surfels import surfel_areas
from mtsbench.volumes import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.volumes import Grid

ROUNDING = 1e-9  # mm: three steps of 0.7 mm are within 2.1 mm


def hausdorff_95(predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid) -> float:
    """95th percentile Hausdorff distance in mm: the larger of the two directed percentiles.

    Between centres of border voxels (6-connected, the edge of the image counts as background).
    Where nothing was predicted it is the diagonal of the image, so that missing a tumour is never
    better than a bad contour. medpy pools both directions, surface-distance weights by area, and
    MONAI gives nan for an empty prediction.

    Args:
        predicted: (D, H, W).
        mask: (D, H, W).
        grid: Of both; its spacing is in mm.

    Raises:
        UndefinedMetricError: The true mask is empty.
        ValueError: As `shapes.check_masks`.

    Source: Maier-Hein et al., Nat Methods 21 (2024) 195, "HD95"; MONAI 1.6.1.
    """
    check_masks(predicted, mask)
    _needs_tumour(mask)
    if not predicted.any():
        return diagonal(grid)
    borders = _border(predicted), _border(mask)
    spacing = np.asarray(grid.spacing, dtype=np.float64)
    return larger_percentile(
        [
            Directed(points=borders[a], others=borders[b], spacing=spacing)
            for a, b in ((0, 1), (1, 0))
        ]
    )


def surface_dice(
    predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid, *, tolerance: float
) -> float:
    """Share of both surfaces, by area, that lies within `tolerance` mm of the other.

    Surfaces run between voxel centres and their elements have areas; counting border voxels
    instead, as MONAI does by default, gave 0.571 where this gives 0.793. 0 where nothing was
    predicted.

    Args:
        predicted: (D, H, W).
        mask: (D, H, W).
        grid: Of both; its spacing is in mm.
        tolerance: mm; state why this much does not matter.

    Raises:
        UndefinedMetricError: The true mask is empty.
        ValueError: As `shapes.check_masks`.

    Source: Nikolov et al., JMIR 23 (2021) e26151; DeepMind surface-distance.
    """
    check_masks(predicted, mask)
    _needs_tumour(mask)
    if not predicted.any():
        return 0.0
    first, second = surfel_areas(predicted, grid.spacing), surfel_areas(mask, grid.spacing)
    within = total = 0.0
    for (points, areas), (others, _) in ((first, second), (second, first)):
        near = _near(points, others, tolerance + ROUNDING)
        within += float(areas[near].sum())
        total += float(areas.sum())
    return within / total


def diagonal(grid: Grid) -> float:
    """Length of the image's diagonal in mm."""
    return float(np.linalg.norm(np.multiply(grid.size, grid.spacing)))


def _needs_tumour(mask: NDArray[np.bool_]) -> None:
    if not mask.any():
        raise UndefinedMetricError("the true mask is empty")


def _border(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(P, 3) indices of the voxels of a mask that touch its outside by a face."""
    box = bounding_box(mask)
    padded = np.pad(mask[box], 1)
    inside = padded[1:-1, 1:-1, 1:-1]
    core = inside.copy()
    for axis in range(3):
        for start in (0, 2):
            beside = [slice(1, -1)] * 3
            beside[axis] = slice(start, start + inside.shape[axis])
            core &= padded[tuple(beside)]
    return np.asarray(np.argwhere(inside & ~core) + [edge.start for edge in box])


def _near(
    points: NDArray[np.float64], others: NDArray[np.float64], reach: float
) -> NDArray[np.bool_]:
    """(P,) whether another point lies within `reach` mm of each point."""
    near = _about(points, others, reach)
    tree = KDTree(others[_about(others, points, reach)])
    near[near] = np.isfinite(tree.query(points[near], distance_upper_bound=reach)[0])
    return near


def _about(
    points: NDArray[np.float64], others: NDArray[np.float64], reach: float
) -> NDArray[np.bool_]:
    """(P,) whether each point lies in the box of the others, widened by `reach` mm."""
    low, high = others.min(axis=0) - reach, others.max(axis=0) + reach
    return np.asarray(((points >= low) & (points <= high)).all(axis=1))
