from __future__ import annotations

import shutil

import numpy as np
import pytest

from mtsbench.comparison.comparable import check_comparable, check_copies, read_run
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
        ("fingerprint", "0" * 64, "ffffffffffff and 000000000000"),
        ("endpoint", "os", "pfs and os"),
        ("preset", "paper", "demo and paper"),
        ("tau", 365, "none and 365"),
    ],
)
def test_a_question_that_differs_is_named_with_both_values(
    make_run, make_description, name, value, shown
):
    other = make_description(name="other", **question(make_description(), **{name: value}))

    with pytest.raises(
        IncomparableRunsError,
        match=f"^npc-pfs-deepmts-demo-01234567 and other differ in {name}: {shown}; run both",
    ):
        check_comparable([make_run(), make_run(), make_run(other)])


@pytest.mark.parametrize(
    ("protocol", "shown"),
    [
        ({"repeats": 1, "folds": 5, "seeds": [0]}, "folds: 3 and 5"),
        ({"repeats": 1, "folds": 3, "seeds": [0, 1]}, "seeds: 0 and 0,1"),
        (
            {"repeats": 2, "folds": 5, "seeds": [0], "validation_share": 0.3},
            "repeats: 1 and 2, folds: 3 and 5, validation share: none and 0.3",
        ),
    ],
)
def test_protocols_differ_in_words(make_run, make_description, protocol, shown):
    splits = ("5" if protocol["folds"] == 3 else "6") * 64
    other = make_description(
        name="other", splits_sha256=splits, **question(make_description(), protocol=protocol)
    )

    with pytest.raises(IncomparableRunsError) as refused:
        check_comparable([make_run(), make_run(other)])

    assert f"differ in {shown}; run both" in str(refused.value)
    assert not set("{}[]'") & set(str(refused.value))


def test_other_splits_are_refused(make_run, make_description):
    other = make_description(splits_sha256="6" * 64)

    with pytest.raises(IncomparableRunsError, match="differ in splits: 555555555555 and 66666666"):
        check_comparable([make_run(), make_run(other)])


def test_use_of_the_true_mask_by_one_run_is_refused(make_run, make_description):
    other = make_description(**method(make_description(), needs_mask_at_test=True))

    with pytest.raises(
        IncomparableRunsError, match="use of the true mask at test time: no and yes; no new"
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


def test_a_copy_of_a_run_is_no_second_run(stored, tmp_path):
    store = stored(label="a", masks=False, curves=False)
    copy = RunStore(shutil.copytree(store.folder, tmp_path / "copy"))

    with pytest.raises(IncomparableRunsError, match=r"a-demo.* and .*copy hold the very same tri"):
        check_copies([(read_run(one), one) for one in (store, copy)])


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
