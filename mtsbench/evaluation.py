"""Scores of one trial's predictions: per fold for risks, per patient for masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from mtsbench.data import Predictions
from mtsbench.errors import PluginError
from mtsbench.interfaces import KnownHazard, Score
from mtsbench.metrics.overlap import Overlap, overlap
from mtsbench.preprocessing import native_probability
from mtsbench.records import StoredScore
from mtsbench.slices import Slice, cut_slice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Cohort, Outcomes
    from mtsbench.interfaces import Dataset
    from mtsbench.metrics.catalogue import Metrics

TUMOUR_THRESHOLD = 0.5


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
) -> Evaluation:
    """Score the predictions of a test fold.

    Masks are compared on the true mask's own grid: the predicted probability is carried there
    from the common grid, so tumour outside the model's crop counts as missed.

    Args:
        predictions: Of the model.
        cohort: What the model was given.
        dataset: Gives the true masks, one case at a time, and the oracle.
        outcomes: Of the cohort, in its order.
        train: Outcomes of all other cases of the cohort, for metrics that weight by censoring.
        metrics: What to compute.

    Raises:
        PluginError: The model predicted other cases than it was given, or in another order.
    """
    check_order(predictions, cohort)
    masks = _MaskScores()
    if predictions.tumour_probability is not None:
        masks = _score_masks(predictions.tumour_probability, cohort, dataset, metrics)
    per_patient = {name: tuple(scores) for name, scores in masks.scores.items()}
    oracle: dict[str, StoredScore] = {}
    recovery: dict[str, StoredScore] = {}
    oracle_recovery: dict[str, StoredScore] = {}
    if isinstance(dataset, KnownHazard):
        truth = Predictions(case_ids=outcomes.case_ids, risk=dataset.oracle_risk(outcomes.case_ids))
        oracle = _score_risk(truth, outcomes, train, metrics)
        factors = dataset.factors(outcomes.case_ids)
        recovery = _recovery(predictions.risk, factors)
        oracle_recovery = _recovery(truth.risk, factors)
    return Evaluation(
        scores={
            **_score_risk(predictions, outcomes, train, metrics),
            **{name: _mean(scores) for name, scores in per_patient.items()},
            **{
                name: StoredScore(value=None, reason=reason, cases=len(outcomes))
                for name, reason in metrics.unusable.items()
            },
        },
        per_patient=per_patient,
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
        name: _score(metric.within_fold, predictions, test, train)
        for name, metric in metrics.within_fold.items()
    }
    return {
        name: StoredScore(value=score.value, reason=score.reason, cases=len(test))
        for name, score in scores.items()
    }


@dataclass(kw_only=True)
class _MaskScores:
    scores: dict[str, list[Score]] = field(default_factory=dict)
    overlaps: dict[str, Overlap] = field(default_factory=dict)
    slices: dict[str, Slice] = field(default_factory=dict)


def _score_masks(
    probabilities: Sequence[NDArray[np.float32]],
    cohort: Cohort,
    dataset: Dataset,
    metrics: Metrics,
) -> _MaskScores:
    found = _MaskScores(scores={name: [] for name in metrics.per_patient})
    for row, (case_id, probability) in enumerate(zip(cohort.case_ids, probabilities, strict=True)):
        case = dataset.load(case_id)
        if case.mask is None:
            for scores in found.scores.values():
                scores.append(Score(value=None, reason="the case has no true mask"))
            continue
        grid = case.mask.grid
        predicted = native_probability(probability, cohort[row].grid, grid) > TUMOUR_THRESHOLD
        true = np.asarray(case.mask.array, dtype=np.bool_)
        for name, metric in metrics.per_patient.items():
            found.scores[name].append(_score(metric.per_patient, predicted, true, grid))
        found.overlaps[case_id] = overlap(predicted, true, grid)
        found.slices[case_id] = cut_slice(case, true, predicted, grid)
    return found


def _score(compute: Callable[..., Score], *arguments: object) -> Score:
    """The score, or why there is none: a metric that crashes must not cost a trained model."""
    try:
        return compute(*arguments)
    except Exception as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        return Score(value=None, reason=f"the metric raised {cause}")


def _mean(scores: Sequence[Score]) -> StoredScore:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        reasons = {score.reason for score in scores}
        why = f": {reasons.pop()}" if len(reasons) == 1 else ""
        return StoredScore(value=None, reason=f"undefined for every test case{why}", cases=0)
    return StoredScore(value=float(np.mean(values)), cases=len(values))
