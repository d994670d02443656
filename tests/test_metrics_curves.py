from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.data import Predictions
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.curves import (
    predicted_survival,
    step_days,
    stretch_middles,
    survival_at,
)
from mtsbench.metrics.kaplan_meier import kaplan_meier

CURVES, GRID = np.array([[0.8, 0.4]]), np.array([10.0, 20.0])


def test_curves_are_read_linearly_from_1_on_day_0_to_the_last_day_and_flat_after():
    days = np.array([0.0, 5.0, 10.0, 15.0, 20.0, 99.0])

    found = survival_at(days, CURVES, GRID, reading="linear")

    assert found[0] == pytest.approx([1, 0.9, 0.8, 0.6, 0.4, 0.4])


def test_step_curves_fall_on_their_days_only():
    days = np.array([0.0, 9.9, 10.0, 19.9, 20.0, 99.0])

    found = survival_at(days, CURVES, GRID, reading="step")

    assert found[0].tolist() == [1, 1, 0.8, 0.8, 0.4, 0.4]


def test_a_day_that_is_before_a_step_only_by_rounding_is_on_it():
    found = survival_at(
        np.array([0.3, 0.1 + 0.2]), CURVES, np.array([0.1 + 0.2, 20.0]), reading="step"
    )

    assert found[0].tolist() == [0.8, 0.8]


@pytest.mark.parametrize(
    ("days", "survival", "grid", "message"),
    [
        (GRID, CURVES[0], GRID, r"survival must have shape \(N, 2\), .* got \(2,\); one day is"),
        (GRID, CURVES.T, GRID, r"survival must have shape \(N, 2\), .* got \(2, 1\)"),
        (
            GRID,
            CURVES,
            GRID[None, :],
            r"days must have shape \(M,\), at least one day, got \(1, 2\)",
        ),
        (GRID[None, :], CURVES, GRID, r"days must have shape \(M,\), got \(1, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(days, survival, grid, message):
    with pytest.raises(ValueError, match=message):
        survival_at(days, survival, grid, reading="step")


def test_a_reading_of_another_name_is_refused():
    with pytest.raises(ValueError, match="reading must be 'step' or 'linear', got 'cubic'"):
        survival_at(GRID, CURVES, GRID, reading="cubic")


def test_predictions_are_read_as_they_say():
    def read(reading):
        given = Predictions(
            case_ids=("P1",),
            risk=np.zeros(1),
            survival=CURVES,
            survival_time=GRID,
            survival_reading=reading,
        )
        return predicted_survival(given, np.array([15.0])).tolist()

    assert read("step") == [[0.8]]
    assert read("linear") == [[pytest.approx(0.6)]]


def test_predictions_without_curves_have_nothing_to_read():
    with pytest.raises(UndefinedMetricError, match="the model gives no survival curves"):
        predicted_survival(Predictions(case_ids=("P1",), risk=np.zeros(1)), GRID)


def test_step_days_are_those_of_events_between_day_0_and_the_last_follow_up():
    time, event = np.array([1.0, 5.0, 5.0, 3.0, 9.0]), np.array([True, True, True, False, False])

    assert step_days(time, event, most=4).tolist() == [0, 1, 5, 9]
    assert step_days(time, event, most=100).tolist() == [0, 1, 5, 9]
    assert step_days(time, ~event, most=100).tolist() == [0, 3, 9]
    assert step_days(time, np.zeros(5, np.bool_), most=2).tolist() == [0, 9]
    assert step_days(time, event, most=2).tolist() == [0, 9]


def test_a_curve_needs_two_days():
    with pytest.raises(ValueError, match=r"a curve needs at least 2 days, .* got 1"):
        step_days(np.array([1.0]), np.array([True]), most=1)


@given(seed=st.integers(0, 1000), most=st.integers(4, 60))
def test_thinned_days_hold_every_large_step_and_are_evenly_wrong_elsewhere(seed, most):
    random = np.random.default_rng(seed)
    # Every fifth patient has the event at one of three visits, the others on a day of their own.
    time = np.where(
        random.random(300) < 0.2,
        random.choice([200.0, 400.0, 600.0], 300),
        random.random(300) * 900,
    )
    event = random.random(300) < 0.7
    curve = kaplan_meier(time, event)

    days = step_days(time, event, most=most)

    assert len(days) <= most
    assert (days[0], days[-1]) == (0, time.max())
    # Between two kept days the curve falls by no more than an even share of its whole fall.
    share = (1 - curve.survival[-1]) / (most - 3)
    missed = curve.at(days[:-1]) - curve.before(days[1:])
    assert missed.max() <= share * (1 + 1e-9)
    # Read in the middle of each stretch, the thinned curve is not too high on average.
    grid = np.linspace(0, time.max(), 2000, endpoint=False)
    thinned = survival_at(grid, curve.at(stretch_middles(days))[None, :], days, reading="step")
    assert abs(float((thinned[0] - curve.at(grid)).mean())) < share / 4 + 1e-9
