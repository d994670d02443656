"""The flow on a model without a network: resume, failure of one trial, failure of the data."""

from __future__ import annotations

import re
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from mtsbench.errors import DataError
from mtsbench.experiment import Request, resolve
from mtsbench.machine import peak_memory_mib
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.progress import Progress
from mtsbench.runner import RunOptions, run
from mtsbench.slices import read_slice
from mtsbench.splits import make_splits
from mtsbench.store import RunStore


@pytest.fixture
def start(tiny, tmp_path):
    def start(out="run", save_masks=False, shown=None, case_memory=None, **settings):
        components = tiny.components()
        experiment = resolve(
            Request(
                model="uptake",
                dataset="tiny",
                preset="standard",
                folds=3,
                repeats=1,
                settings=settings,
            ),
            components,
        )
        outcomes = experiment.dataset.outcomes("pfs")
        splits = make_splits(outcomes, experiment.protocol, {})
        store = RunStore(tmp_path / out)
        options = RunOptions(
            cache_folder=tmp_path / "cache",
            workers=2,
            save_masks=save_masks,
            progress=Progress(Console(file=shown or StringIO(), width=100)),
            case_memory=case_memory,
        )
        run(experiment, splits, build_metrics(components), store, options)
        return store

    return start


def test_a_model_that_knows_the_truth_scores_one_in_every_fold(start):
    store = start()

    records = store.records()

    assert [record.fold for record in records] == [0, 1, 2]
    for record in records:
        assert record.scores["harrell-c"].value == 1.0
        assert record.scores["dice"].value > 0.8
        assert record.oracle == {}
        assert (
            record.cases == {"train": 12, "validation": 4, "test": 8}
            or sum(record.cases.values()) == 24
        )
    assert store.failures() == ()


def test_predictions_hold_one_row_for_each_test_case(start):
    store = start()

    tables = [
        pd.read_parquet(store.trial_folder(record) / "predictions.parquet")
        for record in store.records()
    ]

    assert sorted(pd.concat(tables)["case_id"]) == [f"T{number:02d}" for number in range(24)]


def test_a_trial_keeps_the_risks_of_all_other_cases_and_a_slice_of_each_test_case(start):
    store = start()

    outcomes = store.outcomes()
    for record in store.records():
        folder = store.trial_folder(record)
        tested = pd.read_parquet(folder / "predictions.parquet")
        others = pd.read_parquet(folder / "training_risk.parquet")
        assert sorted([*tested["case_id"], *others["case_id"]]) == sorted(outcomes.case_ids)
        # The model's risk is the uptake, which is the case's number.
        assert others.sort_values("case_id")["risk"].is_monotonic_increasing
        assert tested["true_ml"].tolist() == [8**3 * 8 / 1000] * len(tested)
        one = read_slice(folder / "slices.safetensors", tested["case_id"][0])
        assert one.true.sum() == 64
        assert one.images["pet_suv"].max() == 1 + int(tested["case_id"][0][1:])


def test_finished_trials_are_not_done_again(start):
    first = start()
    before = [
        (first.trial_folder(record) / "record.json").stat().st_mtime_ns
        for record in first.records()
    ]

    again = start()

    after = [
        (again.trial_folder(record) / "record.json").stat().st_mtime_ns
        for record in again.records()
    ]
    assert after == before


def test_data_that_changes_while_a_model_trains_is_not_filed_as_what_it_was(
    start, tiny, monkeypatch
):
    def fit(self, train, validation, context):
        self.scale = 1.0
        monkeypatch.setattr(tiny.TinyDataset, "fingerprint", lambda self: "another")

    monkeypatch.setattr(tiny.UptakeModel, "fit", fit)

    store = start()

    assert store.records() == ()
    assert len(store.failures()) == 3
    assert "fingerprint was tiny 24 and is another. Restore" in store.failures()[0].error


def test_damaged_trials_are_done_again_and_told(start):
    store, shown = start(), StringIO()
    before = [record.scores for record in store.records()]
    damaged = store.trial_folder(store.records()[1])
    text = (damaged / "record.json").read_text()
    (damaged / "record.json").write_text(text.replace('"value": 1.0', '"value": 2.0'))

    start(shown=shown)

    assert [record.scores for record in store.records()] == before
    said = " ".join(shown.getvalue().split())
    assert "is not what was written); its trial is done again" in said
    assert "2 finished trials found, continuing" in said


def test_a_damaged_file_of_the_run_is_written_again_and_told(start):
    store, shown = start(), StringIO()
    before = store.outcomes().time.tolist()
    (store.folder / "outcomes.parquet").write_bytes(b"PAR1")

    start(shown=shown)

    assert store.outcomes().time.tolist() == before
    assert "outcomes.parquet is damaged" in " ".join(shown.getvalue().split())
    assert "3 finished trials found" in shown.getvalue()


def test_a_trial_that_crashes_is_recorded_and_the_others_go_on(start):
    store = start(fails="T05")

    failures, records = store.failures(), store.records()

    assert len(failures) + len(records) == 3
    assert len(records) >= 1
    for failure in failures:
        assert failure.error == "RuntimeError: cannot learn from T05"
        assert "Traceback" in failure.traceback


def test_a_case_that_cannot_be_read_stops_the_run_and_is_named(start):
    with pytest.raises(DataError, match=r"'T03'.*pet_suv"):
        start(**{"dataset.broken": "T03"})


def test_masks_are_written_on_request_only(start):
    assert not list(start().folder.rglob("*.nii.gz"))
    assert len(list(start("masks", save_masks=True).folder.rglob("*.nii.gz"))) == 24


def test_the_peak_of_memory_while_preparing_is_told(start):
    shown = StringIO()

    start(shown=shown)

    (line,) = (line for line in shown.getvalue().splitlines() if "prepared" in line)
    told = re.fullmatch(r"24 cases prepared, peak memory (\d+) MiB", line)
    assert told
    assert 20 < int(told[1]) <= peak_memory_mib() + 1


def test_the_memory_for_cases_reaches_the_model_and_changes_no_key(start, tiny, monkeypatch):
    given = []

    def fit(self, train, validation, context):
        self.scale = 1.0
        given.append(context.case_memory)

    monkeypatch.setattr(tiny.UptakeModel, "fit", fit)

    by_default, asked = start("a"), start("b", case_memory=7)

    assert given == [None] * 3 + [7] * 3
    keys = [{record.key for record in store.records()} for store in (by_default, asked)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 3
