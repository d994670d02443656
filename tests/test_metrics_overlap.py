from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.overlap import EmptyMasks, Overlap, aggregated_dice, empty_masks, overlap
from mtsbench.volumes import Grid

CASES = [
    Overlap(true=2, predicted=2, both=2, voxel=4.0),
    Overlap(true=2, predicted=0, both=0, voxel=1.0),
    Overlap(true=0, predicted=4, both=0, voxel=0.5),
    Overlap(true=0, predicted=0, both=0, voxel=1.0),
]


def test_masks_are_counted_in_voxels_of_so_many_millilitres():
    mask, predicted = np.zeros((2, 10, 10), np.bool_), np.zeros((2, 10, 10), np.bool_)
    mask[0], predicted[:, :5] = True, True

    found = overlap(predicted, mask, Grid(size=(2, 10, 10), spacing=(3.0, 2.0, 1.0)))

    assert found == Overlap(true=100, predicted=100, both=50, voxel=0.006)
    assert found.intersection_over_union() == pytest.approx(1 / 3)
    assert found.volume_error() == 0


def test_aggregated_dice_pools_volumes_and_counts_false_alarms():
    assert aggregated_dice(CASES) == 2 * 8 / (8 + 8 + 2 + 2)


def test_aggregated_dice_of_empty_masks_is_undefined():
    with pytest.raises(UndefinedMetricError, match="all true and predicted masks of 1 cases"):
        aggregated_dice(CASES[3:])


def test_every_empty_mask_is_counted():
    assert empty_masks(CASES) == EmptyMasks(
        scored=2, missed=1, false_alarms=1, false_alarm_volume=2.0, rightly_empty=1
    )


def test_a_missed_tumour_scores_worst_and_is_never_left_out():
    missed = CASES[1]

    assert (missed.dice(), missed.intersection_over_union()) == (0, 0)
    assert (missed.volume_error(), missed.relative_volume_error()) == (-2, -1)


@pytest.mark.parametrize("name", ["dice", "intersection_over_union", "relative_volume_error"])
def test_without_tumour_there_is_no_overlap(name):
    with pytest.raises(UndefinedMetricError, match="the true mask is empty"):
        getattr(CASES[2], name)()
