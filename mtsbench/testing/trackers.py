"""What a tracker promises: it takes every run as it comes, and knows what it holds already."""

from __future__ import annotations

import atexit
import json
import math
import random
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pandas as pd

from mtsbench.checksums import write_checksums
from mtsbench.comparison.summary import Summary
from mtsbench.errors import MissingPackageError
from mtsbench.events import trial_label
from mtsbench.interfaces import Tracker
from mtsbench.records import FailedTrial, RunDescription, StoredScore, TrialRecord
from mtsbench.testing.contract import Contract, NotApplicable, ensure

TRIALS = 3
UNDEFINED = StoredScore(value=None, reason="no patient of the fold has a mask", cases=0)


class TrackerContract(Contract):
    """Checks of one tracker, with records of trials that nobody trained.

    All checks share a folder, each with a run of its own: a store may take seconds to make.
    """

    kind = "tracker"

    def test_a_run_is_followed_to_its_end(self) -> None:
        """Epochs, trials and the report of a run are taken; epochs of trials may be mixed."""
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("whole"))
            for epoch in range(2):
                for fold in range(TRIALS):
                    _call(tracker, "epoch", _label(fold), epoch, {"loss": 1 / (1 + epoch)})
            for fold in range(TRIALS):
                self._finish(tracker, fold)
            _call(tracker, "run_finished", self._report(), _summaries())

    def test_what_is_undefined_is_taken(self) -> None:
        """A score without a value, and a logged value that is not finite, are no mistakes."""
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("undefined"))
            _call(tracker, "epoch", _label(0), 0, {"loss": math.nan, "rate": math.inf})
            self._finish(tracker, 0, {"dice": UNDEFINED})
            nothing = Summary(metric="dice", mean=None, spread=None, defined=0, trials=TRIALS)
            _call(tracker, "run_finished", self._report(), {"dice": nothing})

    def test_a_run_that_goes_on_knows_its_finished_trials(self) -> None:
        """After a stop, `run_started` gives the keys of the finished trials and no others."""
        with self._tracker() as tracker:
            self._begins_with(tracker, "stopped", set())
            self._finish(tracker, 0)
            _call(tracker, "epoch", _label(1), 0, {"loss": 1.0})
            _call(tracker, "trial_failed", _label(2), _failed(2))
        with self._tracker() as tracker:
            self._begins_with(tracker, "stopped", {_record(0).key})

    def test_a_trial_that_failed_may_be_done_again(self) -> None:
        """A trial that failed or was cut off, and then finishes, is held."""
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("again"))
            _call(tracker, "trial_failed", _label(0), _failed(0))
            _call(tracker, "epoch", _label(1), 0, {"loss": 1.0})
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("again"))
            for fold in (0, 1):
                self._finish(tracker, fold)
        with self._tracker() as tracker:
            self._begins_with(tracker, "again", {_record(0).key, _record(1).key})

    def test_a_run_that_was_finished_may_be_asked_for_again(self) -> None:
        """With every trial held, `run_finished` may come again."""
        for held in (set[str](), {_record(0).key}):
            with self._tracker() as tracker:
                self._begins_with(tracker, "twice", held)
                if not held:
                    self._finish(tracker, 0)
                _call(tracker, "run_finished", self._report(), _summaries())

    def test_one_run_may_follow_another(self) -> None:
        """A tracker takes several runs in turn, and keeps their trials apart."""
        with self._tracker() as tracker:
            for name in ("first", "second"):
                self._begins_with(tracker, name, set())
                self._finish(tracker, 0)
                _call(tracker, "run_finished", self._report(), _summaries())

    def test_it_may_be_closed_at_any_time(self) -> None:
        """Before a run, after its start and within a trial."""
        with self._tracker():
            pass
        for epochs in (0, 1):
            with self._tracker() as tracker:
                _call(tracker, "run_started", _description("closed"))
                for epoch in range(epochs):
                    _call(tracker, "epoch", _label(0), epoch, {"loss": 1.0})

    def test_the_files_of_a_trial_are_left_alone(self) -> None:
        """Nothing in the folder of a trial is changed, added or removed."""
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("files"))
            folder = self._folder(_record(0))
            before = {path.name: path.read_bytes() for path in folder.iterdir()}
            _call(tracker, "trial_finished", _label(0), _record(0), folder)
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        changed = sorted(
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        )
        ensure(not changed, f"trial_finished changed {changed}; only read the trial's folder")

    def test_no_random_number_is_drawn(self) -> None:
        """Random states of Python, NumPy and torch stay as they are: results depend on them."""
        import torch

        def states() -> tuple[object, object, list[int]]:
            drawn: list[int] = torch.get_rng_state().tolist()
            return random.getstate(), str(np.random.get_state()), drawn

        before = states()
        with self._tracker() as tracker:
            _call(tracker, "run_started", _description("random"))
            _call(tracker, "epoch", _label(0), 0, {"loss": 1.0})
            self._finish(tracker, 0)
            _call(tracker, "run_finished", self._report(), _summaries())
        names = ("random", "numpy.random", "torch")
        changed = [
            name for name, old, new in zip(names, before, states(), strict=True) if old != new
        ]
        ensure(not changed, f"the state of {changed} has changed; use a generator of your own")

    @contextmanager
    def _tracker(self) -> Iterator[Tracker]:
        """A new tracker, as another command would build it, and its end."""
        try:
            tracker = cast("Tracker", self.build(self._shared() / "runs"))
        except MissingPackageError as error:
            raise NotApplicable(str(error)) from error
        yield tracker
        _call(tracker, "close")

    def _begins_with(self, tracker: Tracker, run: str, expected: set[str]) -> None:
        held = set(cast("Collection[str]", _call(tracker, "run_started", _description(run))))
        names = {_record(fold).key: _label(fold) for fold in range(TRIALS)}
        wrong = sorted(names.get(key, repr(key)) for key in held - expected)
        lacking = sorted(names[key] for key in expected - held)
        ensure(
            not wrong and not lacking,
            f"run_started gives {len(held)} keys, {len(expected)} trials of this run are finished"
            + (f"; lacking: {', '.join(lacking)}" if lacking else "")
            + (f"; not finished: {', '.join(wrong)}" if wrong else ""),
        )

    def _finish(
        self, tracker: Tracker, fold: int, scores: dict[str, StoredScore] | None = None
    ) -> None:
        record = _record(fold, scores)
        _call(tracker, "trial_finished", _label(fold), record, self._folder(record))

    def _folder(self, record: TrialRecord) -> Path:
        """What a run leaves of a trial, written anew."""
        folder = self._shared() / "trials" / record.key
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "record.json").write_text(record.model_dump_json())
        (folder / "log.jsonl").write_text(json.dumps({"epoch": 0, "loss": 1.0}) + "\n")
        risks = pd.DataFrame({"case_id": ["case-0", "case-1"], "risk": [0.5, -0.5]})
        risks.to_parquet(folder / "predictions.parquet", index=False)
        write_checksums(folder, record.key, folder.iterdir())
        return folder

    def _report(self) -> Path:
        path = self._shared() / "report.html"
        path.write_text("<!doctype html><title>A report</title>")
        return path

    @classmethod
    def _shared(cls) -> Path:
        if "_temporary" not in vars(cls):
            cls._temporary = Path(tempfile.mkdtemp(prefix="mtsbench-tracker-"))
            atexit.register(shutil.rmtree, cls._temporary, ignore_errors=True)
        return cls._temporary

    _temporary: ClassVar[Path]


