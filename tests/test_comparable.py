from __future__ import annotations

import shutil

import numpy as np
import pytest

from mtsbench.comparison.comparable import by_dataset, check_comparable, read_run
from mtsbench.comparison.summary import summarise
from mtsbench.data import Outcomes
from mtsbench.errors import DataError, IncomparableRunsError
from mtsbench.records import StoredScore
from mtsbench.splits import Split, splits_hash
from mtsbench.store import RunStore


def method(description, **changes):
    return {"method": {**description.method, **changes}}


def question(description, **changes):
    return {"question": {**description.question, **changes}}


def test_runs_of_different_methods_on_the_same_question_are_comparable(
    make_run, make_description, make_record
):
    usual = make_description()
    other = make_description(
        name="other", **method(usual, model="radiomics", options={}, versions={"radiomics": "2"})
    )
    scores = {"harrell-c": StoredScore(value=None, reason="no pair")}
    records = tuple(make_record(fold, scores=scores, method_sha256="0") for fold in range(3))

    check_comparable([make_run(), make_run(other, records), make_run(other)])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("dataset", "hecktor", "npc and hecktor"),
        ("fingerprint", "0" * 64, "ffff and 0000"),
        ("endpoint", "os", "pfs and os"),
        ("preset", "paper", "demo and paper"),
        ("protocol", {"repeats": 1, "folds": 5, "seeds": [0]}, "'folds': 3.* and .*'folds': 5"),
        ("tau", 365, "None and 365"),
    ],
)
def test_a_question_that_differs_is_named_with_both_values(
    make_run, make_description, name, value, shown
):
    other = make_description(name="other", **question(make_description(), **{name: value}))
    between = shown.replace(" and ", ".* and .*")

    with pytest.raises(
        IncomparableRunsError,
        match=f"^npc-pfs-deepmts-demo-01234567 and other differ in {name}: .*{between}.*; run both",
    ):
        check_comparable([make_run(), make_run(), make_run(other)])


def test_other_splits_are_refused(make_run, make_description):
    other = make_description(splits_sha256="6" * 64)

    with pytest.raises(IncomparableRunsError, match="differ in splits: 555555555555 and 66666666"):
        check_comparable([make_run(), make_run(other)])


def test_use_of_the_true_mask_by_one_run_is_refused(make_run, make_description):
    other = make_description(**method(make_description(), needs_mask_at_test=True))

    with pytest.raises(
        IncomparableRunsError, match="use of the true mask at test time: False and True"
    ):
        check_comparable([make_run(), make_run(other)])
    check_comparable([make_run(other), make_run(other)])


def test_use_of_the_true_mask_and_nothing_else_is_allowed_on_request(make_run, make_description):
    usual = make_description()
    other = make_description(name="other", **method(usual, needs_mask_at_test=True))
    check_comparable([make_run(), make_run(other)], allow_true_mask=True)

    splits = make_description(splits_sha256="6" * 64, **method(usual, needs_mask_at_test=True))
    with pytest.raises(IncomparableRunsError, match="differ in splits"):
        check_comparable([make_run(), make_run(splits)], allow_true_mask=True)


@pytest.mark.parametrize("position", [0, 1])
def test_a_missing_trial_is_named(make_run, make_description, make_record, position):
    records = (make_record(0), make_record(2))
    runs = [make_run(), make_run()]
    runs[position] = make_run(make_description(name="half"), records)

    with pytest.raises(
        IncomparableRunsError,
        match=r"^half has no result for repeat 0 fold 1 seed 0; finish it with the same `mtsbench",
    ):
        check_comparable(runs)


def test_a_failed_trial_is_missing_with_its_reason(make_run, make_record, make_failure):
    failed = make_run(records=(make_record(0), make_record(1)), failures=[make_failure(2)])

    with pytest.raises(IncomparableRunsError, match=r"seed 0 \(the training loss became nan\)"):
        check_comparable([make_run(), failed])


def test_a_trial_that_every_run_lacks_is_no_difference_but_is_counted(make_run, make_record):
    half = make_run(records=(make_record(0), make_record(1)))

    check_comparable([half, half])
    assert summarise(half, "harrell-c").text().endswith("(2/3)")


def test_runs_without_any_trial_are_refused(make_run):
    with pytest.raises(IncomparableRunsError, match="has no result for every trial; finish it"):
        check_comparable([make_run(records=()), make_run(records=())])


def test_a_copy_of_a_run_is_no_second_run(stored, tmp_path):
    store = stored(label="a", masks=False, curves=False)
    copy = RunStore(shutil.copytree(store.folder, tmp_path / "copy"))

    with pytest.raises(IncomparableRunsError, match=r"a-demo.* and .*copy hold the very same tri"):
        by_dataset([(read_run(one), one) for one in (store, copy)])


def test_a_run_is_read_from_its_folder(tmp_path, make_description, make_record, make_failure):
    store = RunStore(tmp_path)
    outcomes = Outcomes(
        endpoint="pfs", case_ids=("P1",), time=np.array([9.0]), event=np.array([True])
    )
    splits = [
        Split(repeat=0, fold=fold, train=(), validation=(), test=("P1",)) for fold in range(2)
    ]
    description = make_description(splits_sha256=splits_hash(splits), trials=2)
    store.begin(description, splits, outcomes)
    keys = store.expected()
    record, failed = make_record(key=keys[0]), make_failure(1)
    failed = failed.model_copy(update={"key": keys[1]})
    store.save_trial(
        record.key, lambda folder: (folder / "record.json").write_text(record.model_dump_json())
    )
    store.save_failure(failed)

    run = read_run(store)

    assert run.label == "deepmts"
    assert (run.description, run.records) == (description, (record,))
    assert run.failures == (failed,)
    with pytest.raises(DataError, match=r"run.json does not exist"):
        read_run(RunStore(tmp_path / "elsewhere"))
