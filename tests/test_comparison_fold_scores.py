from __future__ import annotations

import pytest

from mtsbench.comparison.fold_scores import fold_differences, fold_scores, share_tested
from mtsbench.records import StoredScore


def scored(make_record, value, fold=0, seed=0, name="harrell-c"):
    reason = "no pair" if value is None else None
    return make_record(fold, 0, seed, scores={name: StoredScore(value=value, reason=reason)})


def test_seeds_are_averaged_inside_a_fold_and_one_without_a_value_undoes_it(make_run, make_record):
    values = {(0, 0): 0.6, (0, 1): 0.8, (1, 0): 0.5, (1, 1): None}
    run = make_run(records=[scored(make_record, v, f, s) for (f, s), v in values.items()])

    assert fold_scores(run, "harrell-c") == {(0, 0): pytest.approx(0.7), (0, 1): None}
    assert fold_scores(run, "dice") == {(0, 0): None, (0, 1): None}


def test_a_fold_undefined_in_one_run_is_left_out_of_both_and_counted(make_run, make_record):
    one = make_run(records=[scored(make_record, v, f) for f, v in enumerate((0.6, None, 0.5))])
    two = make_run(records=[scored(make_record, v, f) for f, v in enumerate((0.7, 0.9, 0.4))])

    found = fold_differences(one, two, "harrell-c")

    assert found.folds == ((0, 0), (0, 2))
    assert found.values.tolist() == pytest.approx([0.1, -0.1])
    assert found.undefined == ((0, 1),)


def test_the_tested_share_is_of_all_cases_that_are_not_tested(make_run):
    assert share_tested(make_run()) == pytest.approx(50 / 100)
