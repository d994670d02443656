"""Scores of one trial's predictions: per fold for risks, per patient for masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from mtsbench.capabilities import knows_hazard
from mtsbench.data import Predictions
from mtsbench.errors import PluginError
from mtsbench.interfaces import Score
from mtsbench.mask_scores import MaskScores, score_masks
from mtsbench.metrics.undefined import score_or_reason
from mtsbench.records import StoredScore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Cohort, Outcomes
    from mtsbench.interfaces import Dataset
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.metrics.overlap import Overlap
    from mtsbench.slices import Slice


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of a test fold.

    Attributes:
        scores: Metric to the fold's score; for masks, the mean over patients that have one.
        per_patient: Metric to one score per test case, in the order of the predictions.
        overlaps: Case id to the sizes of its masks, where it has a true one.
        slices: Case id to a slice to look at, where it has a true mask.
        oracle: Metric to the score of the true risk, where the dataset is simulated.
        recovery: Factor of the known hazard to its rank correlation with the predicted risk.
        oracle_recovery: The same with the true risk: the ceiling.
    """

    scores: Mapping[str, StoredScore]
    per_patient: Mapping[str, tuple[Score, ...]]
    oracle: Mapping[str, StoredScore]
    recovery: Mapping[str, StoredScore]
    oracle_recovery: Mapping[str, StoredScore]
    overlaps: Mapping[str, Overlap] = field(default_factory=dict)
    slices: Mapping[str, Slice] = field(default_factory=dict)


def evaluate(
    predictions: Predictions,
    cohort: Cohort,
    dataset: Dataset,
    *,
    outcomes: Outcomes,
    train: Outcomes,
    metrics: Metrics,
    workers: int = 1,
) -> Evaluation:
    """Score the predictions of a test fold.

    Args:
        predictions: Of the model.
        cohort: What the model was given.
        dataset: Gives the true masks, one case at a time, and the oracle.
        outcomes: Of the cohort, in its order.
        train: Outcomes of all other cases of the cohort, for metrics that weight by censoring.
        metrics: What to compute.
        workers: Patients whose masks are compared at once, and so in memory. They run as threads:
            `dataset.load` and each metric's `per_patient` are called from several at once.

    Raises:
        PluginError: The model predicted other cases than it was given, or in another order.
        MtsbenchError: A case cannot be loaded or scored; names it.
    """
    check_order(predictions, cohort)
    masks = MaskScores()
    if predictions.tumour_probability is not None:
        masks = score_masks(
            predictions.tumour_probability, cohort, dataset, metrics.per_patient, workers
        )
    oracle: dict[str, StoredScore] = {}
    recovery: dict[str, StoredScore] = {}
    oracle_recovery: dict[str, StoredScore] = {}
    if knows_hazard(dataset):
        truth = Predictions(case_ids=outcomes.case_ids, risk=dataset.oracle_risk(outcomes.case_ids))
        oracle = _score_risk(truth, outcomes, train, metrics)
        factors = dataset.factors(outcomes.case_ids)
        recovery = _recovery(predictions.risk, factors)
        oracle_recovery = _recovery(truth.risk, factors)
    return Evaluation(
        scores={
            **_score_risk(predictions, outcomes, train, metrics),
            **{name: _mean(scores) for name, scores in masks.scores.items()},
            **{
                name: StoredScore(value=None, reason=reason, cases=len(outcomes))
                for name, reason in metrics.unusable.items()
            },
        },
        per_patient=masks.scores,
        oracle=oracle,
        recovery=recovery,
        oracle_recovery=oracle_recovery,
        overlaps=masks.overlaps,
        slices=masks.slices,
    )


def check_order(predictions: Predictions, cohort: Cohort) -> None:
    """Refuse predictions that are not of the cohort's cases in its order.

    Raises:
        PluginError: They are not.
    """
    if predictions.case_ids != cohort.case_ids:
        raise PluginError(
            f"the model was given {len(cohort)} cases and must predict them in their order, but "
            f"its {len(predictions.case_ids)} predictions are of others or in another order"
        )


def _recovery(
    risk: NDArray[np.float64], factors: Mapping[str, NDArray[np.float64]]
) -> dict[str, StoredScore]:
    """Spearman's rank correlation of the risk with each factor."""
    found = {}
    for name, values in factors.items():
        if np.ptp(risk) == 0 or np.ptp(values) == 0:
            what = "risk" if np.ptp(risk) == 0 else "factor"
            score = StoredScore(value=None, reason=f"the {what} is constant", cases=len(risk))
        else:
            value = float(spearmanr(risk, values).statistic)
            score = StoredScore(value=value, cases=len(risk))
        found[name] = score
    return found


def _score_risk(
    predictions: Predictions, test: Outcomes, train: Outcomes, metrics: Metrics
) -> dict[str, StoredScore]:
    scores = {
        name: score_or_reason(metric.within_fold, predictions, test, train)
        for name, metric in metrics.within_fold.items()
    }
    return {
        name: StoredScore(value=score.value, reason=score.reason, cases=len(test))
        for name, score in scores.items()
    }


def _mean(scores: Sequence[Score]) -> StoredScore:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        reasons = {score.reason for score in scores}
        why = f": {reasons.pop()}" if len(reasons) == 1 else ""
        return StoredScore(value=None, reason=f"undefined for every test case{why}", cases=0)
    return StoredScore(value=float(np.mean(values)), cases=len(values))
