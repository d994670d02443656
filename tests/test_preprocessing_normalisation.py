from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mtsbench.errors import DataError
from mtsbench.preprocessing.normalisation import ChannelStatistics, learn_statistics, normalise

WINDOW = (-1024.0, 1024.0)
CROPS = st.lists(
    hnp.arrays(np.float32, (2, 2, 3, 2), elements=st.floats(-100, 100, width=32)),
    min_size=1,
    max_size=5,
).filter(lambda crops: np.concatenate([crop[0].ravel() for crop in crops]).std() > 1e-3)


@given(crops=CROPS)
def test_statistics_are_those_of_all_voxels_together(crops):
    (pet,) = learn_statistics(crops, ("pet_suv", "ct_hu"))

    voxels = np.concatenate([crop[0].ravel() for crop in crops]).astype(np.float64)
    assert pet.channel == "pet_suv"
    assert pet.mean == pytest.approx(voxels.mean(), abs=1e-9)
    assert pet.sd == pytest.approx(voxels.std(), rel=1e-9)


def test_sums_stay_exact_far_from_zero():
    rng = np.random.default_rng(0)
    crops = [(1e4 + rng.normal(size=(1, 8, 8, 8))).astype(np.float32) for _ in range(20)]

    (statistics,) = learn_statistics(crops, ("mr_t2",))

    assert statistics.sd == pytest.approx(np.stack(crops).astype(np.float64).std(), rel=1e-9)


def test_ct_learns_nothing_and_any_other_channel_does():
    rng = np.random.default_rng(0)
    crops = [rng.normal(size=(3, 4, 4, 4)).astype(np.float32)]

    learnt = learn_statistics(crops, ("ct_hu", "mr_t1", "pet_suv"))

    assert [statistics.channel for statistics in learnt] == ["mr_t1", "pet_suv"]


def test_a_constant_channel_is_refused():
    crops = [np.ones((1, 4, 4, 4), np.float32)] * 2

    with pytest.raises(
        DataError, match=r"channel 'pet_suv': mean 1 and SD 0 .* expected .* SD > 0"
    ):
        learn_statistics(crops, ("pet_suv",))


@given(crops=CROPS)
def test_training_voxels_become_mean_zero_and_sd_one(crops):
    channels = ("pet_suv", "ct_hu")
    statistics = learn_statistics(crops, channels)

    images = [crop.copy() for crop in crops]
    for image in images:
        normalise(image, channels, statistics, WINDOW)

    pet = np.concatenate([image[0].ravel() for image in images]).astype(np.float64)
    tolerance = 1e-5 * (1 + abs(statistics[0].mean)) / statistics[0].sd + 1e-5
    assert pet.mean() == pytest.approx(0.0, abs=tolerance)
    assert pet.std() == pytest.approx(1.0, abs=tolerance)


def test_ct_is_clipped_and_mapped_to_minus_one_and_one():
    image = np.array([-3024.0, -1024.0, 0.0, 512.0, 1024.0, 3071.0], np.float32)[None, None, None]

    normalise(image, ("ct_hu",), (), WINDOW)

    assert image.ravel().tolist() == [-1.0, -1.0, 0.0, 0.5, 1.0, 1.0]


def test_another_window_has_its_own_ends():
    image = np.array([-200.0, -160.0, 40.0, 240.0, 900.0], np.float32)[None, None, None]

    normalise(image, ("ct_hu",), (), (-160.0, 240.0))

    assert image.ravel().tolist() == [-1.0, -1.0, 0.0, 1.0, 1.0]


def test_each_channel_gets_its_own_statistics():
    image = np.stack([np.full((1, 1, 1), 6.0), np.full((1, 1, 1), 6.0)]).astype(np.float32)
    statistics = (
        ChannelStatistics(channel="pet_suv", mean=2.0, sd=2.0),
        ChannelStatistics(channel="mr_t1", mean=6.0, sd=9.0),
    )

    normalise(image, ("mr_t1", "pet_suv"), statistics, WINDOW)

    assert image.ravel().tolist() == [0.0, 2.0]