def _call(tracker: Tracker, method: str, *arguments: object) -> object:
    try:
        given: object = getattr(tracker, method)(*arguments)
    except Exception as error:
        given, what = None, f"{method} raised {type(error).__name__}: {error}"
        ensure(False, f"{what}; a run would go on without this tracker")
    return given


def _label(fold: int) -> str:
    return trial_label(0, fold, 0)


def _description(name: str) -> RunDescription:
    return RunDescription(
        name=f"phantom-pfs-model-demo-{name}",
        question={"dataset": "phantom", "endpoint": "pfs", "preset": "demo"},
        method={"model": "model", "options": {"width": 8, "link": None}, "versions": {}},
        dataset_options={},
        splits_sha256="0" * 64,
        simulated=True,
        cases=30,
        events=20,
        without_outcome=0,
        trials=TRIALS,
    )


def _record(fold: int, scores: dict[str, StoredScore] | None = None) -> TrialRecord:
    return TrialRecord(
        key=str(fold) * 64,
        repeat=0,
        fold=fold,
        seed=0,
        split_sha256="0" * 64,
        method_sha256="0" * 64,
        cases={"train": 16, "validation": 4, "test": 10},
        events={"train": 11, "validation": 3, "test": 6},
        scores=scores or {"harrell-c": StoredScore(value=0.6 + fold / 10, cases=10)},
        oracle={"harrell-c": StoredScore(value=0.8, cases=10)},
        simulated=True,
        phase_seconds={"prepare": 0.1, "fit": 1.0, "predict": 0.1, "score": 0.1},
        peak_memory_mib=100.0,
        device="cpu",
        platform={"python": "3"},
        git=None,
    )


def _failed(fold: int) -> FailedTrial:
    return FailedTrial(
        key=str(fold) * 64,
        repeat=0,
        fold=fold,
        seed=0,
        error="RuntimeError: out of memory",
        traceback="Traceback (most recent call last):\nRuntimeError: out of memory\n",
    )


def _summaries() -> dict[str, Summary]:
    return {
        "harrell-c": Summary(
            metric="harrell-c", mean=0.7, spread=0.1, defined=TRIALS, trials=TRIALS
        )
    }
