"""Risk groups of tested patients, and agreement of curves with what was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.calibration import DCalibration, d_calibration
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.curves import curves_of, predicted_survival
from mtsbench.metrics.horizon_calibration import (
    SmoothCalibration,
    observed_to_expected,
    smooth_calibration,
)
from mtsbench.metrics.risk_groups import (
    HazardRatio,
    LogRank,
    assign_groups,
    cut_points,
    hazard_ratio,
    log_rank,
)
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.comparison.patients import FoldPatients, RunPatients


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskGroups:
    """Patients of one repeat and seed, above and below the median risk of the training fold.

    Attributes:
        time: (N,) days.
        event: (N,) True where the event was observed.
        high: (N,) True in the higher-risk group.
        log_rank: Stratified by fold; None with `undefined`.
        hazard_ratio: Of the higher-risk group, stratified by fold; None with `undefined`.
        undefined: Why a value is missing.
    """

    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    high: NDArray[np.bool_]
    log_rank: LogRank | None
    hazard_ratio: HazardRatio | None
    undefined: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """Survival curves of one repeat and seed against follow-up.

    Attributes:
        risk: (N,) predicted risk of an event by the horizon.
        smooth: At the horizon.
        whole: D-calibration of whole curves.
        observed_to_expected: 1 is perfect; above it, the model promises too much survival.
    """

    risk: NDArray[np.float64]
    smooth: SmoothCalibration
    whole: DCalibration
    observed_to_expected: float


def risk_groups(tested: RunPatients) -> RiskGroups:
    """Groups by the median risk of each trial's own training fold, first repeat and seed only.

    Repeats and seeds are the same patients again, so they are never added.
    """
    folds = first_pass(tested)
    high = np.concatenate(
        [assign_groups(f.predictions.risk, cut_points(f.training_risk)) == 1 for f in folds]
    )
    time = np.concatenate([fold.outcomes.time for fold in folds])
    event = np.concatenate([fold.outcomes.event for fold in folds])
    stratum = np.repeat(np.arange(len(folds)), [len(fold.outcomes) for fold in folds])
    undefined: list[str] = []
    ranks: LogRank | None = None
    ratio: HazardRatio | None = None
    try:
        ranks = log_rank(time, event, high, strata=stratum)
        ratio = hazard_ratio(time, event, high, strata=stratum)
    except UndefinedMetricError as error:
        undefined.append(str(error))
    return RiskGroups(
        time=time,
        event=event,
        high=high,
        log_rank=ranks,
        hazard_ratio=ratio,
        undefined=tuple(undefined),
    )


def calibration(tested: RunPatients, horizon: float) -> Calibration:
    """Calibration at a horizon and of whole curves, pooled over the folds of one repeat.

    Probabilities share one scale, so unlike risks they may be pooled.

    Raises:
        UndefinedMetricError: The model gives no curves, they end before the horizon, or the
            predictions hardly vary.
    """
    folds = first_pass(tested)
    at_horizon, own = [], []
    for fold in folds:
        days = curves_of(fold.predictions)[1]
        if days[-1] < horizon:
            raise UndefinedMetricError(f"the curves end on day {days[-1]:g}, before {horizon:g}")
        at_horizon.append(1 - predicted_survival(fold.predictions, np.array([horizon]))[:, 0])
        own.append(np.diag(predicted_survival(fold.predictions, fold.outcomes.time)))
    risk = np.concatenate(at_horizon)
    time = np.concatenate([fold.outcomes.time for fold in folds])
    event = np.concatenate([fold.outcomes.event for fold in folds])
    return Calibration(
        risk=risk,
        smooth=smooth_calibration(risk, horizon, time, event),
        whole=d_calibration(np.concatenate(own), event),
        observed_to_expected=observed_to_expected(risk, horizon, time, event),
    )


def auc_by_day(tested: RunPatients, days: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) AUC at each day, within folds and then averaged; NaN where no fold has a value.

    G is that of the whole cohort, not of a fold.
    """
    censoring = censoring_distribution(tested.outcomes.time, tested.outcomes.event)
    found = np.full((len(tested.folds), len(days)), np.nan)
    for row, fold in enumerate(tested.folds):
        for column, day in enumerate(days):
            try:
                found[row, column] = cumulative_dynamic_auc(
                    *(fold.predictions.risk, float(day), fold.outcomes.time, fold.outcomes.event),
                    censoring=censoring,
                )
            except UndefinedMetricError:
                continue  # this fold has no event yet, or nobody left
    defined = np.isfinite(found)
    total = np.where(defined, found, 0).sum(axis=0)
    return np.where(defined.any(axis=0), total / np.maximum(defined.sum(axis=0), 1), np.nan)


def first_pass(tested: RunPatients) -> tuple[FoldPatients, ...]:
    """The folds of the first repeat and seed: each patient once."""
    first = tested.folds[0]
    return tuple(f for f in tested.folds if (f.repeat, f.seed) == (first.repeat, first.seed))
