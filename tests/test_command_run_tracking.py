"""`mtsbench run --track` as a user runs it, with trials in processes of their own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pytest

pytest.importorskip("tensorboard", reason="the extra mtsbench[tensorboard] is not installed")
for package in ("mlflow", "sqlalchemy", "alembic"):
    pytest.importorskip(package, reason="the extra mtsbench[mlflow] is not installed")

RUN = (
    *("run", "--model=clinical-deep", "--dataset=veteran", "--preset=demo", "--device=cpu"),
    *("--folds=2", "--set=training.epochs=3", "--set=training.steps_per_epoch=2"),
    *("--jobs=2", "--track=tensorboard", "--track=mlflow", "--json"),
)
EPOCHS = [(epoch, name) for epoch in range(3) for name in ("learning_rate", "loss")]


def mtsbench(folder, *arguments):
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "mtsbench",
            *arguments,
            f"--cache={folder / 'cache'}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def finished(workplace):
    """What the command says of a run of two trials side by side."""
    done = mtsbench(workplace, *RUN)
    assert "tracker" not in done.stderr
    return json.loads(done.stdout)


def logged(workplace, sql):
    with sqlite3.connect(workplace / "runs" / "mlflow.db") as store:
        return store.execute(sql).fetchall()


def test_epochs_and_scores_of_other_processes_reach_the_store(workplace, finished):
    scores = {
        (record["fold"], name): score["value"]
        for record in finished["trials"]
        for name, score in record["scores"].items()
    }
    stored = logged(
        workplace,
        "select params.value, metrics.key, metrics.value from metrics join params using (run_uuid) "
        "where params.key = 'fold' and metrics.key like 'score/%'",
    )
    epochs = logged(
        workplace,
        "select params.value, step, metrics.key from metrics join params using (run_uuid) where "
        "params.key = 'fold' and metrics.key in ('loss', 'learning_rate') order by 1, 2, 3",
    )

    assert {(int(fold), key.removeprefix("score/")): value for fold, key, value in stored} == scores
    assert epochs == [(fold, *one) for fold in ("0", "1") for one in EPOCHS]
    assert logged(workplace, "select distinct status from runs") == [("FINISHED",)]


def test_the_files_of_a_trial_lie_beside_the_store(workplace, finished):
    files = sorted(path.name for path in (workplace / "runs/mlflow-artefacts").rglob("*.*"))
    trial = ["log.jsonl", "predictions.parquet", "record.json"]

    assert files == sorted([*trial, *trial, "report.html"])


def test_each_trial_has_an_event_folder(workplace, finished):
    run = workplace / "runs" / "tensorboard" / finished["run"]["name"]

    folders = {path.parent.relative_to(run).as_posix() for path in run.rglob("events.out.*")}
    assert folders == {".", "repeat-0-fold-0-seed-0", "repeat-0-fold-1-seed-0"}


def test_the_same_command_adds_nothing_and_a_broken_tracker_costs_nothing(workplace, finished):
    counts = "select (select count(*) from runs), (select count(*) from metrics)"
    before = logged(workplace, counts)
    (workplace / "file").write_text("where the tracker wants a folder")

    again = mtsbench(workplace, *RUN, "--set=tracker.tensorboard.folder=file")

    told = [line for line in again.stderr.splitlines() if line.startswith("tracker")]
    assert logged(workplace, counts) == before
    assert json.loads(again.stdout)["trials"] == finished["trials"]
    assert "'tensorboard' is switched off, the run goes on: NotADirectoryError" in told[0]
    assert "no result is lost, and the same command adds the finished trials" in told[1]
    assert len(told) == 2
