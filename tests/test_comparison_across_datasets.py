"""Means and tests over datasets; values by R are in test_golden_comparison.py."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from mtsbench.comparison.across_datasets import friedman, random_effects, refusal, signed_rank_p
from mtsbench.errors import UndefinedMetricError


def test_the_random_effects_mean_is_that_of_its_formula():
    # By hand: weights 100, 25, 100; Q = 5.0 on 2 df; tau^2 = 3 / (225 - 20625 / 225).
    differences, errors = np.array([0.0, 0.2, 0.2]), np.array([0.1, 0.2, 0.1])
    fixed = (0 * 100 + 0.2 * 25 + 0.2 * 100) / 225
    q = 100 * fixed**2 + 125 * (0.2 - fixed) ** 2
    tau2 = max(0, (q - 2) / (225 - 20625 / 225))
    weight = 1 / (errors**2 + tau2)
    mean = (weight * differences).sum() / weight.sum()

    found = random_effects(differences, errors)

    assert found.mean == pytest.approx(mean)
    assert found.between == pytest.approx(tau2**0.5)
    spread = (weight * (differences - mean) ** 2).sum() / 2 / weight.sum()
    assert found.interval[1] - mean == pytest.approx(4.302653 * spread**0.5, rel=1e-6)


@pytest.mark.parametrize("error", [0.0, float("nan")])
def test_a_dataset_without_spread_gives_a_reason_and_no_mean(error):
    with pytest.raises(UndefinedMetricError, match="1 of 3 datasets have a difference without sp"):
        random_effects(np.array([0.1, 0.2, 0.3]), np.array([error, 0.1, 0.1]))


def test_an_interval_of_a_mean_ends_where_no_difference_can_be():
    differences, errors = np.array([-0.4, 0.5]), np.array([0.1, 0.1])

    assert random_effects(differences, errors).interval[1] > 1
    assert random_effects(differences, errors, possible=(-1, 1)).interval == (-1, 1)


def test_a_mean_of_one_dataset_is_refused():
    with pytest.raises(UndefinedMetricError, match="over datasets needs two or more, got 1"):
        random_effects(np.array([0.1]), np.array([0.1]))


@pytest.mark.parametrize(
    ("count", "best"), [(1, "1 dataset allows no .*p = 1 at"), (5, "5 datasets .*p = 0.0625 at")]
)
def test_fewer_than_six_datasets_give_a_sentence_and_no_p(count, best):
    with pytest.raises(UndefinedMetricError, match=best):
        signed_rank_p(np.linspace(0.01, 0.05, count))
    assert str(count) in refusal(count)


def test_six_datasets_of_one_sign_give_the_smallest_p():
    assert signed_rank_p(np.linspace(0.01, 0.06, 6)) == pytest.approx(2 / 2**6)


def by_counting_signs(differences) -> float:
    """Share of all ways to deal the signs that are as far from the middle."""
    sizes = np.abs(differences[differences != 0])
    rank = rankdata(sizes)
    signs = np.array(list(itertools.product([0, 1], repeat=len(sizes))))
    middle = rank.sum() / 2
    observed = abs(rank[differences[differences != 0] > 0].sum() - middle)
    return float((np.abs(signs @ rank - middle) >= observed - 1e-9).mean())


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=10).filter(any))
def test_the_signed_rank_p_is_that_of_counting_signs_with_ties_too(drawn):
    differences = np.array(drawn) / 100

    found = signed_rank_p(differences)

    assert found == pytest.approx(by_counting_signs(np.array(drawn, dtype=float)))
    assert found >= 2 / 2 ** np.count_nonzero(differences) - 1e-12


def test_sizes_that_are_equal_but_for_rounding_share_their_rank():
    differences = np.array([0.1 + 0.2, 0.3, 0.3, -0.3, 0.3, 0.6 / 2, 0.5])

    assert signed_rank_p(differences) == signed_rank_p(np.array([3, 3, 3, -3, 3, 3, 5.0]))


def test_many_differences_with_ties_are_tested_by_the_normal_distribution():
    differences = np.array([0.01, 0.02] * 10 + [-0.01] * 5)

    assert signed_rank_p(differences) == signed_rank_p(differences, exact=False)


def test_models_equal_everywhere_give_no_p():
    with pytest.raises(UndefinedMetricError, match="equal on every dataset"):
        signed_rank_p(np.zeros(7))
    with pytest.raises(UndefinedMetricError, match="equal on every dataset"):
        friedman(np.tile(np.linspace(0.5, 0.9, 12)[:, None], (1, 3)))


def test_ranks_need_ten_datasets_and_three_models():
    with pytest.raises(UndefinedMetricError, match="needs 10 datasets and 3 models, got 9 and 3"):
        friedman(np.random.default_rng(1).random((9, 3)))
    with pytest.raises(UndefinedMetricError, match="got 12 and 2"):
        friedman(np.random.default_rng(1).random((12, 2)))


def test_ranks_follow_the_direction_of_the_score():
    scores = np.tile([0.7, 0.6, 0.5], (10, 1))

    assert friedman(scores).mean_rank.tolist() == [1, 2, 3]
    assert friedman(scores, higher_is_better=False).mean_rank.tolist() == [3, 2, 1]
