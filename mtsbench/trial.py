"""One trial: preprocessing, fit, predict, metrics, record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import PhaseClock, failed_trial, trial_record
from mtsbench.data import LabelledCohort
from mtsbench.errors import DataError
from mtsbench.evaluation import evaluate
from mtsbench.events import TrialEvent, trial_label
from mtsbench.interfaces import FitContext
from mtsbench.preprocessing import Preprocessing
from mtsbench.records import RECORD
from mtsbench.trial_files import LOG, TrainingLog, write_masks, write_model, write_predictions
from mtsbench.trial_notes import noted

if TYPE_CHECKING:
    from mtsbench.data import Cohort, Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.preprocessing import CaseCache
    from mtsbench.preprocessing.fitted import Role
    from mtsbench.records import FailedTrial, TrialRecord
    from mtsbench.splits import Split
    from mtsbench.store import RunStore


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


def try_trial(setting: TrialSetting, split: Split, seed: int) -> None:
    """Carry a trial out and leave its record, or that of its failure if it raises."""
    label = trial_label(split.repeat, split.fold, seed)
    event = TrialEvent(trial=label, total=setting.experiment.training.epochs)
    setting.report(event)
    outcome: TrialRecord | FailedTrial
    try:
        with noted() as notes:
            outcome = _run_trial(setting, split, seed, event, notes)
    except Exception as error:
        outcome = failed_trial(setting.experiment.key(split, seed), split, seed, error)
        setting.store.save_failure(outcome)
    # What was computed is on disk by now, whatever becomes of the report.
    setting.report(replace(event, outcome=outcome))


def _run_trial(
    setting: TrialSetting, split: Split, seed: int, event: TrialEvent, notes: Collection[str]
) -> TrialRecord:
    experiment, outcomes = setting.experiment, setting.outcomes
    check_unchanged(experiment)
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
    check_unchanged(experiment)
    record = trial_record(experiment, split, seed, outcomes, evaluation, clock, notes)
    description = setting.store.description()

    def fill(folder: Path) -> None:
        (folder / LOG).write_text(log.text)
        write_predictions(folder, predictions, training, evaluation)
        write_model(folder, model, preprocessing, description)
        if setting.save_masks and predictions.tumour_probability is not None:
            write_masks(folder / "masks", predictions, test, experiment.dataset)
        (folder / RECORD).write_text(record.model_dump_json(indent=2))

    return setting.store.save_trial(record.key, fill)


def check_unchanged(experiment: Experiment) -> None:
    """Refuse data that is not what the run was planned for: its result would be filed wrongly.

    Raises:
        DataError: The fingerprint of the dataset is another one now.
    """
    found, planned = experiment.dataset.fingerprint(), experiment.fingerprint
    if found != planned:
        raise DataError(
            f"the data of {experiment.dataset_name!r} changed while the run was going on: its "
            f"fingerprint was {planned[:12]} and is {found[:12]}. Restore the files and give the "
            "same command again, or leave them: the same command then begins a run of the new data"
        )


def trial_cohorts(
    experiment: Experiment,
    outcomes: Outcomes,
    cache: CaseCache,
    split: Split,
    preprocessing: Preprocessing,
) -> tuple[LabelledCohort, LabelledCohort, Cohort, Cohort]:
    """Training and validation cohorts with outcomes; without them, the test cohort and all others.

    The last is prepared as the test cases are, so that both get their risk in the same way. A
    model that needs no masks is shown none of a training or validation part that lacks some.
    """

    def cohort(case_ids: Sequence[str], role: Role, with_mask: bool) -> Cohort:
        return preprocessing.cohort(
            cache, experiment.dataset, case_ids, role=role, with_mask=with_mask
        )

    def labelled(case_ids: Sequence[str], role: Role) -> LabelledCohort:
        shown = experiment.needs_masks or all(map(cache.has_mask, case_ids))
        return LabelledCohort(
            cohort=cohort(case_ids, role, shown), outcomes=outcomes.subset(case_ids)
        )

    return (
        labelled(split.train, "train"),
        labelled(split.validation, "held-out"),
        cohort(split.test, "held-out", experiment.needs_mask_at_test),
        cohort((*split.train, *split.validation), "held-out", experiment.needs_mask_at_test),
    )
