"""What MLflow's store holds of a real, tiny run."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from mtsbench.comparison.summary import Summary
from mtsbench.plugins import load_components
from mtsbench.records import StoredScore
from mtsbench.testing import TrackerContract

for package in ("mlflow", "sqlalchemy", "alembic"):
    pytest.importorskip(package, reason="the extra mtsbench[mlflow] is not installed")

from mlflow.tracking import MlflowClient  # noqa: E402

from mtsbench.trackers import mlflow as module  # noqa: E402
from mtsbench.trackers.mlflow import MLflow, embedded_store  # noqa: E402

TRIAL = "repeat 0 fold 0 seed 0"
NAMES = (f"experiment-{number}" for number in itertools.count())


class TestMLflowContract(TrackerContract):
    component = "mlflow"


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """One store for all tests, each with an experiment of its own: it takes seconds to make."""
    return embedded_store(tmp_path_factory.mktemp("a store") / "not there yet")


@pytest.fixture
def experiment():
    return next(NAMES)


@pytest.fixture
def begin(uri, experiment, tmp_path):
    return lambda: MLflow(uri, experiment, tmp_path / "files of trials")


@pytest.fixture
def found(uri, experiment):
    """The runs of the experiment by name, in the order they began."""

    def found():
        client = MlflowClient(tracking_uri=uri)
        (where,) = [one for one in client.search_experiments() if one.name == experiment]
        runs = client.search_runs(
            [where.experiment_id], order_by=["attributes.start_time ASC"], max_results=100
        )
        return client, [(run.info.run_name, run) for run in runs]

    return found


def history(client, run, name):
    points = client.get_metric_history(run.info.run_id, name)
    return [(one.step, one.value) for one in points]


def test_a_run_has_a_nested_run_for_each_trial_with_scores_and_files(tiny, begin, found, tmp_path):
    store, told = tiny.follow(tmp_path, {"mlflow": begin()})

    client, runs = found()
    by_name = dict(runs)
    parent = by_name[store.description().name]
    assert "tracker" not in told
    assert len(runs) == 4
    for record in store.records():
        run = by_name[f"repeat 0 fold {record.fold} seed 0"]
        defined = {
            f"score/{name}": score.value
            for name, score in record.scores.items()
            if score.value is not None
        }
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.info.status == "FINISHED"
        assert run.data.tags["mtsbench.key"] == record.key
        assert run.data.tags["simulated"] == "False"
        assert run.data.params == {"repeat": "0", "fold": str(record.fold), "seed": "0"}
        assert {name: run.data.metrics[name] for name in defined} == defined
        assert run.data.metrics["seconds/fit"] == record.phase_seconds["fit"]
        assert history(client, run, "loss") == [(0, 0.5)]
        files = [one.path for one in client.list_artifacts(run.info.run_id)]
        assert files == ["log.jsonl", "predictions.parquet", "record.json"]
        assert str(tmp_path / "files of trials") in run.info.artifact_uri.replace("%20", " ")


def test_the_run_itself_has_the_options_the_means_and_the_report(tiny, begin, found, tmp_path):
    store, _ = tiny.follow(tmp_path, {"mlflow": begin()})

    client, runs = found()
    parent = dict(runs)[store.description().name]
    values = [record.scores["harrell-c"].value for record in store.records()]
    assert parent.info.status == "FINISHED"
    assert parent.data.params["model"] == "uptake"
    assert parent.data.params["simulated"] == "False"
    assert parent.data.params["training.epochs"].isdigit()
    assert parent.data.metrics["mean/harrell-c"] == pytest.approx(sum(values) / 3)
    assert "SD/harrell-c" in parent.data.metrics
    assert parent.data.tags["mlflow.note.content"].startswith("tiny · pfs")
    assert [one.path for one in client.list_artifacts(parent.info.run_id)] == ["report.html"]


def test_a_run_that_goes_on_adds_nothing_to_what_is_held(tiny, begin, found, tmp_path):
    tiny.follow(tmp_path, {"mlflow": begin()})
    client, before = found()

    tiny.follow(tmp_path, {"mlflow": begin()})

    _, after = found()
    assert [name for name, _ in after] == [name for name, _ in before]
    for (_, old), (_, new) in zip(before, after, strict=True):
        assert new.info.status == "FINISHED"
        for name in old.data.metrics:
            assert len(history(client, new, name)) == 1


def test_a_trial_that_is_missing_is_added_with_its_epochs(tiny, begin, found, tmp_path):
    tiny.follow(tmp_path, {})

    tiny.follow(tmp_path, {"mlflow": begin()})

    client, runs = found()
    assert len(runs) == 4
    assert history(client, dict(runs)[TRIAL], "loss") == [(0, 0.5)]


def test_an_undefined_score_is_a_tag_with_its_reason(
    begin, found, make_description, make_record, stored
):
    store, tracker = stored(label="deepmts"), begin()
    scores = {
        "dice": StoredScore(value=None, reason="no patient has a mask"),
        "auc": StoredScore(value=0.5),
    }
    tracker.run_started(make_description())
    folder = store.trial_folder(store.records()[0])
    (folder / "log.jsonl").touch()
    tracker.epoch(TRIAL, 2, {"loss": float("nan"), "rate": 0.1})
    tracker.trial_finished(TRIAL, make_record(scores=scores), folder)
    partly = Summary(metric="dice", mean=0.5, spread=None, defined=1, trials=3)
    tracker.run_finished(folder / "record.json", {"dice": partly})

    _, runs = found()
    trial, parent = dict(runs)[TRIAL], dict(runs)[make_description().name]
    assert trial.data.tags["undefined.score/dice"] == "no patient has a mask"
    assert trial.data.tags["undefined.loss"] == "nan in epoch 2"
    assert trial.data.tags["simulated"] == "True"
    assert {"score/dice", "loss"}.isdisjoint(trial.data.metrics)
    assert trial.data.metrics["score/auc"] == 0.5
    assert parent.data.tags["undefined.dice"] == "defined in 1 of 3 trials"
    assert parent.data.metrics == {"mean/dice": 0.5}


def test_a_failed_trial_has_its_error_and_traceback(begin, found, make_description, make_failure):
    tracker = begin()
    tracker.run_started(make_description())
    tracker.trial_failed(TRIAL, make_failure(error="x" * 9000))
    tracker.close()

    client, runs = found()
    trial, parent = dict(runs)[TRIAL], dict(runs)[make_description().name]
    assert (trial.info.status, parent.info.status) == ("FAILED", "KILLED")
    assert trial.data.tags["error"] == "x" * module.LONGEST_TAG
    assert [one.path for one in client.list_artifacts(trial.info.run_id)] == ["traceback.txt"]


def test_a_trial_that_was_cut_off_is_marked_and_begun_anew(
    begin, found, make_description, make_record, stored
):
    store = stored(label="deepmts")
    folder = store.trial_folder(store.records()[0])
    (folder / "log.jsonl").touch()
    killed = begin()
    killed.run_started(make_description())
    killed.epoch(TRIAL, 0, {"loss": 9.0})  # and the process is gone

    again = begin()
    held = again.run_started(make_description())
    again.epoch(TRIAL, 0, {"loss": 1.0})
    again.trial_finished(TRIAL, make_record(), folder)

    client, runs = found()
    trials = [run for name, run in runs if name == TRIAL]
    assert not held
    assert [run.info.status for run in trials] == ["KILLED", "FINISHED"]
    assert history(client, trials[1], "loss") == [(0, 1.0)]
    assert begin().run_started(make_description()) == {make_record().key}


def test_epochs_are_written_in_batches_and_within_seconds(
    begin, found, make_description, monkeypatch
):
    tracker, now = begin(), [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    tracker.run_started(make_description())
    for epoch in range(1500):
        tracker.epoch(TRIAL, epoch, {"loss": float(epoch)})
    client, runs = found()
    assert dict(runs)[TRIAL].data.metrics == {}

    now[0] = module.SECONDS_BETWEEN_WRITES
    tracker.epoch(TRIAL, 1500, {"loss": 1500.0})

    client, runs = found()
    assert history(client, dict(runs)[TRIAL], "loss") == [(e, float(e)) for e in range(1501)]


def test_many_options_are_all_kept(begin, found, make_description):
    options = {f"option-{number}": number for number in range(250)}
    tracker = begin()

    tracker.run_started(make_description(method={"model": "many", "options": options}))

    params = found()[1][0][1].data.params
    assert [params[f"options.{name}"] for name in options] == list(map(str, range(250)))


def test_the_store_may_be_told_and_the_experiment_too(uri, experiment, found, install, tmp_path):
    install()
    options = {"store": uri, "experiment": experiment}

    load_components().build("tracker", "mlflow", tmp_path / "runs", options=options)

    assert found()[1] == []
    assert not (tmp_path / "runs").exists()


def test_nothing_is_told_to_the_network():
    """In a process that MLflow does not know as a test or CI, where it would be silent."""
    code = (
        "import mtsbench.trackers.mlflow\n"
        "from mlflow.telemetry.client import get_telemetry_client\n"
        "print(get_telemetry_client())"
    )
    told = ("CI", "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "MLFLOW_DISABLE_TELEMETRY")
    known = {name: value for name, value in os.environ.items() if name not in told}

    done = subprocess.run(
        [sys.executable, "-c", code], env=known, capture_output=True, text=True, check=True
    )

    assert done.stdout == "None\n"
