from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.horizon_calibration import (
    GroupCalibration,
    cloglog,
    group_calibration,
    observed_to_expected,
    smooth_calibration,
)

RANDOM = np.random.default_rng(3)
LOG_RISK = RANDOM.normal(size=2000)
TIME = RANDOM.exponential(np.exp(-LOG_RISK))
EVENT = RANDOM.random(2000) < 0.8
TRUE_RISK = 1 - np.exp(-0.8 * np.exp(LOG_RISK))  # events alone have 0.8 of the hazard


def test_the_true_risk_is_calibrated_and_half_of_it_is_not():
    good = smooth_calibration(TRUE_RISK, 1.0, TIME, EVENT)
    bad = smooth_calibration(TRUE_RISK / 2, 1.0, TIME, EVENT)

    assert good.ici < 0.03 < 0.15 < bad.ici
    assert good.e50 <= good.e90 <= good.largest
    assert good.ici == pytest.approx(np.abs(TRUE_RISK - good.observed).mean())


def test_predictions_that_hardly_vary_cannot_be_smoothed():
    with pytest.raises(UndefinedMetricError, match="so alike that their 10th, 50th and 90th"):
        smooth_calibration(np.full(2000, 0.3), 1.0, TIME, EVENT)


def test_risks_of_0_and_1_stay_finite():
    assert np.isfinite(cloglog(np.array([0.0, 1.0]))).all()
    assert cloglog(1 - np.exp(-np.exp(np.array([0.3])))) == pytest.approx([0.3])


def test_groups_rise_in_risk_and_hold_every_patient():
    found = group_calibration(TRUE_RISK[:101], 1.0, TIME[:101], EVENT[:101])

    assert found.size.tolist() == [10] * 9 + [11]
    assert (np.diff(found.predicted) > 0).all()
    assert (found.predicted * found.size).sum() == pytest.approx(TRUE_RISK[:101].sum())


def test_the_order_of_cases_does_not_matter_without_equal_risks():
    shuffled = np.random.default_rng(0).permutation(2000)

    found = group_calibration(TRUE_RISK, 1.0, TIME, EVENT).greenwood()

    again = group_calibration(TRUE_RISK[shuffled], 1.0, TIME[shuffled], EVENT[shuffled])
    assert again.greenwood() == pytest.approx(found)
    assert found[1] > 0.01


def test_a_group_without_variance_has_no_greenwood_test():
    groups = GroupCalibration(
        size=np.array([5, 5]),
        predicted=np.array([0.1, 0.5]),
        observed=np.array([0.0, 0.5]),
        error=np.array([0.0, 0.2]),
    )

    with pytest.raises(UndefinedMetricError, match="1 of 2 groups have no variance; use fewer"):
        groups.greenwood()


def test_observed_to_expected_is_2_where_risks_were_halved():
    whole = observed_to_expected(TRUE_RISK, 1.0, TIME, EVENT)

    assert whole == pytest.approx(1, abs=0.05)
    assert observed_to_expected(TRUE_RISK / 2, 1.0, TIME, EVENT) == pytest.approx(2 * whole)


def test_observed_to_expected_needs_an_expectation():
    with pytest.raises(UndefinedMetricError, match="every predicted risk by day 1 is 0"):
        observed_to_expected(np.zeros(2000), 1.0, TIME, EVENT)
