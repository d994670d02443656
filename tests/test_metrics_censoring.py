from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import (
    censoring_distribution,
    choose_horizon,
    choose_tau,
    evaluation_grid,
)


def test_events_precede_censorings_of_the_same_day():
    # On day 2 one has the event and one is censored: of three at risk, one is out of it first.
    found = censoring_distribution(
        np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, True])
    )

    assert found.before([2, 3]) == pytest.approx([1, 0.5])
    assert found.at([1, 2, 3]) == pytest.approx([1, 0.5, 0.5])


def test_tau_is_the_latest_half_year_with_a_tenth_at_risk_and_a_fifth_uncensored():
    time = np.arange(1.0, 1001.0)

    assert choose_tau(time, np.ones(1000, np.bool_)) == 730.25  # 913.25 has 8.7 % at risk
    assert choose_tau(time, np.zeros(1000, np.bool_)) == 730.25  # there G = 0.27


def test_tau_ends_where_too_few_are_uncensored():
    time = np.concatenate([np.full(85, 300.0), np.full(15, 3000.0)])

    assert choose_tau(time, np.arange(100) >= 85) == 182.25


def test_tau_of_a_short_follow_up_must_be_stated():
    with pytest.raises(UndefinedMetricError, match="last follow-up is day 100"):
        choose_tau(np.array([50.0, 100.0]), np.array([True, False]))


def test_the_horizon_is_the_half_year_nearest_to_the_middle():
    assert [choose_horizon(tau) for tau in (182.25, 730.25, 1826.25)] == [182.25, 365.25, 913.25]


@given(tau=st.floats(10, 5000), steps=st.integers(2, 200))
def test_the_grid_runs_from_day_0_to_tau_and_lies_off_whole_days_between(tau, steps):
    grid = evaluation_grid(tau, steps)

    assert (grid[0], grid[-1]) == (0, tau)
    assert (np.diff(grid) > 0).all()
    assert ((grid[1:-1] % 1) == 0.25).all()
    assert len(grid) <= steps + 1
