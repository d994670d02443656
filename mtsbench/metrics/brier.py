"""Brier score of survival curves, weighted for censoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.shapes import check_curves, check_follow_up
from mtsbench.tied_times import by_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.metrics.kaplan_meier import KaplanMeier


def brier_contributions(
    survival: NDArray[np.float64],
    days: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    censoring: KaplanMeier | None = None,
) -> NDArray[np.float64]:
    """(N, M) what each patient adds to the Brier score of each day; their mean is the score.

    A patient with the event by the day adds S^2 / G(time-), one still observed after it
    (1 - S)^2 / G(day), and one censored by then nothing; keep `days` off observed times.
    Probabilities share one scale, so contributions may be pooled over the folds of one repeat.

    Args:
        survival: (N, M) predicted probability of being event-free on each day.
        days: (M,) days.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.
        censoring: G of the cohort that the patients belong to; estimated from these patients
            if not given. Never that of another cohort.

    Raises:
        UndefinedMetricError: G is 0 where a weight is needed.
        ValueError: As `shapes.check_follow_up` and `shapes.check_curves`.

    Source: Graf et al., Stat Med 18 (1999) 2529; Gerds & Schumacher, Biom J 48 (2006) 1029.
    """
    check_follow_up(time, event)
    check_curves(survival, days, len(time))
    censoring = censoring_distribution(time, event) if censoring is None else censoring
    reached = by_day(time[:, None], days)
    had_event, observed = reached & event[:, None], ~reached
    weight = np.where(had_event, censoring.before(time)[:, None], censoring.at(days))
    used = had_event | observed
    if (weight[used] == 0).any():
        raise UndefinedMetricError(
            f"the censoring distribution reaches 0 by day {days.max():g}; choose an earlier tau"
        )
    error = np.where(had_event, survival, 1 - survival) ** 2
    return np.where(used, error / np.where(used, weight, 1.0), 0.0)


def brier_score(
    survival: NDArray[np.float64],
    days: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    censoring: KaplanMeier | None = None,
) -> NDArray[np.float64]:
    """(M,) Brier score of each day; 0 is perfect, S = 1/2 for everybody gives about 1/4.

    Arguments, errors and source as `brier_contributions`.
    """
    contributions = brier_contributions(survival, days, time, event, censoring=censoring)
    return np.asarray(contributions.mean(axis=0))


def integrate(scores: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over a grid of days by the trapezoid rule, along the last axis.

    pec's `crps` is a left-step sum and riskRegression starts at its first requested day, so both
    give other numbers for the same curve.

    Raises:
        ValueError: Fewer than two days, or a last axis of `scores` that is not that of the days.
    """
    if np.ndim(days) != 1 or len(days) < 2 or np.shape(scores)[-1:] != days.shape:
        raise ValueError(
            f"scores of shape {np.shape(scores)} cannot be integrated over days of shape "
            f"{np.shape(days)}; expected M days, at least two, and M scores along the last axis"
        )
    return np.asarray(np.trapezoid(scores, days, axis=-1) / (days[-1] - days[0]))


def integrated_brier_score(
    survival: NDArray[np.float64],
    days: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    censoring: KaplanMeier | None = None,
) -> float:
    """IBS on a declared grid (`evaluation_grid`); arguments and errors as `brier_contributions`."""
    return float(integrate(brier_score(survival, days, time, event, censoring=censoring), days))


def prediction_accuracy_index(
    survival: NDArray[np.float64],
    days: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    censoring: KaplanMeier | None = None,
) -> float:
    """IPA = 1 - IBS / IBS of the Kaplan-Meier curve; 1 is perfect, 0 knows nothing of a patient.

    The Kaplan-Meier curve is that of the scored patients. Unlike IBS it can be compared over
    datasets. Arguments as `brier_contributions`.

    Raises:
        UndefinedMetricError: As `brier_contributions`, or nobody has an event on the grid.

    Source: Kattan & Gerds, Diagn Progn Res 2 (2018) 7, with the integrated score.
    """
    check_curves(survival, days, len(time))
    marginal = np.broadcast_to(kaplan_meier(time, event).at(days), survival.shape)
    nothing = integrated_brier_score(marginal, days, time, event, censoring=censoring)
    if nothing == 0:
        raise UndefinedMetricError(f"no event by day {days[-1]:g}, so there is nothing to predict")
    return 1 - integrated_brier_score(survival, days, time, event, censoring=censoring) / nothing
