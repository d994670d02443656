from __future__ import annotations

import re

import numpy as np
import pytest

from mtsbench.comparison.against_reference import NOTHING_DETECTABLE, explore
from mtsbench.comparison.fitted_models import cross_validated
from mtsbench.comparison.resampled_tests import detectable
from mtsbench.comparison.summary import summarise


def test_a_clearly_better_model_is_robustly_better(analysed):
    found = analysed("poor", {"poor": 100.0, "good": 0.3}, folds=5, repeats=4)

    one = found.comparisons["good"]

    assert one.algorithm.mean > 0.2
    assert one.fitted.value > 0.2
    assert one.robust
    assert one.adjusted_p < 0.05
    assert one.posterior.better > 0.95
    assert one.undefined == ()


def test_two_models_of_chance_are_not_told_apart(analysed):
    one = analysed("a", {"a": 100.0, "b": 100.0}, folds=5, repeats=4).comparisons["b"]

    assert not one.robust
    test, fitted = one.algorithm, one.fitted
    by_test = detectable(test.standard_error, test.degrees_of_freedom, level=0.05)
    by_fitted = detectable(fitted.standard_error, fitted.degrees_of_freedom, level=0.05)
    assert one.detectable.test == pytest.approx(by_test)
    assert one.detectable.verdict == pytest.approx(max(by_test, by_fitted))


def test_what_is_detectable_by_the_test_grows_with_the_number_of_models(analysed):
    noises, same = {"a": 1.0, "b": 0.9}, {"folds": 5, "repeats": 2}
    alone = analysed("a", noises, **same).comparisons["b"]
    beside = analysed("a", {**noises, "c": 0.3}, **same, run="second00").comparisons["b"]

    assert beside.algorithm.p == pytest.approx(alone.algorithm.p)
    assert beside.detectable.test > alone.detectable.test


def test_one_average_is_called_c_index(analysed):
    """The run's own mean over folds, the leaderboard, and both tests of a difference."""
    found = analysed("a", {"a": 1.0, "b": 0.7}, folds=5, repeats=3, cases=83)

    one, two = found.entries
    for entry in found.entries:
        assert entry.c_index == pytest.approx(summarise(entry.run, "harrell-c").mean)
    comparison = found.comparisons["b"]
    assert comparison.difference == pytest.approx(two.c_index - one.c_index)
    assert comparison.algorithm.mean == pytest.approx(comparison.difference)
    assert comparison.fitted.value == pytest.approx(comparison.difference)


def test_three_folds_leave_the_fitted_models_and_no_test_of_the_methods(analysed):
    one = analysed("a", {"a": 3.0, "b": 0.3}).comparisons["b"]

    assert one.algorithm is None
    assert one.adjusted_p is None
    assert one.posterior is None
    assert one.fitted.p < 0.05
    assert not one.robust
    assert one.detectable == NOTHING_DETECTABLE
    assert one.undefined == (
        "3 test folds are too few for a test of the methods, which needs 5; run every model with "
        "--repeats 2 or more",
    )


def test_a_verdict_on_folds_of_few_events_carries_a_warning_and_advice_that_ends_it(analysed):
    noises = {"a": 1.0, "b": 0.3}
    few = analysed("a", noises, folds=9, repeats=1, cases=70, seed=3)
    (said,) = {one.few_events for one in few.comparisons.values()}
    advised = int(said.rpartition(" ")[2])

    assert re.fullmatch(
        r"test folds hold \d+ to \d+ events, fewer than 10: C is coarse there, and a verdict is "
        r"less certain than its p says; use --folds \d",
        said,
    )
    after = analysed("a", noises, folds=advised, repeats=3, cases=70, seed=3, run="second00")
    # The folds of this fixture are not stratified, so the advice is tried on their mean.
    held = [record.events["test"] for record in after.entries[0].run.records]
    assert np.mean(held) >= 10


def test_enough_events_carry_no_warning_and_too_few_patients_get_no_empty_advice(analysed):
    enough = analysed("a", {"a": 1.0, "b": 0.3}, folds=2, repeats=3).comparisons["b"]
    small = analysed("a", {"a": 1.0, "b": 0.3}, folds=3, repeats=2, cases=24, run="second00")

    assert enough.few_events is None
    assert small.comparisons["b"].few_events.endswith("; only more patients help")


def test_holm_counts_all_comparisons(analysed):
    found = analysed("a", {"a": 1.0, "b": 0.9, "c": 0.3}, folds=5, repeats=2).comparisons

    raw = {label: one.algorithm.p for label, one in found.items()}
    least = min(raw, key=raw.get)
    assert found[least].adjusted_p == pytest.approx(min(1, 2 * raw[least]))


def test_a_copy_of_the_reference_has_no_test_and_says_why(stored, analysed):
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import read_run

    store = stored(label="a", folds=5)
    copy = read_run(store)
    found = analyse([(read_run(store), store), (copy, store)], None)
    assert found.comparisons == {}

    from mtsbench.comparison.against_reference import compare_with_reference

    entry = found.entries[0]
    (one,) = compare_with_reference((entry.run, entry.sampled), [("copy", copy, entry.sampled)])
    assert one.algorithm is None
    assert one.fitted is None
    assert one.adjusted_p is None
    assert not one.robust
    assert one.difference == 0
    assert "0.0000 in all 5 folds" in one.undefined[0]
    assert "order every pair alike" in one.undefined[1]


def test_repeats_are_not_new_patients(analysed):
    """The error hardly falls with repeats, because a patient's rows are added before squaring."""
    errors = {}
    for repeats in (1, 6):
        tested = analysed(None, {f"m{repeats}": 1.0}, repeats=repeats).entries[0].tested
        errors[repeats] = cross_validated(tested).variance ** 0.5

    assert 0.5 * errors[1] < errors[6] < errors[1]


def test_another_metric_is_explored_or_its_reason_given(analysed):
    runs = [e.run for e in analysed(None, {"a": 1.0, "b": 2.0}, folds=5).entries]

    assert explore(*runs, "dice").degrees_of_freedom == 4
    assert explore(*runs, "ibs").startswith("0 test folds are too few for a test of the methods")
