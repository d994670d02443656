"""Corrected tests on fold differences; their values by R are in test_golden_comparison.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t as student

from mtsbench.comparison.resampled_tests import (
    correlated_bayes,
    detectable,
    holm,
    nadeau_bengio,
    paired_t,
)
from mtsbench.errors import UndefinedMetricError

TESTS = [
    lambda d, folds=5: nadeau_bengio(d, test_share=0.25, folds=folds),
    lambda d, folds=5: correlated_bayes(d, correlation=0.2, folds=folds, equivalence=0.01),
]


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("count", "folds", "repeats"), [(3, 3, 2), (4, 4, 2), (2, 2, 3)])
def test_fewer_than_five_test_folds_give_no_test_but_the_repeats_that_would(
    test, count, folds, repeats
):
    differences = np.linspace(0.1, 0.2, count)
    said = f"{count} test folds are too few .* needs 5; run every model with --repeats {repeats} or"

    with pytest.raises(UndefinedMetricError, match=said):
        test(differences, folds)
    # With as many repeats as the sentence names there is a test.
    test(np.linspace(0.1, 0.2, folds * repeats), folds)


@pytest.mark.parametrize("test", [*TESTS, paired_t])
def test_equal_differences_give_no_test(test):
    with pytest.raises(UndefinedMetricError, match=r"difference is 0.1000 in all 5 folds, so it"):
        test(np.array([0.1] * 5))


def test_ten_repeats_of_five_folds_are_not_fifty_pieces_of_information():
    random = np.random.default_rng(1)

    one = nadeau_bengio(random.normal(size=5), test_share=0.25, folds=5)
    ten = nadeau_bengio(random.normal(size=50), test_share=0.25, folds=5)

    assert one.degrees_of_freedom == 4
    assert ten.degrees_of_freedom == 10
    assert ten.p == pytest.approx(2 * student.sf(abs(ten.t), 10))


def test_an_interval_ends_where_no_difference_can_be():
    differences = np.array([-0.9, 0.9, -0.8, 0.7, 0.9])

    free = nadeau_bengio(differences, test_share=0.25, folds=5)
    cut = nadeau_bengio(differences, test_share=0.25, folds=5, possible=(-1.0, 1.0))

    assert free.interval[0] < -1
    assert free.interval[1] > 1
    assert cut.interval == (-1.0, 1.0)
    assert cut.p == free.p


def test_a_detectable_difference_is_found_in_four_of_five_studies():
    random = np.random.default_rng(2)
    true = detectable(1.0, 8, level=0.05)
    error = np.sqrt(random.chisquare(8, 40_000) / 8)

    found = (true + random.normal(size=40_000)) / error > student.ppf(0.975, 8)

    assert true == pytest.approx(2.306004 + 0.888890, abs=1e-5)
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@given(arrays(np.float64, st.integers(5, 50), elements=st.floats(-0.5, 0.5, width=32)))
def test_the_correction_never_makes_a_difference_surer(differences):
    if np.ptp(differences) < 1e-6:
        return
    naive, corrected = paired_t(differences), TESTS[0](differences)

    assert corrected.mean == naive.mean
    assert corrected.standard_error > naive.standard_error
    assert corrected.p >= naive.p - 1e-12


@given(arrays(np.float64, st.integers(5, 50), elements=st.floats(-0.5, 0.5, width=32)))
def test_swapping_the_models_swaps_the_posterior(differences):
    if np.ptp(differences) < 1e-6:
        return
    one, other = TESTS[1](differences), TESTS[1](-differences)

    assert one.worse + one.equivalent + one.better == pytest.approx(1)
    assert (one.worse, one.better) == pytest.approx((other.better, other.worse))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_order_and_never_lowers_a_p_value(p):
    adjusted = holm(p)

    assert all(one >= raw for one, raw in zip(adjusted, p, strict=True))
    assert max(adjusted) <= 1
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_holm_of_nothing_is_nothing():
    assert holm([]) == ()
