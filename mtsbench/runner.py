"""A run: its cohort is prepared, then every trial that is not done yet is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import describe_run
from mtsbench.machine import peak_memory_mib
from mtsbench.masks_needed import check_prepared_masks
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.tracking import Trackers
from mtsbench.trial import TrialSetting, try_trial
from mtsbench.trial_jobs import run_elsewhere

if TYPE_CHECKING:
    from mtsbench.experiment import Experiment, Request
    from mtsbench.interfaces import Executor
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.progress import Progress
    from mtsbench.splits import Split
    from mtsbench.store import RunStore


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is carried out.

    Attributes:
        workers: Cases prepared at once; trials side by side share them when they score.
        jobs: Trials at once. Results do not depend on it, apart from the last bits that depend on
            the threads each trial gets.
        case_memory: MiB of prepared cases that each trial may keep on its device; None is a share
            of what is free. Results do not depend on it.
        trackers: Told what happens; whatever becomes of them, the trials go on.
        executor: Carries out the trials in place of this process and its `jobs`.
    """

    cache_folder: Path
    workers: int
    save_masks: bool
    progress: Progress
    jobs: int = 1
    case_memory: int | None = None
    trackers: Trackers = field(default_factory=Trackers)
    executor: Executor | None = None


def run(
    experiment: Experiment,
    splits: Sequence[Split],
    metrics: Metrics,
    store: RunStore,
    options: RunOptions,
    request: Request | None = None,
) -> None:
    """Do every trial of a run that is not done yet, and leave its record.

    A trial that raises is recorded as failed and the others go on; a cohort that cannot be read
    stops the run, because every trial would meet the same case. A damaged trial is done again.

    Args:
        experiment: What to do.
        splits: Of the dataset.
        metrics: What to score.
        store: Where the records go.
        options: How to do it.
        request: What the experiment was resolved from; needed for more than one job and for an
            executor.

    Raises:
        DataError: The cohort cannot be read, or lacks a mask that the model needs.
        PluginError: The executor raised.
    """
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    faults = store.begin(describe_run(experiment, outcomes, splits), splits, outcomes)
    trials = {
        experiment.key(split, seed): (split, seed)
        for split in splits
        for seed in experiment.protocol.seeds
    }
    stock = store.take_stock(trials)
    for fault in (*faults, *stock.faults):
        options.progress.warn(fault)
    todo = [trial for key, trial in trials.items() if key not in stock.finished]
    options.progress.resumed(len(stock.finished))
    options.trackers.run_started(store)
    if not todo:
        return
    cache = CaseCache(options.cache_folder, dataset, experiment.preprocessing)
    with options.progress.preparing() as advance:
        cache.prepare(
            Preprocessing.requests(dataset, outcomes.case_ids, experiment.preprocessing),
            workers=options.workers,
            progress=advance,
        )
    check_prepared_masks(experiment, outcomes, cache)
    options.progress.prepared(len(outcomes), peak_memory_mib())
    with options.progress.trials() as show:
        report = options.trackers.beside(show)
        if request is not None and (options.executor is not None or options.jobs > 1):
            run_elsewhere(request, experiment, todo, store, options, report)
            return
        setting = TrialSetting(
            experiment=experiment,
            outcomes=outcomes,
            cache=cache,
            metrics=metrics,
            store=store,
            save_masks=options.save_masks,
            report=report,
            case_memory=options.case_memory,
            workers=options.workers,
        )
        for split, seed in todo:
            try_trial(setting, split, seed)
