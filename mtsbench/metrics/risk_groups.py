"""Patients sorted into groups of risk: cut points, log-rank test, hazard ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.partial_likelihood import Ties
from mtsbench.metrics.proportional_hazards import fit_cox
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import merge_equal_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NOTHING = 1e-10


def cut_points(
    training_risk: NDArray[np.float64], quantiles: Sequence[float] = (0.5,)
) -> NDArray[np.float64]:
    """(G - 1,) quantiles of the risks of the *training* fold; the median by default.

    Never of all patients, whose risks come from several fits, and never chosen by p.

    Args:
        training_risk: (N,) of the model on its own training cases.
        quantiles: Increasing, in (0, 1); (1/3, 2/3) for tertiles.
    """
    return np.quantile(training_risk, quantiles)


def assign_groups(risk: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.intp]:
    """(N,) group from 0, the lowest risk; a risk on a cut point belongs to the lower group."""
    return np.searchsorted(cuts, risk, side="left")


@dataclass(frozen=True, kw_only=True)
class LogRank:
    """A test that groups have the same hazard.

    It asks whether the groups are better than nothing, not whether one model beats another.
    """

    statistic: float
    freedom: int
    p: float


def log_rank(
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    group: NDArray[Any],
    *,
    strata: NDArray[Any] | None = None,
) -> LogRank:
    """Log-rank test, stratified where risks of several folds are pooled.

    Never add the statistics of several repeats: they are the same patients.

    Args:
        time: (N,) days.
        event: (N,) True where the event was observed.
        group: (N,) any labels; at least two.
        strata: (N,) test fold of each patient.

    Raises:
        UndefinedMetricError: One group only, or groups that never share a risk set with an event.
        ValueError: As `shapes.check_follow_up`.

    Source: Mantel, Cancer Chemother Rep 50 (1966) 163; R `survival::survdiff`.
    """
    check_follow_up(time, event, group=group, strata=strata)
    labels, of = np.unique(group, return_inverse=True)
    if len(labels) < 2:
        raise UndefinedMetricError("all patients are in one risk group, so there is no comparison")
    member, time = np.eye(len(labels))[of], merge_equal_times(time)
    stratum = np.zeros(len(time)) if strata is None else strata
    excess, spread = np.zeros(len(labels)), np.zeros((len(labels), len(labels)))
    for one in np.unique(stratum):
        row = stratum == one
        more, covariance = _excess(time[row], event[row], member[row])
        excess += more
        spread += covariance
    # Rounding leaves about 1e-16 of the spread in the direction of "all groups alike".
    freedom = int(np.linalg.matrix_rank(spread, tol=NOTHING * np.trace(spread), hermitian=True))
    if freedom == 0:
        raise UndefinedMetricError("no event happened while patients of two groups were at risk")
    statistic = float(excess @ np.linalg.pinv(spread, rtol=NOTHING, hermitian=True) @ excess)
    return LogRank(statistic=statistic, freedom=freedom, p=float(chi2.sf(statistic, freedom)))


def _excess(
    time: NDArray[np.float64], event: NDArray[np.bool_], member: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(G,) events more than expected of each group, and their (G, G) covariance."""
    days = np.unique(time[event])
    at_risk = (time >= days[:, None]).astype(float) @ member
    events = ((time == days[:, None]) & event).astype(float) @ member
    everyone, died = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / everyone[:, None]
    # The hypergeometric variance; a single patient at risk has none.
    scale = died * (everyone - died) / np.maximum(everyone - 1, 1)
    spread = np.einsum("t,tg,gh->gh", scale, share, np.eye(member.shape[1]))
    spread -= np.einsum("t,tg,th->gh", scale, share, share)
    return (events - died[:, None] * share).sum(axis=0), spread


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """Hazard of the higher-risk group over that of the lower.

    Attributes:
        value: Above 1 where the higher-risk group has its events earlier.
        interval: Wald confidence interval.
        p: Wald test of value 1.
    """

    value: float
    interval: tuple[float, float]
    p: float


def hazard_ratio(
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    high: NDArray[np.bool_],
    *,
    strata: NDArray[Any] | None = None,
    ties: Ties = "efron",
    confidence: float = 0.95,
) -> HazardRatio:
    """Hazard ratio of two risk groups by a Cox model, stratified where folds are pooled.

    Args:
        time: (N,) days.
        event: (N,) True where the event was observed.
        high: (N,) True for the higher-risk group.
        strata: (N,) test fold of each patient: folds may then differ in their baseline hazard, as
            in the stratified log-rank test.
        ties: How events of the same day are treated.
        confidence: Of the interval.

    Raises:
        UndefinedMetricError: One group only, no event, a group without events, or groups that
            separate earlier from later events in every stratum: the hazard ratio is 0 or infinite.
        ValueError: As `shapes.check_follow_up`.
    """
    check_follow_up(time, event, high=high, strata=strata)
    for group, patients in (("higher", high), ("lower", ~high)):
        if not event[patients].any():
            raise UndefinedMetricError(
                f"the {group}-risk group of {np.count_nonzero(patients)} patients has no event, "
                "so the hazard ratio is 0 or infinite"
            )
    fit = fit_cox(
        high.astype(np.float64)[:, None],
        *(time, event),
        ties=ties,
        strata=strata,
        names=("higher-risk group",),
    )
    low_limit, high_limit = np.exp(fit.interval(confidence)[0])
    return HazardRatio(
        value=float(np.exp(fit.coefficient[0])),
        interval=(float(low_limit), float(high_limit)),
        p=float(fit.p[0]),
    )
