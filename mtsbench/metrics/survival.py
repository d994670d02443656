"""Survival metrics of one test fold.

Concordance and AUC of scores exist only within a fold, because the risk scales of two fits differ.
tau, the horizon and the censoring distribution G come from the outcomes of the whole cohort, test
and training fold, and so do not depend on any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.interfaces import Score
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import integrated_brier_score, prediction_accuracy_index
from mtsbench.metrics.censoring import (
    censoring_distribution,
    choose_horizon,
    choose_tau,
    evaluation_grid,
)
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.curves import curves_of, predicted_survival
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mtsbench.data import Outcomes, Predictions
    from mtsbench.metrics.kaplan_meier import KaplanMeier


def harrell_c(
    risk: NDArray[np.float64], time: NDArray[np.float64], event: NDArray[np.bool_]
) -> float:
    """Harrell's C: share of comparable pairs whose order the risk tells, ties in risk 1/2.

    Args:
        risk: (N,) higher means an earlier event.
        time: (N,) days.
        event: (N,) True where the event was observed.

    Raises:
        ValueError: No pair is comparable, or a risk is not finite.

    Source: Harrell et al., JAMA 247 (1982) 2543; ties as R `survival::concordance`.
    """
    return concordance(risk, time, event).value


@dataclass(frozen=True, kw_only=True, eq=False)
class FollowUp:
    """What the outcomes of a cohort allow to be scored.

    Attributes:
        tau: Last day that is scored.
        horizon: Day at which single-day metrics are read.
        censoring: G of the cohort.
    """

    tau: float
    horizon: float
    censoring: KaplanMeier


def follow_up(*parts: Outcomes) -> FollowUp:
    """tau, horizon and G of the cohort that these outcomes make up together.

    Raises:
        UndefinedMetricError: Follow-up is too short for any half-year.
    """
    time = np.concatenate([part.time for part in parts])
    event = np.concatenate([part.event for part in parts])
    tau = choose_tau(time, event)
    return FollowUp(
        tau=tau, horizon=choose_horizon(tau), censoring=censoring_distribution(time, event)
    )


class HarrellC:
    """Harrell's C of one test fold; never pooled over folds, whose risk scales differ."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's C-index, or the reason why no pair can be compared."""
        return _score(lambda: harrell_c(predictions.risk, test.time, test.event))


class UnoC:
    """Uno's C up to the cohort's tau; the companion of Harrell's C under other censoring."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's C, or the reason why it is undefined."""

        def value() -> float:
            known = follow_up(test, train)
            return uno_c(
                *(predictions.risk, test.time, test.event),
                tau=known.tau,
                censoring=known.censoring,
            ).value

        return _score(value)


class AntoliniC:
    """Antolini's C^td; for models whose curves cross, never compared with Harrell's C."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's C^td, or the reason why it is undefined."""

        def value() -> float:
            survival, days, reading = curves_of(predictions)
            return antolini_c(survival, days, test.time, test.event, reading=reading)

        return _score(value)


class HorizonAuc:
    """Cumulative/dynamic AUC of the risk at the cohort's horizon."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's AUC, or the reason why it is undefined."""

        def value() -> float:
            known = follow_up(test, train)
            return cumulative_dynamic_auc(
                *(predictions.risk, known.horizon, test.time, test.event),
                censoring=known.censoring,
            )

        return _score(value)


class IntegratedBrier:
    """Integrated Brier score up to the cohort's tau."""

    higher_is_better = False

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's IBS, or the reason why it is undefined."""
        return _score(lambda: _on_grid(integrated_brier_score, predictions, test, train))


class PredictionAccuracy:
    """Index of prediction accuracy 1 - IBS / IBS of Kaplan-Meier, up to the cohort's tau."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's IPA, or the reason why it is undefined."""
        return _score(lambda: _on_grid(prediction_accuracy_index, predictions, test, train))


def _on_grid(
    metric: Callable[..., float], predictions: Predictions, test: Outcomes, train: Outcomes
) -> float:
    survival_time = curves_of(predictions)[1]
    known = follow_up(test, train)
    if survival_time[-1] < known.tau:
        raise UndefinedMetricError(
            f"the model's curves end on day {survival_time[-1]:g}, before tau = {known.tau:g}"
        )
    days = evaluation_grid(known.tau)
    on_grid = predicted_survival(predictions, days)
    return metric(on_grid, days, test.time, test.event, censoring=known.censoring)


def _score(value: Callable[[], float]) -> Score:
    try:
        return Score(value=value())
    except UndefinedMetricError as undefined:
        return Score(value=None, reason=str(undefined))
