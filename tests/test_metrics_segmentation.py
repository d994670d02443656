from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.extra.numpy import arrays

from mtsbench.capabilities import is_patient_metric
from mtsbench.metrics.segmentation import Detection, Dice, Hausdorff95, SurfaceDice, VolumeError
from mtsbench.metrics.surfaces import diagonal
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

    score = Dice().per_patient(predicted, mask, grid)

    if mask.any():
        assert score.value == pytest.approx(expected["dice"], abs=1e-12)
    else:
        assert score.value is None
        assert score.reason == "the true mask is empty"


@given(one=masks, other=masks)
def test_dice_is_symmetric_and_between_none_and_all(one, other):
    assume(one.any() and other.any())

    score = Dice().per_patient(one, other, GRID).value

    assert score == Dice().per_patient(other, one, GRID).value
    assert 0 <= score <= 1
    assert (score == 1) == bool((one == other).all())
    assert (score == 0) == (not (one & other).any())


def test_dice_is_a_metric_of_cases():
    assert is_patient_metric(Dice())
    assert Dice().higher_is_better


METRICS = {
    "dice": Dice(),
    "hd95": Hausdorff95(),
    "surface-dice": SurfaceDice(2.0),
    "volume-error": VolumeError(),
    "detection": Detection(0.3),
}
CUBE_GRID = Grid(size=CUBE.shape, spacing=(1.0, 1.0, 1.0))


def scores(name: str) -> dict[str, object]:
    mask, predicted = PAIRS[name]
    return {key: one.per_patient(predicted, mask, CUBE_GRID) for key, one in METRICS.items()}


@pytest.mark.parametrize("name", ["reference_empty", "both_empty"])
def test_without_tumour_only_the_volume_is_scored(name):
    found = scores(name)

    assert found.pop("volume-error").value == (0.216 if name == "reference_empty" else 0)
    assert {score.reason for score in found.values()} == {"the true mask is empty"}


def test_a_missed_tumour_is_scored_and_never_left_out():
    found = {key: score.value for key, score in scores("prediction_empty").items()}

    assert found == {
        "dice": 0,
        "hd95": diagonal(CUBE_GRID),
        "surface-dice": 0,
        "volume-error": pytest.approx(0.216),
        "detection": 0,
    }


def test_a_shift_is_scored_in_mm_and_counts_as_found_while_a_third_overlaps():
    found = {key: score.value for key, score in scores("shift_2_voxels_x").items()}

    assert found["dice"] == pytest.approx(2 / 3)
    assert (found["hd95"], found["surface-dice"], found["detection"]) == (2, 1, 1)
    assert found["volume-error"] == 0
    mask, predicted = PAIRS["shift_2_voxels_x"]
    assert Detection(0.5).per_patient(predicted, mask, CUBE_GRID).value == 0


@pytest.mark.parametrize("name", METRICS)
def test_each_is_a_metric_of_cases_and_better_for_the_true_mask(name):
    metric = METRICS[name]
    mask, predicted = PAIRS["cube_plus_far_voxel"][0], CUBE
    perfect = metric.per_patient(mask, mask, CUBE_GRID).value
    worse = metric.per_patient(predicted, mask, CUBE_GRID).value

    assert is_patient_metric(metric)
    assert perfect >= worse if metric.higher_is_better else perfect < worse
