"""Where chance alone leaves the C-index: exact for a fold, a bound for several."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.chance import TestedFold, chance_concordance, permutation_variance
from mtsbench.metrics.concordance import concordance

TestedFold.__test__ = False  # no test class, whatever pytest thinks of its name
cases = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 4), st.booleans()), min_size=2, max_size=5
)


def columns(drawn):
    risk, time, event = (np.array(one) for one in zip(*drawn, strict=True))
    return risk.astype(float), time.astype(float), event


@given(cases)
@settings(max_examples=60, deadline=None)
def test_mean_and_variance_are_those_of_all_ways_to_deal_the_outcomes(drawn):
    risk, time, event = columns(drawn)
    try:
        found = permutation_variance(risk, time, event)
    except UndefinedMetricError:
        assume(False)

    every = [
        concordance(risk[list(one)], time, event).value for one in permutations(range(len(risk)))
    ]
    assert np.mean(every) == pytest.approx(0.5)
    assert found == pytest.approx(np.var(every), abs=1e-12)


def test_no_comparable_pair_has_no_variance():
    with pytest.raises(UndefinedMetricError, match="no pair is comparable, so chance has no vari"):
        permutation_variance(np.arange(3.0), np.arange(1.0, 4.0), np.zeros(3, bool))


def fold(rng, count=40, slope=0.0) -> TestedFold:
    time = rng.exponential(1000, count)
    risk = rng.normal(size=count) - slope * np.log(time)
    return TestedFold(risk=risk, time=time, event=rng.random(count) < 0.6)


def test_the_value_is_pooled_within_folds_and_averaged_over_permutations():
    rng = np.random.default_rng(0)
    first, second = [[fold(rng), fold(rng)] for _ in range(2)]

    def pooled(folds):
        strata = np.repeat([0, 1], 40)
        joined = (
            np.concatenate([getattr(one, name) for one in folds])
            for name in ("risk", "time", "event")
        )
        return concordance(*joined, strata=strata).value

    found = chance_concordance([first, second])

    assert found.value == pytest.approx((pooled(first) + pooled(second)) / 2)
    assert found.interval[0] + found.interval[1] == pytest.approx(2 * found.value)


def test_the_bound_of_equal_folds_is_that_of_folds_that_say_the_same():
    rng = np.random.default_rng(0)
    one = fold(rng)
    alone = np.sqrt(permutation_variance(one.risk, one.time, one.event))

    assert chance_concordance([[one] * 3]).standard_error == pytest.approx(alone)
    assert chance_concordance([[one]] * 4).standard_error == pytest.approx(alone / 2)


def test_a_fold_without_a_pair_weighs_nothing_and_none_with_one_is_refused():
    rng = np.random.default_rng(0)
    usual = fold(rng)
    empty = TestedFold(risk=usual.risk, time=usual.time, event=np.zeros(40, bool))

    assert chance_concordance([[usual, empty]]) == chance_concordance([[usual]])
    with pytest.raises(UndefinedMetricError, match="no fold has a comparable pair; use fewer"):
        chance_concordance([[empty]])


def test_a_leak_is_seen_and_equal_risks_are_chance():
    rng = np.random.default_rng(0)
    leaking = [fold(rng, slope=1.0) for _ in range(3)]
    equal = TestedFold(risk=np.zeros(40), time=leaking[0].time, event=leaking[0].event)

    assert not chance_concordance([leaking]).is_chance
    assert chance_concordance([[equal]]).interval == (0.5, 0.5)
    assert chance_concordance([[equal]]).is_chance


def cross_validated(rng, count=60, folds=3) -> list[TestedFold]:
    """A least squares fit on pure noise, tested on every fold."""
    x, time = rng.normal(size=(count, 4)), rng.exponential(1000, count)
    event, of = rng.random(count) < 0.6, rng.permutation(np.arange(count) % folds)
    tested = []
    for number in range(folds):
        train, test = of != number, of == number
        slopes = np.linalg.lstsq(x[train], -np.log(time[train] / 1000), rcond=None)[0]
        tested.append(TestedFold(risk=x[test] @ slopes, time=time[test], event=event[test]))
    return tested


def test_honest_models_are_rarely_accused():
    """Folds taken as independent would be: their standard error is a fifth too small."""
    rng = np.random.default_rng(0)
    found = [chance_concordance([cross_validated(rng)]) for _ in range(400)]

    values = np.array([one.value for one in found])
    bounds = np.array([one.standard_error for one in found])
    assert abs(values.mean() - 0.5) < 3 * values.std() / 20
    assert sum(not one.is_chance for one in found) <= 4
    assert (bounds / np.sqrt(3)).mean() < values.std() < bounds.mean()
