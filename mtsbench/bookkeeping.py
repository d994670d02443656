"""Filling in the records of a run and its trials."""

from __future__ import annotations

import time
import traceback
from collections.abc import Collection, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mtsbench.errors import UndefinedMetricError, one_line
from mtsbench.identity import digest
from mtsbench.machine import git_state, peak_memory_mib, platform_versions
from mtsbench.metrics.survival import follow_up
from mtsbench.records import FailedTrial, RunDescription, TrialRecord
from mtsbench.splits import splits_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtsbench.data import Outcomes
    from mtsbench.evaluation import Evaluation
    from mtsbench.experiment import Experiment
    from mtsbench.splits import Split


def describe_run(
    experiment: Experiment, outcomes: Outcomes, splits: Sequence[Split]
) -> RunDescription:
    """What `run.json` says before the first trial."""
    model, dataset = experiment.model_name, experiment.dataset_name
    horizons = _horizons(outcomes)
    identity = digest({"question": experiment.question(), "method": experiment.method()})
    return RunDescription(
        name=f"{dataset}-{experiment.endpoint}-{model}-{experiment.preset}-{identity[:8]}",
        question=experiment.question(),
        method=experiment.method(),
        dataset_options=dict(experiment.dataset_options),
        splits_sha256=splits_hash(splits),
        simulated=experiment.dataset.simulated,
        cases=len(outcomes),
        events=int(outcomes.event.sum()),
        without_outcome=len(experiment.dataset.case_ids) - len(outcomes),
        trials=len(splits) * len(experiment.protocol.seeds),
        tau=horizons[0],
        horizon=horizons[1],
        recipe=experiment.recipe,
    )


def _horizons(outcomes: Outcomes) -> tuple[float | None, float | None]:
    try:
        known = follow_up(outcomes)
    except UndefinedMetricError:
        # The metrics that need tau give the reason in every record.
        return None, None
    return known.tau, known.horizon


def trial_record(
    experiment: Experiment,
    split: Split,
    seed: int,
    outcomes: Outcomes,
    evaluation: Evaluation,
    clock: PhaseClock,
    notes: Collection[str],
) -> TrialRecord:
    """The record of a finished trial; `notes` are what it warned of."""
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    return TrialRecord(
        key=experiment.key(split, seed),
        repeat=split.repeat,
        fold=split.fold,
        seed=seed,
        split_sha256=split.hash(),
        method_sha256=digest(experiment.method()),
        cases={name: len(ids) for name, ids in parts.items()},
        events={name: int(outcomes.subset(ids).event.sum()) for name, ids in parts.items()},
        scores=dict(evaluation.scores),
        oracle=dict(evaluation.oracle),
        recovery=dict(evaluation.recovery),
        oracle_recovery=dict(evaluation.oracle_recovery),
        simulated=experiment.dataset.simulated,
        phase_seconds=clock.seconds,
        peak_memory_mib=peak_memory_mib(),
        device=experiment.device,
        platform=dict(platform_versions()),
        git=git_state(),
        notes=tuple(notes),
    )


def failed_trial(key: str, split: Split, seed: int, error: Exception) -> FailedTrial:
    """The record of a trial that raised."""
    return FailedTrial(
        key=key,
        repeat=split.repeat,
        fold=split.fold,
        seed=seed,
        error=one_line(error),
        traceback="".join(traceback.format_exception(error)),
    )


def lost_trial(key: str, split: Split, seed: int, reason: str) -> FailedTrial:
    """The record of a trial whose process died, which leaves no traceback."""
    return FailedTrial(
        key=key,
        repeat=split.repeat,
        fold=split.fold,
        seed=seed,
        error=reason,
        traceback="",
    )


class PhaseClock:
    """Wall-clock seconds of named phases, without what was done in between for the onlookers."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._paused = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block."""
        start = time.perf_counter() - self._paused
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - self._paused - start, 3)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the block out of the phase around it."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._paused += time.perf_counter() - start
