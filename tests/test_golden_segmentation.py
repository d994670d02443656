"""Masks against the definitions of their scores."""

from __future__ import annotations

import numpy as np
import pytest
from golden_values import near, read

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.overlap import overlap
from mtsbench.metrics.surfaces import hausdorff_95, surface_dice
from mtsbench.volumes import Grid


def box(low, high, shape=(24, 24, 24)) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def ball(radius: float) -> np.ndarray:
    axes = (np.arange(20) * 2.5, np.arange(48), np.arange(48))
    return sum((axis - 24) ** 2 for axis in np.meshgrid(*axes, indexing="ij")) <= radius**2


CUBE, BIG, NONE = box((6,) * 3, (12,) * 3), box((6,) * 3, (14,) * 3), box((0,) * 3, (0,) * 3)
PAIRS = {
    "identical_cube": (CUBE, CUBE),
    "shift_2_voxels_x": (CUBE, box((8, 6, 6), (14, 12, 12))),
    "shift_1_voxel_z_aniso_3x1x1": (CUBE, box((7, 6, 6), (13, 12, 12))),
    "single_voxels_distance_5": (box((5, 5, 5), (6, 6, 6)), box((5, 5, 10), (6, 6, 11))),
    "cube_plus_far_voxel": (BIG, BIG | box((22,) * 3, (23,) * 3)),
    "touches_image_border": (box((0, 6, 6), (6, 12, 12)), box((0, 6, 6), (7, 12, 12))),
    "ball_r10_vs_r8_aniso_2.5x1x1": (ball(10), ball(8)),
    "prediction_empty": (CUBE, NONE),
    "reference_empty": (NONE, CUBE),
    "both_empty": (NONE, NONE),
}


@pytest.mark.parametrize("name", read("segmentation")["cases"])
def test_masks_score_as_their_definitions_say(name):
    case = read("segmentation")["cases"][name]
    mask, found = PAIRS[name]
    grid = Grid(size=mask.shape, spacing=tuple(case["spacing"]))
    expected, libraries = case["reference_impl"], case["libraries"]
    assert mask.shape == tuple(case["shape"])
    assert mask.sum() == case["reference"]["voxels"]
    assert found.sum() == case["prediction"]["voxels"]

    volumes = overlap(found, mask, grid)

    near(1000 * volumes.true * volumes.voxel, expected["vol_gt_mm3"])
    near(1000 * volumes.predicted * volumes.voxel, expected["vol_pr_mm3"])
    if not mask.any():
        for undefined in (
            volumes.dice,
            volumes.relative_volume_error,
            lambda: hausdorff_95(found, mask, grid),
            lambda: surface_dice(found, mask, grid, tolerance=case["tau"]),
        ):
            with pytest.raises(UndefinedMetricError, match="the true mask is empty"):
                undefined()
        return
    near(volumes.dice(), expected["dice"])
    near(volumes.relative_volume_error(), expected["rvd"])
    surface = surface_dice(found, mask, grid, tolerance=case["tau"])
    if not found.any():
        assert (surface, hausdorff_95(found, mask, grid)) == (0.0, 24 * 3**0.5)
        return
    near(surface, libraries["nsd"]["surface_distance"])
    near(surface, libraries["nsd"]["monai_use_subvoxels"], 1e-6)  # MONAI computes in float32
    near(hausdorff_95(found, mask, grid), expected["hd95_max_of_directed"])
    near(hausdorff_95(found, mask, grid), libraries["hd95"]["monai"], 1e-6)
