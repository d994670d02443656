from __future__ import annotations

import numpy as np
import pytest

from mtsbench.comparison.against_reference import (
    explore,
    stratified_concordance,
)


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
    assert one.detectable == pytest.approx(2.8 * one.fitted.standard_error)


def test_holm_counts_all_comparisons(analysed):
    found = analysed("a", {"a": 1.0, "b": 0.9, "c": 0.3}, folds=5, repeats=2).comparisons

    raw = {label: one.algorithm.p for label, one in found.items()}
    least = min(raw, key=raw.get)
    assert found[least].adjusted_p == pytest.approx(min(1, 2 * raw[least]))


def test_a_copy_of_the_reference_has_no_test_and_says_why(stored, analysed):
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import read_run

    store = stored(label="a")
    copy = read_run(store)
    found = analyse([(read_run(store), store), (copy, store)], None)
    assert found.comparisons == {}

    from mtsbench.comparison.against_reference import compare_with_reference

    entry = found.entries[0]
    (one,) = compare_with_reference((entry.run, entry.tested), [("copy", copy, entry.tested)])
    assert one.algorithm is None
    assert one.fitted is None
    assert one.adjusted_p is None
    assert not one.robust
    assert "0.0000 in all 3 folds" in one.undefined[0]
    assert "order every pair alike" in one.undefined[1]


def test_repeats_are_not_new_patients(analysed):
    """The error hardly falls with repeats, because a patient's rows are added before squaring."""
    errors = {}
    for repeats in (1, 6):
        tested = analysed(None, {f"m{repeats}": 1.0}, repeats=repeats).entries[0].tested
        found = stratified_concordance(tested)
        errors[repeats] = found.standard_error(tested.patient())
        if repeats == 6:
            assert errors[6] > 1.4 * np.sqrt(found.variance)

    assert errors[6] > 0.5 * errors[1]


def test_another_metric_is_explored_or_its_reason_given(analysed):
    runs = [e.run for e in analysed(None, {"a": 1.0, "b": 2.0}).entries]

    assert explore(*runs, "dice").degrees_of_freedom == 2
    assert explore(*runs, "ibs") == "0 fold gives no variance; a test needs two or more"
