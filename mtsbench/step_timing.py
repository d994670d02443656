"""How long a deep model takes, from three real training steps on prepared cases."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from mtsbench.engine.deep_model import DeepModel
from mtsbench.interfaces import FitContext
from mtsbench.preprocessing import Preprocessing
from mtsbench.projection import project
from mtsbench.trial import trial_cohorts

if TYPE_CHECKING:
    from mtsbench.plan import PlannedRun
    from mtsbench.preprocessing import CaseCache

STEPS = 3  # the first also loads and compiles
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


def seconds_to_do(planned: PlannedRun, cache: CaseCache) -> float:
    """Seconds of the trials to do, one after another; see `project`. Nothing is written.

    After a first one, the quicker of two epochs of one step is taken for a step and a look at the
    validation part; the prediction of that part tells the two apart.
    """
    experiment, split = planned.experiment, planned.splits[0]
    outcomes = experiment.dataset.outcomes(experiment.endpoint)
    preprocessing = Preprocessing.fit(
        cache, experiment.dataset, split.train, experiment.preprocessing
    )
    train, validation, *_ = trial_cohorts(experiment, outcomes, cache, split, preprocessing)
    ends: list[float] = []
    context = FitContext(
        seed=experiment.protocol.seeds[0],
        device=experiment.device,
        training=replace(experiment.training, epochs=STEPS, steps_per_epoch=1),
        log=lambda epoch, values: ends.append(time.perf_counter()),
    )
    model = experiment.new_model()
    model.fit(train, validation, context)
    start = time.perf_counter()
    model.predict(validation.cohort)
    epoch = min(after - before for before, after in pairwise(ends))
    look = min(time.perf_counter() - start, epoch)
    projection = project(
        planned.splits,
        len(experiment.protocol.seeds),
        experiment.training,
        step=epoch - look,
        spread=0.0,
        inference=look / len(validation.cohort),
    )
    return projection.seconds * planned.todo / planned.description.trials
