from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.brier import (
    brier_contributions,
    brier_score,
    integrate,
    integrated_brier_score,
    prediction_accuracy_index,
)
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.kaplan_meier import kaplan_meier

TIME = np.array([1.0, 2.0, 3.0, 4.0])
EVENT = np.array([True, False, True, False])
DAYS = np.array([0.5, 2.5, 3.5])


def test_a_censored_patient_is_represented_by_those_still_observed():
    # G is 1 to day 2 and 2/3 after: two patients stand for the one censored on day 2.
    survival = np.full((4, 3), 0.8)

    found = brier_contributions(survival, DAYS, TIME, EVENT)

    assert found[:, 0] == pytest.approx([0.04] * 4)
    assert found[:, 1] == pytest.approx([0.64, 0, 0.06, 0.06])
    assert found[:, 2] == pytest.approx([0.64, 0, 0.96, 0.06])
    assert brier_score(survival, DAYS, TIME, EVENT) == pytest.approx(found.mean(axis=0))


def test_without_censoring_it_is_the_mean_squared_error():
    random = np.random.default_rng(0)
    time, survival = random.exponential(5, 50), random.random((50, 3))

    found = brier_score(survival, DAYS, time, np.ones(50, np.bool_))

    alive = time[:, None] > DAYS
    assert found == pytest.approx(((alive - survival) ** 2).mean(axis=0))


def test_the_censoring_distribution_of_the_cohort_may_be_given():
    never = censoring_distribution(np.array([9.0]), np.array([True]))

    found = brier_contributions(np.full((4, 3), 0.8), DAYS, TIME, EVENT, censoring=never)

    assert found[:, 2] == pytest.approx([0.64, 0, 0.64, 0.04])


def test_the_integral_is_a_mean_over_the_grid():
    assert integrate(np.array([0.0, 0.2, 0.2]), np.array([0.0, 1.0, 3.0])) == pytest.approx(0.5 / 3)
    assert integrate(np.ones((4, 3)), DAYS).tolist() == [1.0] * 4


def test_the_kaplan_meier_curve_has_an_accuracy_of_0_and_an_oracle_of_1():
    marginal = np.tile(kaplan_meier(TIME, EVENT).at(DAYS), (4, 1))
    oracle = ((TIME[:, None] > DAYS) | ~EVENT[:, None]).astype(float)

    assert prediction_accuracy_index(marginal, DAYS, TIME, EVENT) == 0
    assert prediction_accuracy_index(oracle, DAYS, TIME, EVENT) == 1
    assert integrated_brier_score(oracle, DAYS, TIME, EVENT) == 0


def test_without_an_event_there_is_nothing_to_predict():
    days = np.array([0.1, 0.2])

    with pytest.raises(UndefinedMetricError, match=r"no event by day 0\.2"):
        prediction_accuracy_index(np.full((4, 2), 0.5), days, TIME, EVENT)


def test_beyond_the_last_censoring_the_score_is_undefined():
    cohort = censoring_distribution(np.array([1.0, 1.5]), np.array([False, False]))

    with pytest.raises(UndefinedMetricError, match=r"reaches 0 by day 3\.5; choose an earlier"):
        brier_score(np.full((4, 3), 0.5), DAYS, TIME, EVENT, censoring=cohort)
