"""The flow, once: dataset, splits, preprocessing, fit, predict, metrics, record."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.data import LabelledCohort
from mtsbench.errors import MtsbenchError
from mtsbench.evaluation import Evaluation, evaluate
from mtsbench.experiment import digest
from mtsbench.interfaces import FitContext
from mtsbench.machine import git_state, peak_memory_mib, platform_versions
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.records import FailedTrial, RunDescription, TrialRecord
from mtsbench.splits import Split, splits_hash
from mtsbench.store import RECORD
from mtsbench.trial_files import TrainingLog, write_masks, write_model, write_predictions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtsbench.data import Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.progress import Progress
    from mtsbench.store import RunStore


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run is carried out; nothing here changes a result."""

    cache_folder: Path
    workers: int
    save_masks: bool
    progress: Progress


def describe(experiment: Experiment, outcomes: Outcomes, splits: Sequence[Split]) -> RunDescription:
    """What `run.json` says before the first trial."""
    model, dataset = experiment.model_name, experiment.dataset_name
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
    )


def run(
    experiment: Experiment,
    splits: Sequence[Split],
    metrics: Metrics,
    store: RunStore,
    options: RunOptions,
) -> None:
    """Do every trial of a run that is not done yet, and leave its record.

    A trial that raises is recorded as failed and the others go on; a cohort that cannot be read
    stops the run, because every trial would meet the same case.
    """
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    store.begin(describe(experiment, outcomes, splits), splits)
    todo = [
        (split, seed)
        for split in splits
        for seed in experiment.protocol.seeds
        if store.finished(experiment.key(split, seed)) is None
    ]
    options.progress.resumed(len(splits) * len(experiment.protocol.seeds) - len(todo))
    if not todo:
        return
    cache = CaseCache(options.cache_folder, dataset, experiment.preprocessing)
    with options.progress.preparing() as advance:
        cache.prepare(
            Preprocessing.requests(dataset, outcomes.case_ids, experiment.preprocessing),
            workers=options.workers,
            progress=advance,
        )
    for split, seed in todo:
        try:
            _run_trial(experiment, split, seed, outcomes, cache, metrics, store, options)
        except Exception as error:
            options.progress.failed(split, seed, error)
            store.save_failure(_failure(experiment.key(split, seed), split, seed, error))


def _run_trial(
    experiment: Experiment,
    split: Split,
    seed: int,
    outcomes: Outcomes,
    cache: CaseCache,
    metrics: Metrics,
    store: RunStore,
    options: RunOptions,
) -> None:
    dataset, clock = experiment.dataset, PhaseClock()
    with clock.phase("prepare"):
        preprocessing = Preprocessing.fit(cache, dataset, split.train, experiment.preprocessing)
        train = preprocessing.cohort(cache, dataset, split.train, role="train", with_mask=True)
        validation = preprocessing.cohort(
            cache, dataset, split.validation, role="held-out", with_mask=True
        )
        test = preprocessing.cohort(
            cache, dataset, split.test, role="held-out", with_mask=experiment.needs_mask_at_test
        )
    log = TrainingLog()
    with options.progress.training(split, seed, experiment.training.epochs) as tick:
        context = FitContext(
            seed=seed,
            device=experiment.device,
            training=experiment.training,
            log=lambda epoch, values: tick(epoch, log.add(epoch, values)),
        )
        model = experiment.new_model()
        with clock.phase("fit"):
            model.fit(
                LabelledCohort(cohort=train, outcomes=outcomes.subset(split.train)),
                LabelledCohort(cohort=validation, outcomes=outcomes.subset(split.validation)),
                context,
            )
    with clock.phase("predict"):
        predictions = model.predict(test)
    with clock.phase("score"):
        evaluation = evaluate(
            predictions,
            [test[row].grid for row in range(len(test))] if experiment.segments else None,
            dataset,
            test=outcomes.subset(split.test),
            train=outcomes.subset(split.train),
            metrics=metrics,
        )
    record = _record(experiment, split, seed, outcomes, evaluation, clock)
    description = store.description()

    def fill(folder: Path) -> None:
        (folder / "log.jsonl").write_text(log.text)
        write_predictions(folder, predictions, evaluation)
        write_model(folder, model, preprocessing, description)
        if options.save_masks and predictions.tumour_probability is not None:
            write_masks(folder / "masks", predictions, test, dataset)
        (folder / RECORD).write_text(record.model_dump_json(indent=2))

    store.save_trial(record.key, fill)
    options.progress.finished(record)


def _record(
    experiment: Experiment,
    split: Split,
    seed: int,
    outcomes: Outcomes,
    evaluation: Evaluation,
    clock: PhaseClock,
) -> TrialRecord:
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
        simulated=experiment.dataset.simulated,
        phase_seconds=clock.seconds,
        peak_memory_mib=peak_memory_mib(),
        device=experiment.device,
        platform=dict(platform_versions()),
        git=git_state(),
    )


def _failure(key: str, split: Split, seed: int, error: Exception) -> FailedTrial:
    cause = str(error) if isinstance(error, MtsbenchError) else f"{type(error).__name__}: {error}"
    return FailedTrial(
        key=key,
        repeat=split.repeat,
        fold=split.fold,
        seed=seed,
        error=cause,
        traceback="".join(traceback.format_exception(error)),
    )


class PhaseClock:
    """Wall-clock seconds of named phases."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - start, 3)
