"""Agreement of whole survival curves with observed follow-up.

Probabilities share one scale, so these may be pooled over the folds of one repeat. With a hundred
patients none of them proves good calibration: report values and histograms, count no "passes".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.proportional_hazards import CoxFit, fit_cox
from mtsbench.metrics.shapes import check_curves, check_follow_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading


@dataclass(frozen=True, kw_only=True, eq=False)
class DCalibration:
    """Whether S(own time) is uniform, as it is for a calibrated model.

    Attributes:
        counts: (B,) patients by survival probability at their own time, from S = 0 to S = 1; the
            censored are spread over the bins that their event could still fall in.
        statistic: Chi-squared distance of the counts from equal ones; lower is better.
        p: With B - 1 degrees of freedom; too large under heavy censoring.
    """

    counts: NDArray[np.float64]
    statistic: float
    p: float


def d_calibration(
    survival_at_own_time: NDArray[np.float64], event: NDArray[np.bool_], *, bins: int = 10
) -> DCalibration:
    """D-calibration of whole survival curves.

    Args:
        survival_at_own_time: (N,) predicted S_i(time_i).
        event: (N,) True where the event was observed.
        bins: Of equal width.

    Raises:
        ValueError: As `shapes.check_follow_up`.

    Source: Haider et al., JMLR 21 (2020) 85.
    """
    check_follow_up(survival_at_own_time, event)
    edges = np.linspace(0, 1, bins + 1)
    own = survival_at_own_time[:, None]
    place = np.searchsorted(edges, survival_at_own_time, side="right") - 1
    inside = np.eye(bins)[np.minimum(place, bins - 1)]
    below = np.clip(own - edges[:-1], 0, 1 / bins) / np.where(own > 0, own, 1)
    # A patient censored at S = 0 can only have the event in the lowest bin.
    share = np.where(own > 0, below, inside)
    counts = np.where(event[:, None], inside, share).sum(axis=0)
    expected = len(event) / bins
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return DCalibration(counts=counts, statistic=statistic, p=float(chi2.sf(statistic, bins - 1)))


def km_calibration(
    survival: NDArray[np.float64],
    survival_time: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    reading: SurvivalReading,
) -> float:
    """Mean squared distance of the mean predicted curve from the Kaplan-Meier curve; 0 is perfect.

    From day 0 to the last day of the grid, by that day. Step curves are integrated exactly, others
    by the trapezoid rule over their grid, as SurvivalEVAL does with all. Other authors integrate
    other distances under this name.

    Args:
        survival: (N, T) at `survival_time`.
        survival_time: (T,) days, strictly increasing.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.
        reading: How curves are read between their grid days, as in `curves.survival_at`.

    Raises:
        ValueError: As `shapes.check_follow_up` and `shapes.check_curves`, or another reading.

    Source: SurvivalEVAL 0.9, after Chapfuwa et al. 2020.
    """
    check_follow_up(time, event)
    check_curves(survival, survival_time, len(time))
    observed, last = kaplan_meier(time, event), survival_time[-1]
    days = np.union1d(survival_time, 0.0)
    if reading == "step":
        days = np.union1d(days, observed.time[observed.time < last])
    mean = survival.mean(axis=0)[None, :]
    distance = (survival_at(days, mean, survival_time, reading=reading)[0] - observed.at(days)) ** 2
    if reading == "step":
        return float((distance[:-1] * np.diff(days)).sum() / last)
    return float(np.trapezoid(distance, days) / last)


def calibration_slope(
    log_risk: NDArray[np.float64], time: NDArray[np.float64], event: NDArray[np.bool_]
) -> CoxFit:
    """Cox model on the prediction alone; a slope below 1 means predictions are too extreme.

    Args:
        log_risk: (N,) log hazard ratio of a Cox model, or `horizon_calibration.cloglog` of the
            risk at one day.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.

    Raises:
        UndefinedMetricError: As `fit_cox`.
        ValueError: As `shapes.check_follow_up`.

    Source: van Houwelingen, Stat Med 19 (2000) 3401.
    """
    check_follow_up(time, event, log_risk=log_risk)
    return fit_cox(log_risk[:, None], time, event, names=("predicted log risk",))
