"""Concordance of risk with follow-up: its value, its pair counts and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.pairs import follow_up_order, pair_sums
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import by_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.metrics.kaplan_meier import KaplanMeier


@dataclass(frozen=True, kw_only=True, eq=False)
class Concordance:
    """A concordance index.

    Attributes:
        value: In [0, 1]; 0.5 is chance, higher is better.
        concordant: Weight of the comparable pairs in which the earlier event had more risk.
        discordant: Weight of those in which it had less.
        tied_risk: Weight of those of equal risks, which count one half.
        tied_time: Weight of the pairs of two events at one time, of different risks; not used.
        tied_both: Weight of those of equal risks; not used.
        influence: (N,) infinitesimal jackknife: how much the value changes per unit of weight
            of a patient. Conditional on the predictions and on any censoring weights.
        pairs: (N,) share of the comparable pairs that a patient is in, by weight; they sum to 2.
        leader: (N,) True for a patient who had the earlier event of a comparable pair.
    """

    value: float
    concordant: float
    discordant: float
    tied_risk: float
    tied_time: float
    tied_both: float
    influence: NDArray[np.float64]
    pairs: NDArray[np.float64]
    leader: NDArray[np.bool_]

    @property
    def variance(self) -> float:
        """Infinitesimal-jackknife variance for independent patients, R's `concordance()$var`."""
        return float((self.influence**2).sum())

    def standard_error(self, patient: NDArray[Any] | None = None) -> float:
        """Infinitesimal-jackknife standard error, conditional on the predictions.

        Args:
            patient: (N,) whose row it is, where a patient has several (one per repeat); the rows
                of one patient are added before squaring. By default every row is a patient.
        """
        if patient is None:
            return float(np.sqrt(self.variance))
        of = np.unique(patient, return_inverse=True)[1]
        return float(np.sqrt((np.bincount(of, weights=self.influence) ** 2).sum()))


def concordance(
    risk: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    strata: NDArray[Any] | None = None,
    leader_weight: NDArray[np.float64] | None = None,
    tau: float | None = None,
) -> Concordance:
    """Concordance over the comparable pairs, as R's `survival::concordance`.

    A pair (i, j) is comparable when i had the event and j was followed for longer, or was
    censored at the same time; two events at one time are not. Risks tie only when exactly equal:
    no tolerance, so tiny risks keep their order.

    Args:
        risk: (N,) higher means an earlier event.
        time: (N,) days.
        event: (N,) True where the event was observed.
        strata: (N,) pairs are formed only within equal values (test folds, repeats), because
            risks of different fits share no scale.
        leader_weight: (N,) weight of the pairs whose earlier event is this patient's; 1 if not
            given, which is Harrell's C.
        tau: Only pairs whose earlier event is at or before this day count.

    Raises:
        UndefinedMetricError: No pair is comparable.
        ValueError: A risk is not finite, or shapes differ.

    Source: Harrell, JAMA 247 (1982) 2543; Therneau & Watson, Mayo Clinic report 85 (2015).
    """
    check_follow_up(time, event, risk=risk, strata=strata, leader_weight=leader_weight)
    if not np.isfinite(risk).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(risk))} risks are not finite")
    leads = event if tau is None else event & by_day(time, tau)
    weight = leads.astype(np.int64) if leader_weight is None else np.where(leads, leader_weight, 0)
    rank = np.unique(risk, return_inverse=True)[1]
    order = follow_up_order(time, event)
    # riskier, tied, comparable as leader; the same as the later one
    sums = np.zeros((6, len(risk)), dtype=weight.dtype)
    tied_time = tied_both = 0.0
    for rows in _rows_of(strata):
        found = pair_sums(order[rows], rank[rows], weight[rows])
        sums[:, rows] = (
            *(found.riskier, found.tied, found.comparable),
            *(found.led_by_riskier, found.led_by_tied, found.led),
        )
        tied_time += found.tied_events
        tied_both += found.tied_both
    concordant, tied, pairs = (float(total) for total in sums[:3].sum(axis=1))
    if pairs == 0:
        until = "" if tau is None else f" with an event by day {tau:g}"
        raise UndefinedMetricError(
            f"no comparable pair{until} among {len(time)} cases with {int(event.sum())} events, "
            "so the C-index is undefined"
        )
    value = (concordant + 0.5 * tied) / pairs
    riskier, equal, all_pairs = sums[:3] + sums[3:]
    return Concordance(
        value=value,
        concordant=concordant,
        discordant=pairs - concordant - tied,
        tied_risk=tied,
        tied_time=tied_time,
        tied_both=tied_both,
        influence=(riskier + 0.5 * equal - value * all_pairs) / pairs,
        pairs=all_pairs / pairs,
        leader=sums[2] > 0,
    )


def uno_weight(
    time: NDArray[np.float64], censoring: KaplanMeier | None = None, *, event: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """(N,) 1 / G(time-)^2 of the patients with an event; 0 of the censored.

    Args:
        time: (N,) days.
        censoring: G of the cohort that the patients belong to, by `censoring_distribution`;
            estimated from these patients if not given.
        event: (N,) True where the event was observed.

    Raises:
        UndefinedMetricError: G is 0 before an event, so nobody stands for the censored.
        ValueError: As `shapes.check_follow_up`.
    """
    check_follow_up(time, event)
    censoring = censoring_distribution(time, event) if censoring is None else censoring
    free = censoring.before(time)
    if (free[event] == 0).any():
        raise UndefinedMetricError(
            f"everybody is censored before the event on day {time[event & (free == 0)].min():g}; "
            "choose an earlier tau"
        )
    return np.where(event, 1 / np.where(event, free, 1) ** 2, 0.0)


def uno_c(
    risk: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    tau: float,
    censoring: KaplanMeier | None = None,
) -> Concordance:
    """Uno's C: concordance of events by day `tau`, weighted by 1 / G(t-)^2.

    Unlike Harrell's C its target does not depend on the censoring. As in R, events on day `tau`
    count, and G is its left limit because events precede censorings of the same day.

    Raises:
        UndefinedMetricError: No event by `tau`, no comparable pair, or G is 0 before an event.
        ValueError: A risk is not finite, or shapes differ.

    Source: Uno et al., Stat Med 30 (2011) 1105; R `concordance(timewt="n/G2", ymax=tau)`.
    """
    check_follow_up(time, event, risk=risk)
    before = event & by_day(time, tau)
    weight = uno_weight(time, censoring or censoring_distribution(time, event), event=before)
    return concordance(risk, time, event, leader_weight=weight, tau=tau)


def _rows_of(strata: NDArray[Any] | None) -> list[NDArray[np.intp]] | list[slice]:
    if strata is None:
        return [slice(None)]
    of = np.unique(strata, return_inverse=True)[1]
    return np.split(np.argsort(of, kind="stable"), np.cumsum(np.bincount(of))[:-1])
