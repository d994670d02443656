"""Corrected tests on fold differences; their values by R are in test_golden_comparison.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtsbench.comparison.resampled_tests import correlated_bayes, holm, nadeau_bengio, paired_t
from mtsbench.metrics.undefined import UndefinedMetricError

TESTS = [
    lambda d: nadeau_bengio(d, test_share=0.25),
    paired_t,
    lambda d: correlated_bayes(d, correlation=0.2, equivalence=0.01),
]


@pytest.mark.parametrize("test", TESTS)
def test_one_fold_gives_no_test(test):
    with pytest.raises(UndefinedMetricError, match="1 fold gives no variance; a test needs two"):
        test(np.array([0.1]))


@pytest.mark.parametrize("test", TESTS)
def test_equal_differences_give_no_test(test):
    with pytest.raises(UndefinedMetricError, match=r"difference is 0.1000 in all 3 folds, so it"):
        test(np.array([0.1, 0.1, 0.1]))


@given(arrays(np.float64, st.integers(3, 50), elements=st.floats(-0.5, 0.5, width=32)))
def test_the_correction_never_makes_a_difference_surer(differences):
    if np.ptp(differences) < 1e-6:
        return
    naive, corrected = paired_t(differences), nadeau_bengio(differences, test_share=0.25)

    assert corrected.mean == naive.mean
    assert corrected.standard_error > naive.standard_error
    assert corrected.p >= naive.p - 1e-12


@given(arrays(np.float64, st.integers(3, 50), elements=st.floats(-0.5, 0.5, width=32)))
def test_swapping_the_models_swaps_the_posterior(differences):
    if np.ptp(differences) < 1e-6:
        return
    one = correlated_bayes(differences, correlation=0.2, equivalence=0.01)
    other = correlated_bayes(-differences, correlation=0.2, equivalence=0.01)

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
