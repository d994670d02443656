"""Times equal but for rounding; the rule is that of R's survival::aeqSurv."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.tied_times import merge_equal_times, time_rounding


def test_times_that_differ_by_rounding_become_the_smallest_of_them():
    time = np.array([0.7000000000000001, 0.30000000000000004, 0.3, 0.7, 1.1])

    assert merge_equal_times(time).tolist() == [0.7, 0.3, 0.3, 0.7, 1.1]


def test_times_that_differ_by_more_come_back_as_they_were():
    time = np.array([730.0, 365.25, 1.0, 365.25001])

    assert merge_equal_times(time) is time


# The rule of aeqSurv in R's survival 3.5: it ties a difference of at most sqrt(eps) = 1.490116e-08,
# or of at most that share of the mean of the distinct times.
@pytest.mark.parametrize(
    ("time", "tied"),
    [
        ([0.1, 0.1 + 1.4e-8], True),
        ([0.1, 0.1 + 1.6e-8], False),
        ([1000.0, 1000.0 + 1.4e-5], True),
        ([1000.0, 1000.0 + 1.6e-5], False),
        # The mean of the distinct times decides, not the two times themselves.
        ([1.0, 1.0 + 1e-6, 1000.0], True),
        ([1.0, 1.0 + 1e-6, 10.0], False),
    ],
)
def test_the_tolerance_is_that_of_r(time, tied):
    merged = merge_equal_times(np.array(time))

    assert (merged[0] == merged[1]) == tied
    assert (time[1] - time[0] <= time_rounding(np.array(time))) == tied


def test_neighbours_are_one_time_however_many_there_are():
    time = 5.0 + 1e-8 * np.arange(10)

    assert merge_equal_times(time).tolist() == [5.0] * 10


def test_no_time_at_all_is_no_error():
    assert merge_equal_times(np.zeros(0)).tolist() == []


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_noise_of_the_last_bits_is_taken_away_whatever_the_times(days, seed):
    exact = np.array(days) / 7
    noise = np.random.default_rng(seed).integers(-3, 4, len(days)) * np.spacing(exact)

    merged = merge_equal_times(exact + noise)

    assert np.unique(merged, return_inverse=True)[1].tolist() == (
        np.unique(exact, return_inverse=True)[1].tolist()
    )
    assert merge_equal_times(merged).tolist() == merged.tolist()
