from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines.utils import concordance_index

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.concordance import concordance, uno_c, uno_weight
from mtsbench.metrics.survival import harrell_c


@st.composite
def follow_ups(draw):
    """Risk, time, event, stratum and weight of up to fifteen cases, with ties in everything."""
    count = draw(st.integers(2, 15))

    def some(values):
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    return (
        some(st.integers(-3, 3)).astype(float),
        some(st.integers(1, 6)).astype(float),
        some(st.booleans()),
        some(st.integers(0, 2)),
        some(st.floats(0.1, 5)),
    )


def by_definition(risk, time, event, strata, weight, tau):
    """(N, N) weights of the comparable pairs, and the share of each that agrees."""
    later = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    pairs = (event & (time <= tau))[:, None] & later & (strata[:, None] == strata)
    agrees = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    return pairs * weight[:, None], agrees


@given(drawn=follow_ups(), tau=st.integers(1, 7))
def test_value_and_influence_are_what_their_definitions_say(drawn, tau):
    risk, time, event, strata, weight = drawn
    pairs, agrees = by_definition(*drawn, tau)
    assume(pairs.sum() > 0)
    value = (pairs * agrees).sum() / pairs.sum()
    change = pairs * (agrees - value) / pairs.sum()

    found = concordance(risk, time, event, strata=strata, leader_weight=weight, tau=tau)

    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.influence == pytest.approx(change.sum(axis=0) + change.sum(axis=1), abs=1e-12)
    assert found.concordant == pytest.approx((pairs * (agrees == 1)).sum())
    assert found.discordant == pytest.approx((pairs * (agrees == 0)).sum())


@given(follow_ups())
def test_influence_is_the_derivative_with_respect_to_a_patients_weight(drawn):
    risk, time, event, _, _ = drawn
    pairs, agrees = by_definition(*drawn[:3], np.zeros(len(risk)), np.ones(len(risk)), np.inf)
    assume(pairs.sum() > 0)
    step = 1e-6
    heavier = np.ones(len(risk))
    heavier[0] += step
    both = pairs * np.outer(heavier, heavier)
    moved = (both * agrees).sum() / both.sum() - (pairs * agrees).sum() / pairs.sum()

    found = concordance(risk, time, event)

    assert found.influence[0] == pytest.approx(moved / step, abs=1e-5)


@given(follow_ups())
@settings(max_examples=30)
def test_pooling_arbitrary_offsets_per_fold_does_not_change_a_stratified_value(drawn):
    risk, time, event, strata, _ = drawn
    assume(by_definition(risk, time, event, strata, np.ones(len(risk)), np.inf)[0].sum())

    found = concordance(risk + 100 * strata, time, event, strata=strata)

    assert found.value == concordance(risk, time, event, strata=strata).value


def test_an_event_on_the_day_of_tau_counts():
    time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4, np.bool_)
    risk = np.array([4.0, 1.0, 2.0, 3.0])

    assert concordance(risk, time, event, tau=2.0).concordant == 3
    assert concordance(risk, time, event, tau=2.0).discordant == 2
    assert concordance(risk, time, event, tau=1.9).value == 1.0


def test_without_a_comparable_pair_by_tau_the_reason_names_tau():
    time, event = np.array([5.0, 6.0]), np.ones(2, np.bool_)

    with pytest.raises(UndefinedMetricError, match="with an event by day 4 among 2 cases with 2"):
        concordance(np.array([1.0, 2.0]), time, event, tau=4.0)


def test_uno_weights_are_the_left_limit_of_g():
    # One of four is censored on day 2 together with an event: G(2-) is still 1.
    time, event = np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, True])

    assert uno_weight(time, event=event).tolist() == [1.0, 1.0, 0.0, 4.0]


def test_uno_c_is_undefined_where_everybody_of_the_cohort_is_censored_before():
    cohort = censoring_distribution(np.array([1.0, 2.0]), np.array([False, False]))
    time, event = np.array([3.0, 4.0]), np.ones(2, np.bool_)

    with pytest.raises(UndefinedMetricError, match="censored before the event on day 3"):
        uno_c(np.array([2.0, 1.0]), time, event, tau=5.0, censoring=cohort)


def test_twenty_thousand_cases_take_milliseconds_and_a_quarter_of_lifelines():
    random = np.random.default_rng(0)
    risk, time = random.normal(size=20_000), random.exponential(1000, 20_000).round() + 1
    event = random.random(20_000) < 0.5

    def seconds(call, times: int) -> float:
        measured = []
        for _ in range(times):
            begin = process_time()
            call()
            measured.append(process_time() - begin)
        return min(measured)

    expected = concordance_index(time, -risk, event)
    assert harrell_c(risk, time, event) == pytest.approx(expected, abs=1e-12)
    ours = seconds(lambda: harrell_c(risk, time, event), 20)
    theirs = seconds(lambda: concordance_index(time, -risk, event), 3)

    assert ours < 0.030
    assert theirs > 4 * ours
