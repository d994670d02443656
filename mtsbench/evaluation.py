"""Scores of one trial's predictions: per fold for risks, per patient for masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Predictions
from mtsbench.interfaces import KnownHazard, Score
from mtsbench.preprocessing import native_probability
from mtsbench.records import StoredScore

if TYPE_CHECKING:
    from mtsbench.data import Outcomes
    from mtsbench.interfaces import Dataset
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.volumes import Grid

TUMOUR_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Scores of a test fold.

    Attributes:
        scores: Metric to the fold's score; for masks, the mean over patients that have one.
        per_case: Metric to one score per test case, in the order of the predictions.
        oracle: Metric to the score of the true risk, where the dataset is simulated.
    """

    scores: Mapping[str, StoredScore]
    per_case: Mapping[str, tuple[Score, ...]]
    oracle: Mapping[str, StoredScore]


def evaluate(
    predictions: Predictions,
    grids: Sequence[Grid] | None,
    dataset: Dataset,
    *,
    test: Outcomes,
    train: Outcomes,
    metrics: Metrics,
) -> Evaluation:
    """Score the predictions of a test fold.

    Masks are compared on the true mask's own grid: the predicted probability is carried there
    from the common grid, so tumour outside the model's crop counts as missed.

    Args:
        predictions: In the order of `test`.
        grids: Common grid of each test case; None if the model does not segment.
        dataset: Gives the true masks, one case at a time, and the oracle.
        test: Outcomes of the test fold.
        train: Outcomes of the training part, for metrics that weight by censoring.
        metrics: What to compute.
    """
    per_case: dict[str, tuple[Score, ...]] = {}
    if predictions.tumour_probability is not None and grids is not None and metrics.per_case:
        per_case = _score_masks(predictions, grids, dataset, metrics)
    oracle: dict[str, StoredScore] = {}
    if isinstance(dataset, KnownHazard):
        truth = Predictions(case_ids=test.case_ids, risk=dataset.oracle_risk(test.case_ids))
        oracle = _score_risk(truth, test, train, metrics)
    return Evaluation(
        scores={
            **_score_risk(predictions, test, train, metrics),
            **{name: _mean(scores) for name, scores in per_case.items()},
        },
        per_case=per_case,
        oracle=oracle,
    )


def _score_risk(
    predictions: Predictions, test: Outcomes, train: Outcomes, metrics: Metrics
) -> dict[str, StoredScore]:
    scores = {
        name: metric.within_fold(predictions, test, train)
        for name, metric in metrics.within_fold.items()
    }
    return {
        name: StoredScore(value=score.value, reason=score.reason, cases=len(test))
        for name, score in scores.items()
    }


def _score_masks(
    predictions: Predictions, grids: Sequence[Grid], dataset: Dataset, metrics: Metrics
) -> dict[str, tuple[Score, ...]]:
    assert predictions.tumour_probability is not None  # evaluate() has checked it
    scores: dict[str, list[Score]] = {name: [] for name in metrics.per_case}
    for case_id, probability, grid in zip(
        predictions.case_ids, predictions.tumour_probability, grids, strict=True
    ):
        mask = dataset.load(case_id).mask
        for name, metric in metrics.per_case.items():
            if mask is None:
                scores[name].append(Score(value=None, reason="the case has no true mask"))
                continue
            predicted = native_probability(probability, grid, mask.grid) > TUMOUR_THRESHOLD
            true = np.asarray(mask.array, dtype=np.bool_)
            scores[name].append(metric.per_case(predicted, true, mask.grid))
    return {name: tuple(values) for name, values in scores.items()}


def _mean(scores: Sequence[Score]) -> StoredScore:
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return StoredScore(value=None, reason="undefined for every test case", cases=0)
    return StoredScore(value=float(np.mean(values)), cases=len(values))
