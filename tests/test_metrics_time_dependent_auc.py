from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc

TIME = np.array([1.0, 2.0, 3.0, 4.0])
EVENT = np.array([True, False, True, True])


@given(st.integers(0, 10_000))
def test_it_is_the_weighted_share_of_pairs_in_order(seed):
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 9, 15).astype(float), random.random(15) < 0.6
    risk = random.integers(0, 4, 15).astype(float)
    case, control = (time <= 4.5) & event, time > 4.5
    assume(case.any() and control.any())
    weight = 1 / censoring_distribution(time, event).before(time[case])
    agrees = (risk[case][:, None] > risk[control]) + 0.5 * (risk[case][:, None] == risk[control])

    found = cumulative_dynamic_auc(risk, 4.5, time, event)

    expected = (weight[:, None] * agrees).sum() / (weight.sum() * control.sum())
    assert found == pytest.approx(expected)


def test_higher_risk_means_an_event_by_the_day():
    assert cumulative_dynamic_auc(np.array([4.0, 3, 2, 1]), 3.5, TIME, EVENT) == 1.0
    assert cumulative_dynamic_auc(np.array([1.0, 2, 3, 4]), 3.5, TIME, EVENT) == 0.0


@pytest.mark.parametrize(("day", "message"), [(0.5, "there are 0 events"), (5, "it 0 patients")])
def test_it_needs_events_before_and_patients_after_the_day(day, message):
    with pytest.raises(UndefinedMetricError, match=message):
        cumulative_dynamic_auc(TIME, day, TIME, EVENT)


def test_it_is_undefined_where_the_cohort_has_no_follow_up():
    cohort = censoring_distribution(np.array([0.5, 0.6]), np.array([False, False]))

    with pytest.raises(UndefinedMetricError, match=r"reaches 0 before day 3\.5"):
        cumulative_dynamic_auc(TIME, 3.5, TIME, EVENT, censoring=cohort)
