from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra.numpy import arrays

from mtsbench.interfaces import CaseMetric
from mtsbench.metrics.segmentation import Dice
from mtsbench.volumes import Grid

GRID = Grid(size=(2, 3, 4), spacing=(3.0, 1.0, 1.0))
masks = arrays(np.bool_, GRID.size)


def box(low, high):
    mask = np.zeros((24, 24, 24), np.bool_)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def ball(radius):
    """In (20, 48, 48) voxels of 2.5 x 1 x 1 mm around (24, 24, 24) mm."""
    axes = (np.arange(20) * 2.5, np.arange(48), np.arange(48))
    return sum((axis - 24) ** 2 for axis in np.meshgrid(*axes, indexing="ij")) <= radius**2


CUBE, BIG_CUBE = box((6, 6, 6), (12, 12, 12)), box((6, 6, 6), (14, 14, 14))
PAIRS = {
    "identical_cube": (CUBE, CUBE),
    "shift_2_voxels_x": (CUBE, box((8, 6, 6), (14, 12, 12))),
    "shift_1_voxel_z_aniso_3x1x1": (CUBE, box((7, 6, 6), (13, 12, 12))),
    "single_voxels_distance_5": (box((5, 5, 5), (6, 6, 6)), box((5, 5, 10), (6, 6, 11))),
    "cube_plus_far_voxel": (BIG_CUBE, BIG_CUBE | box((22, 22, 22), (23, 23, 23))),
    "touches_image_border": (box((0, 6, 6), (6, 12, 12)), box((0, 6, 6), (7, 12, 12))),
    "ball_r10_vs_r8_aniso_2.5x1x1": (ball(10), ball(8)),
    "prediction_empty": (CUBE, np.zeros_like(CUBE)),
    "reference_empty": (np.zeros_like(CUBE), CUBE),
    "both_empty": (np.zeros_like(CUBE), np.zeros_like(CUBE)),
}


def test_every_pair_of_the_oracle_is_here(oracle):
    assert PAIRS.keys() == oracle("segmentation")["cases"].keys()


@pytest.mark.parametrize("name", PAIRS)
def test_dice_is_that_of_other_libraries(oracle, name):
    mask, predicted = PAIRS[name]
    expected = oracle("segmentation")["cases"][name]
    assert [mask.sum(), predicted.sum()] == expected["voxels"]
    grid = Grid(size=mask.shape, spacing=tuple(expected["spacing"]))

    score = Dice().per_case(predicted, mask, grid)

    if mask.any():
        assert score.value == pytest.approx(expected["dice"], abs=1e-12)
    else:
        assert score.value is None
        assert score.reason == "the true mask is empty"


@given(one=masks, other=masks)
def test_dice_is_symmetric_and_between_none_and_all(one, other):
    assume(one.any() and other.any())

    score = Dice().per_case(one, other, GRID).value

    assert score == Dice().per_case(other, one, GRID).value
    assert 0 <= score <= 1
    assert (score == 1) == bool((one == other).all())
    assert (score == 0) == (not (one & other).any())


def test_dice_is_a_metric_of_cases():
    assert isinstance(Dice(), CaseMetric)
    assert Dice().higher_is_better
