"""Tests over folds and over datasets against R."""

from __future__ import annotations

import numpy as np
import pytest
from golden_values import FITTED, GOLDEN, demsar, near, read

from mtsbench.comparison.across_datasets import friedman, signed_rank_p
from mtsbench.comparison.resampled_tests import correlated_bayes, holm, nadeau_bengio, paired_t

RESAMPLING = read("resampling_tests")
RESAMPLED = ("veteran", "lung", "pbc")


def fold_table(name: str) -> dict[str, np.ndarray]:
    path = GOLDEN / f"perfold_{name}.csv"
    with path.open() as file:
        columns = file.readline().strip().split(",")
    return dict(zip(columns, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


@pytest.mark.parametrize("name", RESAMPLED)
def test_differences_of_folds(name):
    folds = fold_table(name)

    near(folds["C_B"] - folds["C_A"], RESAMPLING[name]["diff_B_minus_A"])


@pytest.mark.parametrize("name", RESAMPLED)
@pytest.mark.parametrize(
    ("key", "share"),
    [("nadeau_bengio_ratio_1_over_K_minus_1", None), ("nadeau_bengio_ratio_actual_mean", "actual")],
)
def test_corrected_resampled_t(name, key, share):
    expected, folds = RESAMPLING[name][key], fold_table(name)
    ratio = 0.25 if share is None else (folds["n_test"] / folds["n_train"]).mean()

    differences = np.array(RESAMPLING[name]["diff_B_minus_A"])
    # R has J - 1 degrees of freedom, which so many folds leave uncapped.
    found = nadeau_bengio(differences, test_share=ratio, folds=len(differences))

    near(ratio, expected["test_train_ratio"])
    near(found.mean, expected["mean"])
    near(found.standard_error, expected["se"])
    near(found.t, expected["t"])
    near(found.p, expected["p_two_sided"])
    near(found.interval, expected["ci95"])
    assert found.degrees_of_freedom == expected["df"] == expected["J"] - 1
    near(np.std(RESAMPLING[name]["diff_B_minus_A"], ddof=1), expected["sd"])


@pytest.mark.parametrize("name", RESAMPLED)
def test_naive_paired_t_and_wilcoxon_over_folds(name):
    differences = np.array(RESAMPLING[name]["diff_B_minus_A"])

    found = paired_t(differences)

    near(found.t, RESAMPLING[name]["naive_paired_t"]["t"])
    near(found.p, RESAMPLING[name]["naive_paired_t"]["p"])
    expected = RESAMPLING[name]["wilcoxon_signed_rank_naive"]["p"]
    near(signed_rank_p(differences), expected)


@pytest.mark.parametrize("name", RESAMPLED)
def test_bayesian_correlated_t(name):
    expected = RESAMPLING[name]["bayes_correlated_t_rope_0.01"]

    found = correlated_bayes(
        np.array(RESAMPLING[name]["diff_B_minus_A"]),
        correlation=expected["rho"],
        folds=50,
        equivalence=expected["rope"],
    )

    near(found.worse, expected["p_A_better"])
    near(found.equivalent, expected["p_rope"])
    near(found.better, expected["p_B_better"])
    # With rho = 1 / K the highest-density interval is Nadeau and Bengio's.
    near(expected["hdi95"], RESAMPLING[name]["nadeau_bengio_ratio_1_over_K_minus_1"]["ci95"])


def test_holm():
    near(holm(RESAMPLING["p_adjust"]["raw"]), RESAMPLING["p_adjust"]["holm"])


def test_critical_differences_of_nemenyi():
    expected = RESAMPLING["nemenyi_q"]
    for models, q in zip(expected["k"], expected["alpha_0.05"], strict=True):
        if models < 3:
            continue  # two models are compared with Wilcoxon's test
        scores = np.random.default_rng(models).random((12, models))
        found = friedman(scores).critical_difference
        near(found / np.sqrt(models * (models + 1) / 72), q, FITTED)


def test_friedman_and_critical_difference_of_demsar():
    expected, (models, scores) = read("multi_dataset")["demsar"], demsar()

    found = friedman(scores)

    assert scores.shape == (expected["N"], expected["k"])
    near(found.mean_rank, [expected["avg_rank"][model] for model in models])
    near(found.chi_squared, expected["friedman_chi2_tie_corrected"])
    near(found.p, expected["p_tie_corrected"])
    near(found.critical_difference, expected["nemenyi"]["CD_0.05"], FITTED)


def test_signed_rank_tests_with_holm_of_demsar():
    expected, (models, scores) = read("multi_dataset")["demsar"], demsar()
    column = dict(zip(models, scores.T, strict=True))

    found = [signed_rank_p(column[p["a"]] - column[p["b"]], exact=False) for p in expected["pairs"]]

    near(found, [pair["wilcoxon_p_normal_no_continuity"] for pair in expected["pairs"]])
    near(holm(found), expected["wilcoxon_holm"])
