"""Cox's partial likelihood of one stratum: its value, its derivatives and the baseline hazard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ties = Literal["efron", "breslow"]
SAFE = 300.0  # sums of exp() over scores that differ by less neither overflow nor vanish


@dataclass(frozen=True, kw_only=True, eq=False)
class Likelihood:
    """The partial likelihood at some coefficients.

    Attributes:
        value: Its logarithm.
        gradient: (P,) first derivatives.
        information: (P, P) second derivatives, negative.
        log_hazard: (D,) log of the baseline hazard of each day with events, in increasing order.
    """

    value: float
    gradient: NDArray[np.float64]
    information: NDArray[np.float64]
    log_hazard: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskSets:
    """Patients in the order of falling time, so that every risk set is a prefix.

    Attributes:
        covariates: (N, P).
        event: (E,) rows with an event.
        day: (E,) which day of `days` an event is on.
        share: (E,) part of the day's events that Efron's method takes from the risk set.
        days: (D,) days with events, falling.
        last: (D,) last row of each day's risk set.
        first: (N,) first of `days` on which the patient is at risk; D where on none.
    """

    covariates: NDArray[np.float64]
    event: NDArray[np.intp]
    day: NDArray[np.intp]
    share: NDArray[np.float64]
    days: NDArray[np.float64]
    last: NDArray[np.intp]
    first: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        covariates: NDArray[np.float64],
        time: NDArray[np.float64],
        event: NDArray[np.bool_],
        ties: Ties,
    ) -> RiskSets:
        """Sort the patients (N, P), (N,) and (N,) of one stratum."""
        order = np.argsort(-time, kind="stable")
        time, rows = time[order], np.flatnonzero(event[order])
        rising, day, count = np.unique(-time[rows], return_inverse=True, return_counts=True)
        rank = np.arange(len(rows)) - (np.cumsum(count) - count)[day]
        return cls(
            covariates=covariates[order],
            event=rows,
            day=day,
            share=rank / count[day] if ties == "efron" else np.zeros(len(rows)),
            days=-rising,
            last=np.searchsorted(-time, rising, side="right") - 1,
            first=np.searchsorted(rising, -time, side="left"),
        )

    def likelihood(self, coefficient: NDArray[np.float64]) -> Likelihood:
        """At coefficients (P,) of any size: no exponential overflows.

        Source: Efron, JASA 72 (1977) 557; the gradient is the sum of martingale residuals.
        """
        score = self.covariates @ coefficient
        sums, level = _prefix_sums(score, self.covariates)
        own = np.exp(score[self.event] - level[self.last][self.day])
        begins = np.flatnonzero(np.diff(self.day, prepend=-1))
        tied = np.add.reduceat(_with_weight(own, self.covariates[self.event]), begins)
        total = sums[self.last][self.day] - self.share[:, None] * tied[self.day]
        mean, inverse = total[:, 1:] / total[:, :1], 1 / total[:, 0]
        log_hazard = np.log(np.add.reduceat(inverse, begins)) - level[self.last]
        # What each patient's hazard adds up to over the days at risk: the events expected of them.
        so_far = np.append(np.logaddexp.accumulate(log_hazard[::-1])[::-1], -np.inf)
        expected = np.exp(score + so_far[self.first])
        expected[self.event] -= own * np.add.reduceat(self.share * inverse, begins)[self.day]
        residual = -expected
        residual[self.event] += 1
        at_risk = self.covariates.T @ (expected[:, None] * self.covariates)
        return Likelihood(
            value=float((score[self.event] - level[self.last][self.day] + np.log(inverse)).sum()),
            gradient=self.covariates.T @ residual,
            information=at_risk - mean.T @ mean,
            log_hazard=log_hazard[::-1],
        )

    def margins(self) -> NDArray[np.float64]:
        """(M, P) differences that a direction of endless rise of the likelihood makes 0 or more.

        The likelihood rises without end along a direction in which every event has the highest
        score of its risk set. It is enough to compare each event with those who leave between it
        and the next event, and with that event.
        """
        leader = self.event[np.flatnonzero(np.diff(self.day, prepend=-1))]
        inside = self.first < len(self.days)
        entering = self.covariates[leader[self.first[inside]]] - self.covariates[inside]
        of_events = self.covariates[leader[self.day]] - self.covariates[self.event]
        chain = np.diff(self.covariates[leader], axis=0)
        found = np.concatenate([entering, -of_events, chain])
        return np.asarray(found[(found != 0).any(axis=1)])


def _with_weight(
    weight: NDArray[np.float64], covariates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, 1 + P) the weights, and the covariates times them."""
    return np.concatenate([weight[:, None], weight[:, None] * covariates], axis=1)


def _prefix_sums(
    score: NDArray[np.float64], covariates: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, 1 + P) sums over all rows so far of exp(score - level) and its products; (N,) level.

    The level follows the highest score so far, in steps of `SAFE`.
    """
    highest = np.maximum.accumulate(score)
    step = np.floor((highest - highest[0]) / SAFE)
    ends = np.append(np.flatnonzero(np.diff(step)) + 1, len(score))
    level = np.repeat(highest[ends - 1], np.diff(ends, prepend=0))
    sums = _with_weight(np.exp(score - level), covariates)
    carried, before = np.zeros(sums.shape[1]), level[0]
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        sums[start] += carried * np.exp(before - level[start])
        sums[start:end] = np.cumsum(sums[start:end], axis=0)
        carried, before = sums[end - 1], level[start]
    return sums, level
