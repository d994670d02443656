"""A few simulated patients, prepared as a run prepares its training part."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from mtsbench.data import LabelledCohort
from mtsbench.experiment import Experiment, Request, resolve
from mtsbench.interfaces import FitContext
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.splits import make_splits

if TYPE_CHECKING:
    from pathlib import Path

    from mtsbench.engine.deep_model import DeepModel
    from mtsbench.plugins import Components

DATASET = "npc"
DATA = "simulated npc cohort"
CASES = 24
FIELD_OF_VIEW = 192.0  # mm, that of the cohort's own geometry
NO_SETTINGS: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class TrainingPart:
    """A model, the training patients of one fold, and what a run would tell the model."""

    experiment: Experiment
    cohort: LabelledCohort
    context: FitContext

    def deep_model(self) -> DeepModel:
        """A new model, which the caller knows to be a composition."""
        return cast("DeepModel", self.experiment.new_model())


def prepare(
    model: str,
    components: Components,
    folder: Path,
    *,
    voxels: int,
    device: str,
    batch: int = 8,
    settings: Mapping[str, str] = NO_SETTINGS,
) -> TrainingPart:
    """Simulate, crop and normalise the training patients of the first fold.

    Args:
        model: Name of a model.
        components: Must hold it and the dataset `npc`.
        folder: Where crops are kept.
        voxels: Along each axis of the crop; the field of view is always the same.
        device: torch device.
        batch: Cases a step.
        settings: Options of the model.
    """
    spacing = f"{FIELD_OF_VIEW / voxels:g}"
    experiment = resolve(
        Request(
            model=model,
            dataset=DATASET,
            preset="standard",
            folds=3,
            device=device,
            settings={
                "dataset.cases": str(CASES),
                "training.batch_size": str(batch),
                "preprocessing.size": ",".join([str(voxels)] * 3),
                "preprocessing.spacing": ",".join([spacing] * 3),
                **settings,
            },
        ),
        components,
    )
    dataset, chosen = experiment.dataset, experiment.preprocessing
    outcomes = dataset.outcomes(experiment.endpoint)
    train = make_splits(outcomes, experiment.protocol, dataset.centres())[0].train
    cache = CaseCache(folder, dataset, chosen)
    requests = Preprocessing.requests(dataset, train, chosen)
    cache.prepare(requests, workers=os.cpu_count() or 1, progress=lambda done, total: None)
    fitted = Preprocessing.fit(cache, dataset, train, chosen)
    cohort = fitted.cohort(cache, dataset, train, role="train", with_mask=True)
    return TrainingPart(
        experiment=experiment,
        cohort=LabelledCohort(cohort=cohort, outcomes=outcomes.subset(train)),
        context=FitContext(
            seed=0,
            device=experiment.device,
            training=experiment.training,
            log=lambda epoch, values: None,
        ),
    )


def native_in_memory(part: LabelledCohort) -> LabelledCohort:
    """The same patients, simulated once more and kept; nothing derived from them is kept."""
    cohort = part.cohort
    cases = {case_id: cohort.read_native(case_id) for case_id in cohort.case_ids}
    kept = replace(cohort, read_native=cases.__getitem__, cache_folder=None)
    return LabelledCohort(cohort=kept, outcomes=part.outcomes)


def rows(part: LabelledCohort, chosen: slice) -> LabelledCohort:
    """Some of the patients."""
    case_ids = part.cohort.case_ids[chosen]
    return LabelledCohort(
        cohort=replace(part.cohort, case_ids=case_ids), outcomes=part.outcomes.subset(case_ids)
    )
