"""One trial as the runner does it, but with nothing stored and everything at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Cohort, LabelledCohort
from mtsbench.evaluation import check_order
from mtsbench.interfaces import FitContext
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.trial import trial_cohorts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.composition import TrainingSettings
    from mtsbench.data import Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.interfaces import Dataset, Model
    from mtsbench.splits import Split


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a trial gives to a model.

    Attributes:
        preprocessing: What was learnt from the training cases.
        seen: Training and validation cases without outcomes, prepared as test cases are.
    """

    preprocessing: Preprocessing
    train: LabelledCohort
    validation: LabelledCohort
    test: Cohort
    seen: Cohort


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Makes trials of one experiment, on its dataset or an altered one.

    Attributes:
        outcomes: Of the dataset.
        cache_folder: Of prepared cases.
        workers: Cases prepared at once.
        progress: Takes (done, total) while cases are prepared.
    """

    experiment: Experiment
    outcomes: Outcomes
    cache_folder: Path
    workers: int
    progress: Callable[[int, int], None]

    def cache_of(self, dataset: Dataset) -> CaseCache:
        """The cache of a dataset whose cases are prepared."""
        return CaseCache(self.cache_folder, dataset, self.experiment.preprocessing)

    def prepare(self, cache: CaseCache, case_ids: Sequence[str]) -> None:
        """Prepare cases as every fold needs them."""
        cache.prepare(
            Preprocessing.requests(cache.dataset, case_ids, cache.settings),
            workers=self.workers,
            progress=self.progress,
        )

    def parts(self, cache: CaseCache, outcomes: Outcomes, split: Split) -> Parts:
        """What the runner would give to a model.

        Args:
            cache: Of the dataset, prepared.
            outcomes: What the dataset says.
            split: Training, validation and test cases.
        """
        experiment = replace(self.experiment, dataset=cache.dataset)
        fitted = Preprocessing.fit(cache, cache.dataset, split.train, experiment.preprocessing)
        train, validation, test, seen = trial_cohorts(experiment, outcomes, cache, split, fitted)
        return Parts(preprocessing=fitted, train=train, validation=validation, test=test, seen=seen)

    def fit(
        self, train: LabelledCohort, validation: LabelledCohort, training: TrainingSettings
    ) -> Model:
        """A new model, fitted under the first seed of the protocol."""
        model = self.experiment.new_model()
        context = FitContext(
            seed=self.experiment.protocol.seeds[0],
            device=self.experiment.device,
            training=training,
            log=lambda epoch, values: None,
        )
        model.fit(train, validation, context)
        return model


def risk_of(model: Model, cohort: Cohort) -> NDArray[np.float64]:
    """(N,) risks in the order of the cohort.

    Raises:
        PluginError: The model predicted other cases, or in another order.
    """
    predictions = model.predict(cohort)
    check_order(predictions, cohort)
    return predictions.risk
