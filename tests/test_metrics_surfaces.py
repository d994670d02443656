from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, gaussian_filter
from scipy.spatial import KDTree

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.surfaces import ROUNDING, diagonal, hausdorff_95, surface_dice
from mtsbench.metrics.surfels import area_of_code, surfel_areas
from mtsbench.volumes import Grid


def blobs(seed: int) -> tuple[np.ndarray, np.ndarray, Grid, float]:
    """Two similar irregular masks, their grid, and a tolerance in mm."""
    random = np.random.default_rng(seed)
    field = gaussian_filter(random.normal(size=(14, 16, 18)), 2)
    other = field + 0.6 * gaussian_filter(random.normal(size=field.shape), 2)
    spacing = tuple(random.uniform(0.6, 3, 3).round(2).tolist())
    return field > 0.04, other > 0.05, Grid(size=field.shape, spacing=spacing), 1.0 + seed % 3


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore")  # MONAI warns of itself
def test_distances_of_irregular_masks_are_those_of_monai(seed):
    import torch
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    mask, predicted, grid, tolerance = blobs(seed)
    given = {"include_background": True, "spacing": list(grid.spacing)}
    both = [torch.tensor(one[None, None].astype(np.float32)) for one in (predicted, mask)]

    surface = compute_surface_dice(*both, [tolerance], use_subvoxels=True, **given)
    distance = compute_hausdorff_distance(*both, percentile=95, **given)

    assert surface_dice(predicted, mask, grid, tolerance=tolerance) == pytest.approx(
        float(surface), abs=1e-6
    )
    assert hausdorff_95(predicted, mask, grid) == pytest.approx(float(distance), rel=1e-6)


def test_both_are_symmetric_and_perfect_for_equal_masks():
    mask, predicted, grid, tolerance = blobs(0)

    assert hausdorff_95(predicted, mask, grid) == hausdorff_95(mask, predicted, grid) > 0
    assert surface_dice(predicted, mask, grid, tolerance=tolerance) == pytest.approx(
        surface_dice(mask, predicted, grid, tolerance=tolerance)
    )
    assert hausdorff_95(mask, mask, grid) == 0
    assert surface_dice(mask, mask, grid, tolerance=0.1) == 1


def test_the_background_around_the_masks_does_not_matter():
    mask, predicted, grid, tolerance = blobs(1)
    mask, predicted = (np.pad(one, ((3, 3), (0, 0), (5, 5))) for one in (mask, predicted))
    padded, wider = (np.pad(one, 4) for one in (mask, predicted))

    assert hausdorff_95(predicted, mask, grid) == pytest.approx(hausdorff_95(wider, padded, grid))
    assert surface_dice(predicted, mask, grid, tolerance=tolerance) == pytest.approx(
        surface_dice(wider, padded, grid, tolerance=tolerance)
    )


def test_a_missed_tumour_costs_the_diagonal_of_the_image():
    mask, _, grid, tolerance = blobs(2)
    nothing = np.zeros_like(mask)

    assert hausdorff_95(nothing, mask, grid) == diagonal(grid)
    assert surface_dice(nothing, mask, grid, tolerance=tolerance) == 0
    assert diagonal(Grid(size=(3, 4, 1), spacing=(1.0, 1.0, 0.0))) == 5


def test_without_tumour_both_are_undefined():
    _, predicted, grid, tolerance = blobs(2)
    nothing = np.zeros_like(predicted)

    with pytest.raises(UndefinedMetricError, match="the true mask is empty"):
        hausdorff_95(predicted, nothing, grid)
    with pytest.raises(UndefinedMetricError, match="the true mask is empty"):
        surface_dice(predicted, nothing, grid, tolerance=tolerance)


def test_a_shift_by_the_tolerance_is_within_it_despite_rounding():
    mask, shifted = np.zeros((9, 5, 5), np.bool_), np.zeros((9, 5, 5), np.bool_)
    mask[1:4, 1:4, 1:4], shifted[4:7, 1:4, 1:4] = True, True
    grid = Grid(size=(9, 5, 5), spacing=(0.7, 1.0, 1.0))

    assert surface_dice(shifted, mask, grid, tolerance=2.1) == 1


def test_the_faces_of_a_large_box_have_its_area():
    mask = np.zeros((30, 40, 50), np.bool_)
    mask[5:25, 5:35, 5:45] = True

    _, areas = surfel_areas(mask, (2.0, 1.0, 0.5))

    sides = 40.0, 30.0, 20.0
    area = 2 * (sides[0] * sides[1] + sides[0] * sides[2] + sides[1] * sides[2])
    assert areas.sum() == pytest.approx(area, rel=0.06)  # edges and corners are cut off


def test_a_mask_and_its_complement_have_the_same_surface():
    areas = area_of_code((3.0, 1.5, 0.7))

    assert areas == pytest.approx(areas[::-1])
    assert (areas[0], areas[255]) == (0, 0)
    assert (areas[1:255] > 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_no_shortcut_changes_a_bit(seed):
    """The plain way: erosion for the border, and every distance of both directions."""
    mask, predicted, grid, tolerance = blobs(seed)
    if seed % 2:
        predicted = np.ones_like(predicted)  # an untrained network's mask
    borders = [np.argwhere(one & ~binary_erosion(one)) * grid.spacing for one in (predicted, mask)]
    surfels = [surfel_areas(one, grid.spacing) for one in (predicted, mask)]

    distances = [KDTree(borders[1 - a]).query(borders[a])[0] for a in (0, 1)]
    within = total = 0.0
    for a in (0, 1):
        (points, areas), (others, _) = surfels[a], surfels[1 - a]
        near = KDTree(others).query(points, distance_upper_bound=tolerance + ROUNDING)[0] < np.inf
        within += float(areas[near].sum())
        total += float(areas.sum())

    assert hausdorff_95(predicted, mask, grid) == max(np.percentile(one, 95) for one in distances)
    assert surface_dice(predicted, mask, grid, tolerance=tolerance) == within / total


def test_surfaces_far_apart_have_nothing_in_common():
    mask = np.zeros((30, 12, 12), np.bool_)
    predicted = mask.copy()
    mask[2:5, 3:6, 3:6] = predicted[24:27, 3:6, 3:6] = True
    grid = Grid(size=mask.shape, spacing=(2.0, 1.0, 1.0))

    assert surface_dice(predicted, mask, grid, tolerance=3.0) == 0
    assert hausdorff_95(predicted, mask, grid) == 44
