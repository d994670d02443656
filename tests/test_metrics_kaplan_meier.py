from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.kaplan_meier import kaplan_meier

CURVE = kaplan_meier(
    np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.array([True, True, False, False, True])
)


def test_the_curve_steps_on_the_day_of_an_event_and_its_left_limit_does_not():
    assert CURVE.at([0.5, 1, 2, 3, 4, 9]) == pytest.approx([1, 0.8, 0.6, 0.6, 0, 0])
    assert CURVE.before([1, 2, 4, 9]) == pytest.approx([1, 0.8, 0.6, 0])


def test_numbers_at_risk_are_those_just_before_a_day():
    assert CURVE.numbers_at_risk([0, 1, 2, 2.5, 4, 5]).tolist() == [5, 5, 4, 2, 1, 0]


def test_the_median_of_a_curve_flat_at_one_half_is_the_middle_of_the_flat_stretch():
    time = np.array([1.0, 2.0, 3.0, 4.0])

    assert kaplan_meier(time, np.ones(4, np.bool_)).median() == 2.5


def test_a_curve_above_one_half_has_no_median():
    with pytest.raises(UndefinedMetricError, match="fewer than half the patients"):
        kaplan_meier(np.array([1.0, 2.0, 3.0]), np.array([True, False, False])).median()


def test_the_restricted_mean_is_the_area_under_the_curve():
    mean, error = CURVE.restricted_mean(4.0)

    assert mean == pytest.approx(1 + 0.8 + 0.6 * 2)
    assert error == pytest.approx((2.0**2 / 20 + 1.2**2 / 12) ** 0.5)


def test_the_restricted_mean_is_undefined_beyond_follow_up():
    curve = kaplan_meier(np.array([1.0, 2.0]), np.array([True, False]))

    with pytest.raises(UndefinedMetricError, match=r"ends on day 2, before tau = 3; choose"):
        curve.restricted_mean(3.0)


def test_limits_are_left_out_where_nobody_is_left():
    lower, upper = CURVE.interval([2, 4])

    assert lower[0] < 0.6 < upper[0] <= 1
    assert np.isnan([lower[1], upper[1]]).all()
    assert CURVE.standard_error(4) == 0
