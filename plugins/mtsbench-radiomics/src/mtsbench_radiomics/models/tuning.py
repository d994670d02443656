"""Choice of a hyper-parameter by cross-validation inside the training part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.survival import harrell_c
from mtsbench_radiomics.estimators.design import FEWEST_EVENTS, Design
from mtsbench_radiomics.estimators.folds import event_stratified_folds
from mtsbench_radiomics.models.preparation import Preparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes
    from mtsbench_radiomics.estimators.design import Estimator
    from mtsbench_radiomics.features.table import FeatureTable
    from mtsbench_radiomics.models.preparation import PreparationSettings


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A hyper-parameter and how it was found.

    Attributes:
        candidate: The value.
        concordance: Mean Harrell C over inner folds; None where nothing was compared.
        folds: Inner folds that could be compared.
    """

    candidate: float
    concordance: float | None
    folds: int


@dataclass(frozen=True, kw_only=True)
class TrainingPart:
    """Features and outcomes of the same cases in the same order."""

    table: FeatureTable
    outcomes: Outcomes
    settings: PreparationSettings
    always: tuple[str, ...]

    def rows(self, chosen: NDArray[np.bool_]) -> TrainingPart:
        """Some of the cases."""
        case_ids = tuple(np.array(self.table.case_ids, dtype=object)[chosen].tolist())
        table = replace(self.table, case_ids=case_ids, values=self.table.values[chosen])
        return replace(self, table=table, outcomes=self.outcomes.subset(case_ids))

    def prepare(self) -> tuple[Preparation, Design]:
        """The preparation learnt from these cases, and what an estimator then sees."""
        preparation = Preparation.fit(self.table, self.outcomes, self.settings, self.always)
        return preparation, Design(
            names=preparation.names,
            values=preparation.apply(self.table),
            time=self.outcomes.time,
            event=self.outcomes.event,
            always=self.always,
        )


def choose(
    estimator: Estimator, part: TrainingPart, design: Design, folds: int, seed: int
) -> Choice:
    """The candidate with the highest mean concordance; of equals the simplest.

    Preparation is learnt anew in each inner fold, so that screening does not see the cases on
    which candidates are compared. A fold that leaves fewer than three events or no feature to
    learn from, or that has no comparable pair, is left out and not counted.
    """
    candidates = estimator.candidates(design)
    if len(candidates) == 1:
        return Choice(candidate=candidates[0], concordance=None, folds=0)
    fold = event_stratified_folds(part.outcomes.event, folds, seed)
    scores = [
        score
        for number in range(int(fold.max()) + 1)
        if (score := _scores(estimator, part, fold == number, candidates, seed)) is not None
    ]
    if not scores:
        # Nothing speaks for a less simple model.
        return Choice(candidate=candidates[0], concordance=None, folds=0)
    # A candidate that could not be fitted in some fold is no choice.
    means = np.nan_to_num(np.mean(scores, axis=0), nan=-np.inf)
    best = int(means.argmax())
    return Choice(candidate=candidates[best], concordance=float(means[best]), folds=len(scores))


def _scores(
    estimator: Estimator,
    part: TrainingPart,
    held_out: NDArray[np.bool_],
    candidates: tuple[float, ...],
    seed: int,
) -> NDArray[np.float64] | None:
    """(K,) concordance of each candidate on the held-out cases; None where it is undefined."""
    learning, outside = part.rows(~held_out), part.rows(held_out)
    if learning.outcomes.event.sum() < FEWEST_EVENTS:
        return None
    preparation, design = learning.prepare()
    if not preparation.names:
        return None
    risks = estimator.held_out_risk(design, preparation.apply(outside.table), candidates, seed)
    time, event = outside.outcomes.time, outside.outcomes.event
    try:
        return np.array(
            [harrell_c(risk, time, event) if np.isfinite(risk).all() else np.nan for risk in risks]
        )
    except UndefinedMetricError:  # no comparable pair
        return None
