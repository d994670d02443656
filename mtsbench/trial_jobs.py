"""The trials of a run in other processes, of this machine or by the executor of a plugin."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import failed_trial, lost_trial
from mtsbench.engine.memory import case_memory
from mtsbench.errors import DataError, MtsbenchError, PluginError, one_line
from mtsbench.events import TrialEvent, trial_label
from mtsbench.executors.local import LocalProcesses, send, threads_for
from mtsbench.experiment import Request, resolve
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plugins import load_components
from mtsbench.preprocessing import CaseCache
from mtsbench.store import RunStore
from mtsbench.trial import TrialSetting, try_trial

if TYPE_CHECKING:
    from mtsbench.experiment import Experiment
    from mtsbench.runner import RunOptions
    from mtsbench.splits import Split


@dataclass(frozen=True, kw_only=True)
class TrialJob:
    """One trial that another process can carry out: what the user asked for, not what was built.

    Attributes:
        key: As it was planned. What the other process would do must have the same one.
        trials: That run at once, and so share what memory is free.
    """

    request: Request
    store: Path
    cache_folder: Path
    save_masks: bool
    workers: int
    split: Split
    seed: int
    key: str
    case_memory: int | None
    trials: int

    def __call__(self) -> None:
        """Resolve the request again and do the trial, or leave why that cannot be."""
        try:
            setting = self._setting()
        except Exception as error:
            failed = failed_trial(self.key, self.split, self.seed, error)
            RunStore(self.store).save_failure(failed)
            label = trial_label(self.split.repeat, self.split.fold, self.seed)
            send(TrialEvent(trial=label, outcome=failed))
            return
        try_trial(setting, self.split, self.seed)

    def _setting(self) -> TrialSetting:
        experiment = resolve(self.request, components := load_components())
        self._check_planned(experiment)
        return TrialSetting(
            experiment=experiment,
            outcomes=experiment.dataset.outcomes(experiment.endpoint),
            cache=CaseCache(self.cache_folder, experiment.dataset, experiment.preprocessing),
            metrics=build_metrics(components),
            store=RunStore(self.store),
            save_masks=self.save_masks,
            report=send,
            case_memory=case_memory(self.case_memory, experiment.device, self.trials) // 2**20,
            workers=self.workers,
        )

    def _check_planned(self, experiment: Experiment) -> None:
        if experiment.key(self.split, self.seed) == self.key:
            return
        planned = RunStore(self.store).description()
        here = {**experiment.question(), **experiment.method()}
        differing = [
            f"{name} was {value} and is {here.get(name)}"
            for name, value in {**planned.question, **planned.method}.items()
            if here.get(name) != value
        ]
        raise DataError(
            "data or program changed while the run was going on, so this trial would be filed "
            f"wrongly: {'; '.join(differing) or 'its key differs'}. Bring back what was there and "
            "give the same command again, or leave it: that command then begins a run of its own"
        )


def run_elsewhere(
    request: Request,
    experiment: Experiment,
    todo: Sequence[tuple[Split, int]],
    store: RunStore,
    options: RunOptions,
    report: Callable[[TrialEvent], None],
) -> None:
    """Trials in other processes, and what became of those whose end was not heard from there."""
    of_plugin = options.executor is not None  # how many trials share a machine is not known
    jobs = [
        TrialJob(
            request=replace(request, device=experiment.device),
            store=store.folder.absolute(),
            cache_folder=options.cache_folder.absolute(),
            save_masks=options.save_masks,
            workers=options.workers if of_plugin else threads_for(options.jobs, options.workers),
            split=split,
            seed=seed,
            key=experiment.key(split, seed),
            case_memory=options.case_memory,
            trials=len(todo) if of_plugin else min(options.jobs, len(todo)),
        )
        for split, seed in todo
    ]
    heard: set[str] = set()

    def listen(event: TrialEvent) -> None:
        if event.outcome is not None:
            heard.add(event.trial)
        report(event)

    died = _map(options, jobs, listen)
    for job, reason in zip(jobs, died, strict=True):
        label = trial_label(job.split.repeat, job.split.fold, job.seed)
        if label in heard:
            continue
        if reason is not None and store.finished(job.key) is None:
            store.save_failure(lost_trial(job.key, job.split, job.seed, reason))
        failures = {failure.key: failure for failure in store.failures()}
        outcome = store.finished(job.key) or failures.get(job.key)
        lost = None if outcome else "ended without a result; the same command tries it again"
        report(TrialEvent(trial=label, outcome=outcome, message=lost))


def _map(
    options: RunOptions, jobs: Sequence[TrialJob], listen: Callable[[TrialEvent], None]
) -> tuple[str | None, ...]:
    """Carry the trials out; of each why its process ended before it did, where that is known."""
    if options.executor is None:
        # By all trials of the run and not by those left: a run that was cut off must go on with
        # the number of threads it began with.
        threads = threads_for(options.jobs, os.cpu_count() or 1)
        return LocalProcesses(jobs=options.jobs, threads=threads).map(jobs, listen)
    try:
        options.executor.map(jobs, listen)
    except MtsbenchError:
        raise
    except Exception as error:
        raise PluginError(
            f"the executor ended before the trials did: {one_line(error)}; finished trials are "
            "kept: run the same command again, or leave the executor out"
        ) from error
    return (None,) * len(jobs)
