"""MLflow: a run with a nested run for each trial, by default in an SQLite file."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

import alembic  # noqa: F401 - the SQLite store needs both, and mlflow-skinny brings neither
import sqlalchemy  # noqa: F401
from mlflow.entities import Metric, Param, Run, RunStatus, RunTag
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from mtsbench.records import RECORD
from mtsbench.report.tables import title
from mtsbench.trackers.names import all_scores, choices
from mtsbench.trial_files import LOG, PREDICTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from mtsbench.comparison.summary import Summary
    from mtsbench.records import FailedTrial, RunDescription, TrialRecord

RUN_TAG, KEY_TAG = "mtsbench.run", "mtsbench.key"
# One write takes 10 to 100 ms, an epoch of a small network less.
SECONDS_BETWEEN_WRITES = 5.0
METRICS_A_WRITE, PARAMS_A_WRITE, MOST_RUNS, LONGEST_TAG = 1000, 100, 10_000, 5000


class MLflow:
    """One MLflow run for a run, and one nested in it for each trial.

    Args:
        store: Tracking URI.
        experiment: Holds the runs; made where it does not exist.
        files: Folder for the files of an experiment that is made here, if the store is no server.

    Raises:
        MlflowException: The store cannot be used.
    """

    def __init__(self, store: str, experiment: str, files: Path) -> None:
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._client = MlflowClient(tracking_uri=store)
        found = self._client.get_experiment_by_name(experiment)
        self._experiment: str = (
            found.experiment_id
            if found is not None
            else self._client.create_experiment(
                experiment,
                artifact_location=None if store.startswith("http") else files.as_uri(),
            )
        )
        self._parent: str | None = None
        self._trials: dict[str, str] = {}
        self._waiting: list[tuple[str, Metric]] = []
        self._written = time.monotonic()

    def run_started(self, description: RunDescription) -> Collection[str]:
        """Keys of nested runs that are finished; others of an earlier attempt are marked killed."""
        self.close()
        found = self._search(f"tags.`{RUN_TAG}` = '{description.name}'")
        if not found:
            tags = {RUN_TAG: description.name, MLFLOW_RUN_NOTE: title(description)}
            self._parent = self._begin(description.name, tags)
            params = [Param(name, str(value)) for name, value in choices(description).items()]
            for start in range(0, len(params), PARAMS_A_WRITE):
                part = params[start : start + PARAMS_A_WRITE]
                self._client.log_batch(self._parent, params=part)
            return ()
        self._parent = found[0].info.run_id
        self._client.update_run(self._parent, "RUNNING")
        held = set()
        for trial in self._search(f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{self._parent}'"):
            if trial.info.status == "FINISHED":
                held.add(trial.data.tags[KEY_TAG])
            elif not RunStatus.is_terminated(RunStatus.from_string(trial.info.status)):
                self._client.set_terminated(trial.info.run_id, "KILLED")
        return held

    def epoch(self, trial: str, epoch: int, values: Mapping[str, float]) -> None:
        """Metrics at the epoch's number, written every few seconds."""
        run = self._nested(trial)
        for name, value in values.items():
            if math.isfinite(value):
                self._waiting.append((run, Metric(name, value, _now(), epoch)))
            else:
                self._tag(run, {f"undefined.{name}": f"{value} in epoch {epoch}"})
        if time.monotonic() - self._written >= SECONDS_BETWEEN_WRITES:
            self._write()

    def trial_finished(self, trial: str, record: TrialRecord, folder: Path) -> None:
        """Scores as metrics or, if undefined, as a tag with the reason; the trial's files."""
        run = self._nested(trial, seconds=sum(record.phase_seconds.values()))
        scores = all_scores(record)
        metrics = {
            **{name: one.value for name, one in scores.items() if one.value is not None},
            **{f"seconds/{phase}": value for phase, value in record.phase_seconds.items()},
            "peak_memory_mib": record.peak_memory_mib,
        }
        self._waiting += [(run, Metric(name, value, _now(), 0)) for name, value in metrics.items()]
        self._write()
        place = {name: str(getattr(record, name)) for name in ("repeat", "fold", "seed")}
        self._client.log_batch(run, params=[Param(*one) for one in place.items()])
        for name in (RECORD, PREDICTIONS, LOG):
            self._client.log_artifact(run, str(folder / name))
        self._tag(
            run,
            {
                **{f"undefined.{name}": one.reason for name, one in scores.items() if one.reason},
                **record.platform,
                "simulated": str(record.simulated),
                "device": record.device,
                "git": record.git or "installed package",
                KEY_TAG: record.key,
            },
        )
        self._client.set_terminated(self._trials.pop(trial), "FINISHED")

    def trial_failed(self, trial: str, failed: FailedTrial) -> None:
        """The error as a tag and the traceback as a file of a failed run."""
        run = self._nested(trial)
        self._write()
        self._tag(run, {"error": failed.error})
        self._client.log_text(run, failed.traceback, "traceback.txt")
        self._client.set_terminated(self._trials.pop(trial), "FAILED")

    def run_finished(self, report: Path, summaries: Mapping[str, Summary]) -> None:
        """Each score over the trials, its count where it is not defined in all, and the report."""
        run = self._parent
        assert run is not None  # run_started comes first
        known = self._client.get_run(run).data.metrics
        for name, summary in summaries.items():
            for what, value in ((f"mean/{name}", summary.mean), (f"SD/{name}", summary.spread)):
                if value is not None and known.get(what) != value:
                    self._waiting.append((run, Metric(what, value, _now(), 0)))
            defined = f"in {summary.defined} of {summary.trials} trials"
            if summary.defined < summary.trials:
                self._tag(run, {f"undefined.{name}": f"defined {defined}"})
        self._write()
        self._client.log_artifact(run, str(report))
        self._client.set_terminated(run, "FINISHED")
        self._parent = None

    def close(self) -> None:
        """Mark what is still under way as killed."""
        self._write()
        while self._trials:
            self._client.set_terminated(self._trials.popitem()[1], "KILLED")
        if self._parent is not None:
            self._client.set_terminated(self._parent, "KILLED")
            self._parent = None

    def _begin(self, name: str, tags: dict[str, str], seconds: float = 0.0) -> str:
        run: Run = self._client.create_run(
            self._experiment, start_time=_now() - round(1000 * seconds), tags=tags, run_name=name
        )
        return str(run.info.run_id)

    def _nested(self, trial: str, seconds: float = 0.0) -> str:
        """The run of a trial, begun some seconds ago if it is new."""
        if trial not in self._trials:
            assert self._parent is not None  # run_started comes first
            self._trials[trial] = self._begin(trial, {MLFLOW_PARENT_RUN_ID: self._parent}, seconds)
        return self._trials[trial]

    def _search(self, where: str) -> list[Run]:
        return list(self._client.search_runs([self._experiment], where, max_results=MOST_RUNS))

    def _tag(self, run: str, tags: Mapping[str, str | None]) -> None:
        given = [RunTag(name, str(value)[:LONGEST_TAG]) for name, value in tags.items()]
        self._client.log_batch(run, tags=given)

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for run in dict.fromkeys(run for run, _ in waiting):
            mine = [metric for one, metric in waiting if one == run]
            for start in range(0, len(mine), METRICS_A_WRITE):
                self._client.log_batch(run, metrics=mine[start : start + METRICS_A_WRITE])
        self._written = time.monotonic()


def embedded_store(runs: Path) -> str:
    """The URI of `mlflow.db` in a folder, which is made."""
    runs.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{(runs / 'mlflow.db').absolute()}"


def _now() -> int:
    return round(1000 * time.time())
