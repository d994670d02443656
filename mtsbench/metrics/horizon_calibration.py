"""Agreement of the predicted risk by one day with observed follow-up.

Probabilities share one scale, so these may be pooled over the folds of one repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.proportional_hazards import fit_cox
from mtsbench.metrics.shapes import check_follow_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

CERTAIN = 1e-6  # risks are kept this far from 0 and 1, where cloglog is infinite
KNOTS = (0.1, 0.5, 0.9)


@dataclass(frozen=True, kw_only=True, eq=False)
class SmoothCalibration:
    """Distance of the predicted risk of an event by one day from the smoothed observed risk.

    Attributes:
        observed: (N,) smoothed observed risk at each patient's predicted risk, for the curve.
        ici: Mean distance (integrated calibration index); 0 is perfect.
        e50: Median distance.
        e90: 90th percentile.
        largest: Largest distance.
    """

    observed: NDArray[np.float64]
    ici: float
    e50: float
    e90: float
    largest: float


def smooth_calibration(
    risk: NDArray[np.float64], day: float, time: NDArray[np.float64], event: NDArray[np.bool_]
) -> SmoothCalibration:
    """ICI, E50, E90 and largest distance at one horizon.

    The observed risk is smoothed by a Cox model on a restricted cubic spline of cloglog(risk) with
    knots at its 10th, 50th and 90th percentiles; another smoother gives other numbers.

    Args:
        risk: (N,) predicted probability of an event by `day`.
        day: Horizon in days.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.

    Raises:
        UndefinedMetricError: The predictions hardly vary, or no event to fit.
        ValueError: As `shapes.check_follow_up`.

    Source: Austin, Harrell, van Klaveren, Stat Med 39 (2020) 2714.
    """
    check_follow_up(time, event, risk=risk)
    transformed = cloglog(risk)
    knots = np.quantile(transformed, KNOTS)
    if np.diff(knots).min() <= 0:
        raise UndefinedMetricError(
            "predicted risks are so alike that their 10th, 50th and 90th percentiles coincide"
        )
    covariates = np.stack([transformed, _cubic(transformed, knots)], axis=1)
    fit = fit_cox(covariates, time, event, names=("cloglog of the risk", "its cubic term"))
    observed = 1 - fit.survival(covariates, day)
    distance = np.abs(np.clip(risk, CERTAIN, 1 - CERTAIN) - observed)
    return SmoothCalibration(
        observed=observed,
        ici=float(distance.mean()),
        e50=float(np.median(distance)),
        e90=float(np.quantile(distance, 0.9)),
        largest=float(distance.max()),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupCalibration:
    """Predicted and observed risk of groups of patients at one horizon.

    Attributes:
        size: (G,) patients.
        predicted: (G,) mean predicted risk.
        observed: (G,) 1 - Kaplan-Meier.
        error: (G,) Greenwood standard error of the observed risk.
    """

    size: NDArray[np.int64]
    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    error: NDArray[np.float64]

    def dagostino_nam(self) -> tuple[float, float]:
        """Chi-squared and p (G - 1 degrees), with the binomial variance of the predicted risk."""
        spread = self.predicted * (1 - self.predicted) / self.size
        statistic = float(((self.observed - self.predicted) ** 2 / spread).sum())
        return statistic, float(chi2.sf(statistic, len(self.size) - 1))

    def greenwood(self) -> tuple[float, float]:
        """Chi-squared and p (G degrees), with Greenwood's variance; Demler 2015, SurvivalEVAL.

        Raises:
            UndefinedMetricError: A group has no variance, because nobody or everybody in it had
                the event.
        """
        if not (self.error > 0).all():
            raise UndefinedMetricError(
                f"{np.count_nonzero(~(self.error > 0))} of {len(self.size)} groups have no "
                "variance; use fewer groups"
            )
        statistic = float((((self.observed - self.predicted) / self.error) ** 2).sum())
        return statistic, float(chi2.sf(statistic, len(self.size)))


def group_calibration(
    risk: NDArray[np.float64],
    day: float,
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    groups: int | NDArray[np.intp] = 10,
) -> GroupCalibration:
    """One-calibration: groups of rising predicted risk against their Kaplan-Meier curves.

    Args:
        risk: (N,) predicted probability of an event by `day`.
        day: Horizon in days.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.
        groups: How many groups of equal size, the larger ones at the higher risks and equal risks
            in the order of the cases; or (N,) the group of each patient.

    Raises:
        ValueError: As `shapes.check_follow_up`.

    Source: D'Agostino & Nam, Handbook of Statistics 23 (2004) 1; Demler, Paynter, Cook, Stat Med
        34 (2015) 1659. The two variances give different verdicts, so say which was used.
    """
    given = None if isinstance(groups, int) else groups
    check_follow_up(time, event, risk=risk, groups=given)
    if isinstance(groups, int):
        rows = np.array_split(np.argsort(-risk, kind="stable"), groups)[::-1]
    else:
        rows = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    curves = [kaplan_meier(time[row], event[row]) for row in rows]
    return GroupCalibration(
        size=np.array([len(row) for row in rows]),
        predicted=np.array([risk[row].mean() for row in rows]),
        observed=np.array([1 - curve.at(day) for curve in curves]),
        error=np.array([curve.standard_error(day) for curve in curves]),
    )


def observed_to_expected(
    risk: NDArray[np.float64], day: float, time: NDArray[np.float64], event: NDArray[np.bool_]
) -> float:
    """Observed risk by `day` (1 - Kaplan-Meier) over the mean predicted risk; 1 is perfect.

    Raises:
        UndefinedMetricError: The mean predicted risk is 0.
        ValueError: As `shapes.check_follow_up`.
    """
    check_follow_up(time, event, risk=risk)
    expected = float(risk.mean())
    if expected == 0:
        raise UndefinedMetricError(f"every predicted risk by day {day:g} is 0")
    return float(1 - kaplan_meier(time, event).at(day)) / expected


def cloglog(risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(-log(1 - risk)) of probabilities kept off 0 and 1; the log hazard of a Cox model."""
    return np.asarray(np.log(-np.log1p(-np.clip(risk, CERTAIN, 1 - CERTAIN))))


def _cubic(values: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nonlinear term of a restricted cubic spline with three knots, as R `rcspline.eval`."""
    low, middle, high = knots

    def beyond(knot: float) -> NDArray[np.float64]:
        return np.maximum(values - knot, 0) ** 3

    weighted = beyond(middle) * (high - low) - beyond(high) * (middle - low)
    return np.asarray((beyond(low) - weighted / (high - middle)) / (high - low) ** 2)
