"""Discrimination between patients with and without the event by a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import by_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.metrics.kaplan_meier import KaplanMeier


def cumulative_dynamic_auc(
    risk: NDArray[np.float64],
    day: float,
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    censoring: KaplanMeier | None = None,
) -> float:
    """AUC(t): how often a patient with the event by `day` had more risk than one still observed.

    Patients with the event count 1 / G(time-), equal risks one half, and patients censored by
    `day` not at all. Scores of different fits share no scale: only within a test fold.

    Args:
        risk: (N,) higher means an earlier event; a score, or 1 - S(day).
        day: Horizon in days.
        time: (N,) days of follow-up.
        event: (N,) True where the event was observed.
        censoring: G of the cohort that the patients belong to; estimated from these patients
            if not given.

    Raises:
        UndefinedMetricError: No patient has the event by `day`, or none is observed after it,
            or G is 0 before an event.
        ValueError: As `shapes.check_follow_up`.

    Source: Uno et al., JASA 102 (2007) 527; Blanche et al., Stat Med 32 (2013) 5381.
    """
    check_follow_up(time, event, risk=risk)
    censoring = censoring_distribution(time, event) if censoring is None else censoring
    reached = by_day(time, day)
    case, control = reached & event, np.sort(risk[~reached])
    if not case.any() or len(control) == 0:
        raise UndefinedMetricError(
            f"by day {day:g} there are {np.count_nonzero(case)} events and after it "
            f"{len(control)} patients observed; AUC needs both"
        )
    free = censoring.before(time[case])
    if (free == 0).any():
        raise UndefinedMetricError(
            f"the censoring distribution reaches 0 before day {day:g}; choose an earlier day"
        )
    lower = np.searchsorted(control, risk[case], side="left")
    equal = np.searchsorted(control, risk[case], side="right") - lower
    share = (lower + 0.5 * equal) / len(control)
    return float((share / free).sum() / (1 / free).sum())
