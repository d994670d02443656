from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.risk_groups import assign_groups, cut_points, hazard_ratio, log_rank

TIME = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
EVENT = np.array([True, True, True, False, True, False])
HIGH = np.array([True, True, False, True, False, False])


def test_cut_points_are_quantiles_and_a_risk_on_a_cut_is_low():
    cuts = cut_points(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), (1 / 4, 3 / 4))

    assert cuts.tolist() == [2.0, 4.0]
    assert assign_groups(np.array([0.0, 2.0, 2.1, 4.0, 9.0]), cuts).tolist() == [0, 0, 1, 1, 2]
    assert cut_points(np.array([1.0, 3.0])).tolist() == [2.0]


def test_the_log_rank_statistic_of_two_groups_is_that_of_its_formula():
    share = np.array([3 / 6, 2 / 5, 1 / 4, 0 / 2])
    spread = (share * (1 - share)).sum()

    found = log_rank(TIME, EVENT, HIGH)

    assert found.statistic == pytest.approx((2 - share.sum()) ** 2 / spread)
    assert found.freedom == 1


def test_labels_and_their_order_do_not_matter():
    assert log_rank(TIME, EVENT, np.where(HIGH, "a", "b")).statistic == pytest.approx(
        log_rank(TIME, EVENT, HIGH).statistic
    )


def test_one_stratum_per_group_leaves_nothing_to_compare():
    with pytest.raises(UndefinedMetricError, match="no event happened while patients of two"):
        log_rank(TIME, EVENT, HIGH, strata=HIGH)


def test_one_group_is_no_comparison():
    with pytest.raises(UndefinedMetricError, match="all patients are in one risk group"):
        log_rank(TIME, EVENT, np.zeros(6))


def test_a_higher_hazard_is_above_one_and_swapping_groups_inverts_it():
    found = hazard_ratio(TIME, EVENT, HIGH)
    swapped = hazard_ratio(TIME, EVENT, ~HIGH)

    assert found.value > 1
    assert found.interval[0] < found.value < found.interval[1]
    assert swapped.value == pytest.approx(1 / found.value)
    assert swapped.p == pytest.approx(found.p)


def test_groups_that_never_share_a_stratum_have_no_hazard_ratio():
    with pytest.raises(UndefinedMetricError, match="covariate higher-risk group does not vary"):
        hazard_ratio(TIME, EVENT, HIGH, strata=HIGH)


def test_groups_of_which_one_always_goes_first_have_no_finite_hazard_ratio():
    with pytest.raises(UndefinedMetricError, match="maximum: the covariate higher-risk group sep"):
        hazard_ratio(TIME, EVENT, TIME < 2.5)


@pytest.mark.parametrize("high", [TIME > 5.5, TIME < 5.5])
def test_a_group_without_events_has_no_hazard_ratio(high):
    with pytest.raises(UndefinedMetricError, match=r"-risk group of [15] patients has no event"):
        hazard_ratio(TIME, EVENT, high)
