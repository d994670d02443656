"""How long the trials to come may take, from trials that are finished, and from which."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from mtsbench.comparison.comparable import read_run
from mtsbench.errors import DataError, one_line
from mtsbench.executors.local import threads_for
from mtsbench.machine import platform_versions
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.run_folders import find_runs
from mtsbench.step_timing import STEPS, seconds_to_do, why_not_timed
from mtsbench.store import RunStore

if TYPE_CHECKING:
    from mtsbench.plan import PlannedRun
    from mtsbench.records import RunDescription, TrialRecord

# What may differ between a finished trial and one to come, the costliest difference first.
DIFFERENCES = (
    "training",
    "preprocessing",
    "options",
    "cohort",
    "GPU",
    "threads",
    "folds",
    "versions",
)
Source = Literal["done", "trials", "steps", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Wall-clock time of all trials to do, side by side where the user said so.

    Attributes:
        seconds: None where nothing tells.
        basis: What it rests on, or why it is unknown.
        source: Of which kind that is.
    """

    seconds: float | None
    basis: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A planned run with its time.

    Attributes:
        unprepared: Cases to be resampled first, which is not in the estimate.
    """

    planned: PlannedRun
    estimate: Estimate
    unprepared: int


@dataclass(frozen=True, kw_only=True)
class FinishedTrial:
    """A trial of any run, with what that run is."""

    run: RunDescription
    record: TrialRecord


def finished_trials(out: Path) -> tuple[FinishedTrial, ...]:
    """Every finished trial in a folder of runs."""
    found: list[FinishedTrial] = []
    for folder in find_runs(out):
        try:
            run = read_run(RunStore(folder))
        except DataError:
            continue  # `mtsbench runs list` tells what is damaged; it is no measure of time.
        found += [FinishedTrial(run=run.description, record=record) for record in run.records]
    return tuple(found)


def known_seconds(forecasts: Sequence[Forecast]) -> float:
    """Sum of the estimates that are known."""
    return sum(one.estimate.seconds or 0.0 for one in forecasts)


def cases_to_prepare(forecasts: Sequence[Forecast]) -> int:
    """Cases to be resampled first; those that several runs share count once."""
    shared = {
        (one.planned.experiment.fingerprint, repr(one.planned.experiment.preprocessing)): (
            one.unprepared
        )
        for one in forecasts
        if one.planned.todo
    }
    return sum(shared.values())


def forecast(
    planned: PlannedRun,
    finished: Sequence[FinishedTrial],
    *,
    cache_folder: Path,
    jobs: int,
    may_time: bool,
) -> Forecast:
    """The time a planned run may take: from finished trials, else from a few timed steps.

    Args:
        planned: The run.
        finished: Trials of any run.
        cache_folder: Where prepared cases lie.
        jobs: Trials at once.
        may_time: Whether there is time to do these steps.

    Raises:
        DataError: A file of the cohort cannot be read.
    """
    if not planned.todo:
        done = Estimate(seconds=0.0, basis="all done", source="done")
        return Forecast(planned=planned, estimate=done, unprepared=0)
    experiment = planned.experiment
    cache = CaseCache(cache_folder, experiment.dataset, experiment.preprocessing)
    used = sorted({case_id for split in planned.splits for case_id in split.test})
    requests = Preprocessing.requests(experiment.dataset, used, experiment.preprocessing)
    unprepared = len(cache.missing(requests))
    estimate = _from_finished(planned, finished, jobs)
    if estimate is None:
        estimate = _from_steps(planned, cache, unprepared, may_time=may_time)
    return Forecast(planned=planned, estimate=estimate, unprepared=unprepared)


def _from_finished(
    planned: PlannedRun, finished: Sequence[FinishedTrial], jobs: int
) -> Estimate | None:
    """From the trials of the same model, preset and kind of device that are most alike.

    Where training or preprocessing differ, the time of the fit is scaled by the voxels that pass
    through the network. Trials with other numbers of threads say nothing of several at once: those
    to come are then counted one after another.
    """
    platform = _platform(jobs)
    differing = [
        (_differences(planned.description, one, platform), one)
        for one in finished
        if one.run.method["model"] == planned.experiment.model_name
        and one.run.question["preset"] == planned.experiment.preset
        and _device_kind(one.record.device) == _device_kind(planned.experiment.device)
    ]
    if not differing:
        return None
    nearest = min((names for names, _ in differing), key=_distance)
    like = [one for names, one in differing if names == nearest]
    seconds = sum(_seconds(planned.description, one) for one in like) / len(like)
    rounds = planned.todo if "threads" in nearest else math.ceil(planned.todo / jobs)
    basis = f"{len(like)} trial" + "s" * (len(like) > 1)
    if nearest:
        basis += f" with other {', '.join(nearest)}"
        basis += ", fit scaled" * any(_growth(planned.description, one) != 1 for one in like)
    elif all(one.run.name == planned.description.name for one in like):
        basis += " of this run"
    else:
        basis += " of this method"
    return Estimate(seconds=seconds * rounds, basis=basis, source="trials")


def _from_steps(
    planned: PlannedRun, cache: CaseCache, unprepared: int, *, may_time: bool
) -> Estimate:
    """From a few training steps; trials are counted one after another."""
    reason = why_not_timed(planned, unprepared)
    if reason is None and not may_time:
        reason = "timing steps of other models took long enough"
    if reason is not None:
        return Estimate(seconds=None, basis=reason, source="unknown")
    try:
        seconds = seconds_to_do(planned, cache)
    except Exception as error:
        basis = f"a step failed: {one_line(error)}"
        return Estimate(seconds=None, basis=basis, source="unknown")
    basis = f"{STEPS} steps timed now"
    return Estimate(seconds=seconds, basis=basis, source="steps")


def _distance(names: tuple[str, ...]) -> list[bool]:
    return [name in names for name in DIFFERENCES]


def _device_kind(device: str) -> str:
    return device.partition(":")[0]


def _differences(
    planned: RunDescription, finished: FinishedTrial, platform: Mapping[str, str]
) -> tuple[str, ...]:
    run, record = finished.run, finished.record
    pairs = {
        "training": (planned.method["training"], run.method["training"]),
        "preprocessing": (planned.method["preprocessing"], run.method["preprocessing"]),
        "options": (planned.method["options"], run.method["options"]),
        "cohort": (_cohort(planned), _cohort(run)),
        "GPU": (platform.get("cuda_device"), record.platform.get("cuda_device")),
        "threads": (platform.get("threads"), record.platform.get("threads")),
        "folds": (_folds(planned), _folds(run)),
        "versions": (_versions(planned), _versions(run)),
    }
    return tuple(name for name in DIFFERENCES if pairs[name][0] != pairs[name][1])


def _cohort(run: RunDescription) -> tuple[object, object]:
    return run.question["fingerprint"], run.question["endpoint"]


def _versions(run: RunDescription) -> dict[str, object]:
    """Without the dataset's, which may be another one."""
    versions = cast("Mapping[str, object]", run.method["versions"])
    return {name: one for name, one in versions.items() if not name.startswith("dataset ")}


def _folds(run: RunDescription) -> object:
    return cast("Mapping[str, object]", run.question["protocol"])["folds"]


def _seconds(planned: RunDescription, finished: FinishedTrial) -> float:
    phases = finished.record.phase_seconds
    longer = phases.get("fit", 0.0) * (_growth(planned, finished) - 1)
    return sum(phases.values()) + longer


def _growth(planned: RunDescription, finished: FinishedTrial) -> float:
    return _work(planned) / _work(finished.run)


def _work(run: RunDescription) -> float:
    """Voxels that pass through a network during a fit."""
    training = cast("Mapping[str, float]", run.method["training"])
    size = cast("Mapping[str, Sequence[float]]", run.method["preprocessing"])["size"]
    cases = training["epochs"] * training["steps_per_epoch"] * training["batch_size"]
    return cases * math.prod(size)


def _platform(jobs: int) -> dict[str, str]:
    found = dict(platform_versions())
    if jobs > 1:
        found["threads"] = str(threads_for(jobs, os.cpu_count() or 1))
    return found
