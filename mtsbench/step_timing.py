"""What a trial of a deep model costs, from two real training steps on prepared cases."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import PhaseClock
from mtsbench.data import LabelledCohort
from mtsbench.engine.deep_model import DeepModel
from mtsbench.interfaces import FitContext
from mtsbench.preprocessing import Preprocessing

if TYPE_CHECKING:
    from mtsbench.plan import PlannedRun
    from mtsbench.preprocessing import CaseCache

STEPS = 2
# Of a batch on a CPU. DeepMTS takes half a second for 8 x 32^3 voxels on two threads, so four
# seconds for these.
CHEAP_VOXELS = 8 * 64**3


def why_not_timed(planned: PlannedRun, unprepared: int) -> str | None:
    """Why no step of this run can be timed within seconds; None if it can.

    Args:
        planned: A run.
        unprepared: Cases of its cohort that are not resampled yet.
    """
    experiment = planned.experiment
    if not isinstance(experiment.new_model(), DeepModel):
        return "no trial of this model and preset has finished yet"
    if unprepared:
        return "cases to time a step with are not prepared yet"
    voxels = experiment.training.batch_size * math.prod(experiment.preprocessing.size)
    if experiment.device == "cpu" and voxels > CHEAP_VOXELS:
        return "a step of this size on a CPU takes long to time"
    return None


def trial_seconds(planned: PlannedRun, cache: CaseCache) -> float:
    """Seconds of one trial that trains for all its epochs, without scoring. Nothing is written.

    The second of two epochs of one step is taken for a step and a look at the validation part;
    the prediction of that part tells the two apart.
    """
    experiment, split, clock = planned.experiment, planned.splits[0], PhaseClock()
    with clock.phase("prepare"):
        train, validation = _cohorts(planned, cache)
    ends: list[float] = []
    context = FitContext(
        seed=experiment.protocol.seeds[0],
        device=experiment.device,
        training=replace(experiment.training, epochs=STEPS, steps_per_epoch=1),
        log=lambda epoch, values: ends.append(time.perf_counter()),
    )
    model = experiment.new_model()
    with clock.phase("fit"):
        model.fit(train, validation, context)
    with clock.phase("predict"):
        model.predict(validation.cohort)
    epoch = ends[1] - ends[0]
    per_case = clock.seconds["predict"] / len(split.validation)
    look = min(per_case * len(split.validation), epoch)
    budget = experiment.training
    fit = budget.epochs * (budget.steps_per_epoch * (epoch - look) + look)
    around = max(clock.seconds["fit"] - STEPS * epoch, 0)
    cases = len(split.train) + len(split.validation) + len(split.test)
    return clock.seconds["prepare"] + around + fit + per_case * cases


def _cohorts(planned: PlannedRun, cache: CaseCache) -> tuple[LabelledCohort, LabelledCohort]:
    experiment, split = planned.experiment, planned.splits[0]
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    fitted = Preprocessing.fit(cache, dataset, split.train, experiment.preprocessing)
    train = fitted.cohort(cache, dataset, split.train, role="train", with_mask=True)
    validation = fitted.cohort(cache, dataset, split.validation, role="held-out", with_mask=True)
    return (
        LabelledCohort(cohort=train, outcomes=outcomes.subset(split.train)),
        LabelledCohort(cohort=validation, outcomes=outcomes.subset(split.validation)),
    )
