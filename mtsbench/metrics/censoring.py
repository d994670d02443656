"""The censoring distribution of a cohort, and the horizon that its follow-up allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.kaplan_meier import KaplanMeier, product_limit
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import merge_equal_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREE_AT_TAU = 0.2  # below this, few patients stand for many
AT_RISK_AT_TAU = 0.1
DAYS_PER_YEAR = 365.25


def censoring_distribution(time: NDArray[np.float64], event: NDArray[np.bool_]) -> KaplanMeier:
    """G: the probability of still being under observation.

    Estimate it from the outcomes of the cohort that is scored, the whole of it, never from the
    training cohort of an external test: with the wrong G the same predictions had a five-year
    Brier score of 0.139 instead of 0.217. Events precede censorings of the same day, so a
    patient with an event is not at risk of censoring on that day, and weights of events use
    `before`, the left limit.

    Args:
        time: (N,) days.
        event: (N,) True where the event was observed.

    Raises:
        ValueError: As `shapes.check_follow_up`.

    Source: Gerds & Schumacher, Biom J 48 (2006) 1029; the G of R `pec` and `riskRegression`.
    """
    check_follow_up(time, event)
    days, row = np.unique(merge_equal_times(time), return_inverse=True)
    events = np.bincount(row, weights=event, minlength=len(days)).astype(np.int64)
    left = np.bincount(row, minlength=len(days))
    under_observation = len(time) - np.concatenate([[0], np.cumsum(left)[:-1]])
    return product_limit(days, under_observation - events, left - events)


def choose_tau(time: NDArray[np.float64], event: NDArray[np.bool_]) -> float:
    """The latest half-year that the follow-up of a cohort supports, in days.

    There G is at least 0.2 and at least 10 % of the patients are still at risk. It is decided
    from outcomes only, once per cohort, so it favours no model. It is a quarter of a day past
    midnight, because scores on a day of observed censorings depend on a convention.

    Raises:
        UndefinedMetricError: Follow-up is too short for half a year.
    """
    censoring = censoring_distribution(time, event)
    halves = np.arange(1, int(2 * time.max() / DAYS_PER_YEAR) + 1)
    candidates = off_whole_days(halves * DAYS_PER_YEAR / 2)
    at_risk = (time[:, None] > candidates).mean(axis=0)
    fit = candidates[(censoring.at(candidates) >= FREE_AT_TAU) & (at_risk >= AT_RISK_AT_TAU)]
    if len(fit) == 0:
        raise UndefinedMetricError(
            f"no half-year has G >= {FREE_AT_TAU} and {AT_RISK_AT_TAU:.0%} of the "
            f"{len(time)} patients at risk; the last follow-up is day {time.max():g}. Times must "
            "be days: multiply years by 365.25 and months by 30.4375. A follow-up that is so short "
            "in days has no such score"
        )
    return float(fit[-1])


def choose_horizon(tau: float) -> float:
    """The half-year nearest to the middle of the follow-up up to `tau`, in days.

    Metrics of a single day are read there: about as many patients have had the event as can have
    it, and about as many are still observed as can be.
    """
    halves = max(1, round(tau / DAYS_PER_YEAR))
    return float(off_whole_days(np.array(halves * DAYS_PER_YEAR / 2)))


def evaluation_grid(tau: float, steps: int = 100) -> NDArray[np.float64]:
    """Days from 0 to `tau` in about equal steps, off whole days in between."""
    inside = off_whole_days(np.arange(1, steps) * tau / steps)
    return np.concatenate([[0.0], np.unique(inside[inside < tau]), [tau]])


def off_whole_days(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same days, a quarter of a day past midnight."""
    return np.floor(days) + 0.25
