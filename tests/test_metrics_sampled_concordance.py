"""Small-sample intervals of C and of differences; their coverage is simulated in benchmarks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t as student

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import concordance
from mtsbench.metrics.sampled_concordance import SampledConcordance, contrast, frozen


def sampled(value, rows, leader, *, cross_validated=False):
    return SampledConcordance(
        value=value,
        influence=np.atleast_2d(np.array(rows, dtype=float)),
        leader=np.array(leader),
        cross_validated=cross_validated,
    )


LEADER = [True] * 6 + [False] * 4


def test_events_and_others_count_as_two_samples():
    first = sampled(0.6, [0.0] * 10, LEADER)
    second = sampled(0.7, [0.02] * 3 + [-0.02] * 3 + [0.01, -0.01, 0.01, -0.01], LEADER)

    found = contrast(first, second)

    variance = 6 * 0.0004 * 6 / 5 + 4 * 0.0001 * 4 / 3
    assert found.value == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(variance**0.5)
    assert found.degrees_of_freedom == 5
    reach = student.ppf(0.975, 5) * variance**0.5
    assert found.interval == pytest.approx((0.1 - reach, 0.1 + reach))
    assert found.p == pytest.approx(2 * student.sf(0.1 / variance**0.5, 5))


def test_the_variance_lies_halfway_between_all_repeats_and_one():
    one, other = [0.02, -0.02] * 3, [-0.02, 0.02] * 3
    rows = [[*one, 0, 0, 0, 0], [*other, 0, 0, 0, 0]]

    # The two repeats cancel, so the variance of their mean is 0 and that of each is 0.00288.
    assert sampled(0.7, rows, LEADER).variance == pytest.approx(0.00288 / 2)
    assert sampled(0.7, rows[:1], LEADER).variance == pytest.approx(0.00288)


def test_models_that_tested_each_others_patients_have_up_to_twice_the_variance():
    rows = [0.02, -0.02] * 3 + [0.0] * 4

    plain = sampled(0.5, rows, LEADER).variance

    assert sampled(0.5, rows, LEADER, cross_validated=True).variance == pytest.approx(2 * plain)
    clear = sampled(0.9, rows, LEADER, cross_validated=True).variance
    assert clear == pytest.approx(plain * (1 + plain / (plain + 0.16)))


def test_a_constant_model_does_not_widen_the_difference_from_it():
    rows = [0.02, -0.02] * 3 + [0.0] * 4
    constant = sampled(0.5, [0.0] * 10, LEADER, cross_validated=True)
    model = sampled(0.9, rows, LEADER, cross_validated=True)

    assert contrast(constant, model).standard_error == pytest.approx(model.variance**0.5)


@st.composite
def cohorts(draw):
    count = draw(st.integers(8, 30))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    event = random.random(count) < draw(st.floats(0.3, 1))
    return random.normal(size=count), random.permutation(count) + 1.0, event


@given(cohorts())
def test_intervals_hold_their_value_and_stay_in_the_possible_range(drawn):
    risk, time, event = drawn
    assume(event.sum() >= 8)
    first, second = (frozen(concordance(r, time, event)) for r in (risk, -(time**0.5) + risk / 9))
    for one in (first, second):
        try:
            low, high = one.interval()
        except UndefinedMetricError:
            assume(False)
        assert 0 < low < one.value < high < 1
    found = contrast(first, second)
    assert -1 <= found.interval[0] <= found.value <= found.interval[1] <= 1


def test_fewer_than_six_events_give_neither_interval_nor_test():
    five = sampled(0.7, [0.02, -0.02] * 5, [True] * 5 + [False] * 5)

    with pytest.raises(UndefinedMetricError, match="5 events are too few for an interval or a te"):
        five.interval()
    with pytest.raises(UndefinedMetricError, match=r"5 events are too few .* which need 6"):
        contrast(five, five)


def test_a_single_comparable_pair_has_no_interval():
    found = frozen(concordance(np.array([2.0, 1.0]), np.array([1.0, 2.0]), np.array([True, False])))

    with pytest.raises(UndefinedMetricError, match="1 events are too few"):
        found.interval()


def test_a_perfect_order_has_no_interval_and_says_why():
    time = np.arange(1.0, 21)
    found = frozen(concordance(-time, time, np.ones(20, dtype=bool)))

    with pytest.raises(UndefinedMetricError, match=r"C is 1\.000 whichever patients are left out"):
        found.interval()


def test_alike_and_opposite_orders_are_told_apart():
    time, event = np.arange(1.0, 21), np.ones(20, dtype=bool)
    right, wrong = (frozen(concordance(risk, time, event)) for risk in (-time, time))

    with pytest.raises(UndefinedMetricError, match="both models order every pair alike"):
        contrast(right, right)
    with pytest.raises(UndefinedMetricError, match=r"difference is -1\.000 whichever patients"):
        contrast(right, wrong)
