"""The flow, once: dataset, splits, preprocessing, fit, predict, metrics, record."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import PhaseClock, describe_run, failed_trial, trial_record
from mtsbench.data import LabelledCohort
from mtsbench.engine.memory import case_memory
from mtsbench.evaluation import evaluate
from mtsbench.events import TrialEvent, trial_label
from mtsbench.executors.local import LocalProcesses, send, threads_for
from mtsbench.experiment import Request, resolve
from mtsbench.interfaces import FitContext
from mtsbench.machine import peak_memory_mib
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plugins import load_components
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.records import RECORD
from mtsbench.store import RunStore
from mtsbench.tracking import Trackers
from mtsbench.trial_files import LOG, TrainingLog, write_masks, write_model, write_predictions

if TYPE_CHECKING:
    from mtsbench.data import Cohort, Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.preprocessing.fitted import Role
    from mtsbench.progress import Progress
    from mtsbench.records import FailedTrial, TrialRecord
    from mtsbench.splits import Split


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
    """

    cache_folder: Path
    workers: int
    save_masks: bool
    progress: Progress
    jobs: int = 1
    case_memory: int | None = None
    trackers: Trackers = field(default_factory=Trackers)


@dataclass(frozen=True, kw_only=True)
class TrialSetting:
    """What all trials of a run share in one process.

    Attributes:
        report: Takes what happens in a trial.
    """

    experiment: Experiment
    outcomes: Outcomes
    cache: CaseCache
    metrics: Metrics
    store: RunStore
    save_masks: bool
    report: Callable[[TrialEvent], None]
    case_memory: int | None
    workers: int


@dataclass(frozen=True, kw_only=True)
class TrialJob:
    """One trial that another process can carry out: what the user asked for, not what was built.

    Attributes:
        trials: That run at once, and so share what memory is free.
    """

    request: Request
    store: Path
    cache_folder: Path
    save_masks: bool
    workers: int
    split: Split
    seed: int
    case_memory: int | None
    trials: int

    def __call__(self) -> None:
        """Resolve the request again and do the trial."""
        experiment = resolve(self.request, components := load_components())
        setting = TrialSetting(
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
        _try_trial(setting, self.split, self.seed)


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
    stops the run, because every trial would meet the same case.

    Args:
        experiment: What to do.
        splits: Of the dataset.
        metrics: What to score.
        store: Where the records go.
        options: How to do it.
        request: What the experiment was resolved from; needed for more than one job.
    """
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    store.begin(describe_run(experiment, outcomes, splits), splits, outcomes)
    todo = [
        (split, seed)
        for split in splits
        for seed in experiment.protocol.seeds
        if store.finished(experiment.key(split, seed)) is None
    ]
    options.progress.resumed(len(splits) * len(experiment.protocol.seeds) - len(todo))
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
    options.progress.prepared(len(outcomes), peak_memory_mib())
    with options.progress.trials() as show:
        report = options.trackers.beside(show)
        if options.jobs > 1 and request is not None:
            _run_side_by_side(request, todo, store, options, experiment.device, report)
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
            _try_trial(setting, split, seed)


def _run_side_by_side(
    request: Request,
    todo: Sequence[tuple[Split, int]],
    store: RunStore,
    options: RunOptions,
    device: str,
    report: Callable[[TrialEvent], None],
) -> None:
    jobs = [
        TrialJob(
            request=replace(request, device=device),
            store=store.folder.absolute(),
            cache_folder=options.cache_folder.absolute(),
            save_masks=options.save_masks,
            workers=threads_for(options.jobs, options.workers),
            split=split,
            seed=seed,
            case_memory=options.case_memory,
            trials=min(options.jobs, len(todo)),
        )
        for split, seed in todo
    ]
    # By all trials of the run and not by those left: a run that was cut off must go on with the
    # number of threads it began with.
    threads = threads_for(options.jobs, os.cpu_count() or 1)
    LocalProcesses(jobs=options.jobs, threads=threads).map(jobs, report)


def _try_trial(setting: TrialSetting, split: Split, seed: int) -> None:
    label = trial_label(split.repeat, split.fold, seed)
    event = TrialEvent(trial=label, total=setting.experiment.training.epochs)
    setting.report(event)
    outcome: TrialRecord | FailedTrial
    try:
        outcome = _run_trial(setting, split, seed, event)
    except Exception as error:
        outcome = failed_trial(setting.experiment.key(split, seed), split, seed, error)
        setting.store.save_failure(outcome)
    # What was computed is on disk by now, whatever becomes of the report.
    setting.report(replace(event, outcome=outcome))


def _run_trial(setting: TrialSetting, split: Split, seed: int, event: TrialEvent) -> TrialRecord:
    experiment, outcomes = setting.experiment, setting.outcomes
    clock, log = PhaseClock(), TrainingLog()
    with clock.phase("prepare"):
        preprocessing = Preprocessing.fit(
            setting.cache, experiment.dataset, split.train, experiment.preprocessing
        )
        train, validation, test, seen = trial_cohorts(
            experiment, outcomes, setting.cache, split, preprocessing
        )
    model = experiment.new_model()

    def hear(epoch: int, values: Mapping[str, float]) -> None:
        log.add(epoch, values)
        with clock.paused():
            setting.report(replace(event, done=epoch + 1, values=dict(values)))

    with clock.phase("fit"):
        context = FitContext(
            seed=seed,
            device=experiment.device,
            training=experiment.training,
            log=hear,
            case_memory=setting.case_memory,
        )
        model.fit(train, validation, context)
    with clock.phase("predict"):
        predictions = model.predict(test)
    with clock.phase("predict training"):
        training = model.predict(seen)
    with clock.phase("score"):
        evaluation = evaluate(
            predictions,
            test,
            experiment.dataset,
            outcomes=outcomes.subset(split.test),
            # With the test fold this is the whole cohort, whatever the fold: what weights by
            # censoring is estimated from all of it.
            train=outcomes.subset((*split.train, *split.validation)),
            metrics=setting.metrics,
            workers=setting.workers,
        )
    record = trial_record(experiment, split, seed, outcomes, evaluation, clock)
    description = setting.store.description()

    def fill(folder: Path) -> None:
        (folder / LOG).write_text(log.text)
        write_predictions(folder, predictions, training, evaluation)
        write_model(folder, model, preprocessing, description)
        if setting.save_masks and predictions.tumour_probability is not None:
            write_masks(folder / "masks", predictions, test, experiment.dataset)
        (folder / RECORD).write_text(record.model_dump_json(indent=2))

    setting.store.save_trial(record.key, fill)
    return record


def trial_cohorts(
    experiment: Experiment,
    outcomes: Outcomes,
    cache: CaseCache,
    split: Split,
    preprocessing: Preprocessing,
) -> tuple[LabelledCohort, LabelledCohort, Cohort, Cohort]:
    """Training and validation cohorts with outcomes; without them, the test cohort and all others.

    The last is prepared as the test cases are, so that both get their risk in the same way.
    """

    def cohort(case_ids: Sequence[str], role: Role, with_mask: bool = True) -> Cohort:
        return preprocessing.cohort(
            cache, experiment.dataset, case_ids, role=role, with_mask=with_mask
        )

    return (
        LabelledCohort(cohort=cohort(split.train, "train"), outcomes=outcomes.subset(split.train)),
        LabelledCohort(
            cohort=cohort(split.validation, "held-out"), outcomes=outcomes.subset(split.validation)
        ),
        cohort(split.test, "held-out", experiment.needs_mask_at_test),
        cohort((*split.train, *split.validation), "held-out", experiment.needs_mask_at_test),
    )
