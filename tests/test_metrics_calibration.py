from __future__ import annotations

import numpy as np
import pytest

from mtsbench.metrics.calibration import calibration_slope, d_calibration, km_calibration
from mtsbench.metrics.kaplan_meier import kaplan_meier


def test_an_event_counts_in_its_bin_and_a_censored_patient_in_all_bins_below():
    own, event = np.array([0.95, 0.5, 1.0, 0.0]), np.array([True, False, True, False])

    found = d_calibration(own, event)

    # Censored at S = 0.5: the bins below 0.5 get a fifth each, its own bin begins at 0.5.
    assert found.counts == pytest.approx([1.2, 0.2, 0.2, 0.2, 0.2, 0, 0, 0, 0, 2])
    assert found.statistic == pytest.approx(((found.counts - 0.4) ** 2 / 0.4).sum())


def test_uniform_survival_probabilities_are_calibrated_and_shrunken_ones_are_not():
    own, event = (np.arange(200) + 0.5) / 200, np.ones(200, np.bool_)

    assert d_calibration(own, event).p == 1.0
    assert d_calibration(0.25 + own / 2, event).p < 1e-6
    assert d_calibration(own, event, bins=4).counts.tolist() == [50] * 4


def test_the_mean_curve_is_compared_with_kaplan_meier():
    time, event = np.array([1.0, 2.0, 3.0]), np.ones(3, np.bool_)
    days = np.array([1.0, 2.0, 3.0])
    truth = np.tile(kaplan_meier(time, event).at(days), (3, 1))

    assert km_calibration(truth, days, time, event, reading="linear") == 0
    found = km_calibration(truth + 0.3, days, time, event, reading="linear")
    assert found == pytest.approx(0.09 * 2.5 / 3)


def test_step_curves_are_compared_with_kaplan_meier_day_by_day():
    # From day 2 to 4 both are at 1/2, from 4 to 10 the model stays there and nobody is left, and
    # before the first day both are 1.
    time, event = np.array([2.0, 4.0]), np.ones(2, np.bool_)
    own = kaplan_meier(time, event)
    promised = np.full((2, 2), 0.5)

    exact = km_calibration(np.tile(own.survival, (2, 1)), own.time, time, event, reading="step")
    apart = km_calibration(promised, np.array([2.0, 10.0]), time, event, reading="step")

    assert exact == 0
    assert apart == pytest.approx(0.25 * 6 / 10)


def test_predictions_twice_too_extreme_have_a_slope_of_one_half():
    random = np.random.default_rng(0)
    log_risk = random.normal(size=300)
    time = random.exponential(np.exp(-log_risk))
    event = random.random(300) < 0.8

    once = calibration_slope(log_risk, time, event).coefficient[0]
    twice = calibration_slope(2 * log_risk, time, event).coefficient[0]

    assert once == pytest.approx(1, abs=0.15)
    assert twice == pytest.approx(once / 2)
