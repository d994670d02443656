"""Cox regression: hazard ratios, calibration slopes, smoothed risks, and the Cox models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.covariates import Standardised
from mtsbench.metrics.newton_raphson import maximise
from mtsbench.metrics.partial_likelihood import RiskSets, Ties
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import by_day, merge_equal_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LARGEST_LOG = 700.0  # exp of it is finite


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """The hazard in one stratum of a patient whose covariates are the fit's `centre`.

    Attributes:
        event_time: (E,) distinct days of events, increasing.
        log_hazard: (E,) log of the cumulative hazard on those days; a logarithm, because the
            hazard at the centre can be too small or too large for a number.
    """

    event_time: NDArray[np.float64]
    log_hazard: NDArray[np.float64]

    @property
    def hazard(self) -> NDArray[np.float64]:
        """(E,) cumulative hazard."""
        return np.asarray(np.exp(self.log_hazard))


@dataclass(frozen=True, kw_only=True, eq=False)
class CoxFit:
    """A fitted proportional hazards model.

    Attributes:
        coefficient: (P,) log hazard ratio per unit.
        covariance: (P, P) inverse of the information, to which a penalty adds.
        log_likelihood: Partial, at the coefficients, without the penalty.
        centre: (P,) covariates to which the baselines belong: the means of all patients.
        baselines: Of each stratum, in the order of their labels.
    """

    coefficient: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_likelihood: float
    centre: NDArray[np.float64]
    baselines: tuple[Baseline, ...]

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """(P,) of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def p(self) -> NDArray[np.float64]:
        """(P,) two-sided Wald tests of no effect."""
        return np.asarray(2 * norm.sf(np.abs(self.coefficient / self.standard_error)))

    def interval(self, confidence: float = 0.95) -> NDArray[np.float64]:
        """(P, 2) limits of the coefficients."""
        reach = float(norm.ppf((1 + confidence) / 2)) * self.standard_error
        return np.stack([self.coefficient - reach, self.coefficient + reach], axis=1)

    def log_hazard_ratio(self, covariates: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) of patients with covariates (N, P) to one with those of `centre`."""
        return np.asarray((covariates - self.centre) @ self.coefficient)

    def survival(
        self, covariates: NDArray[np.float64], day: float, *, stratum: int = 0
    ) -> NDArray[np.float64]:
        """(N,) probability of being event-free on `day`, for covariates (N, P)."""
        baseline = self.baselines[stratum]
        past = np.count_nonzero(by_day(baseline.event_time, day))
        log_hazard = baseline.log_hazard[past - 1] if past else -np.inf
        log_hazard = log_hazard + self.log_hazard_ratio(covariates)
        return np.asarray(np.exp(-np.exp(np.minimum(log_hazard, LARGEST_LOG))))


def fit_cox(
    covariates: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    ties: Ties = "efron",
    strata: NDArray[Any] | None = None,
    ridge: float = 0.0,
    names: Sequence[str] | None = None,
) -> CoxFit:
    """Maximise the partial likelihood by Newton's method with step halving.

    Covariates may have any scale and any skewness: they are standardised inside.

    Args:
        covariates: (N, P).
        time: (N,) days.
        event: (N,) True where the event was observed.
        ties: How events of the same day are treated; R's default is Efron.
        strata: (N,) label of each patient; each stratum has a baseline hazard of its own.
        ridge: Penalty ridge / 2 times the sum of squared log hazard ratios per standard deviation
            of all patients; with one, there is always a finite maximum.
        names: P names of the covariates, for messages.

    Raises:
        UndefinedMetricError: No event, or, without a penalty: a covariate does not vary, or the
            maximum is not unique or not finite. The message names the covariates.
        ValueError: As `shapes.check_follow_up`; covariates not (N, P) or not finite.

    Source: Cox, JRSS B 34 (1972) 187; R `survival::coxph`. Penalty: Verweij & van Houwelingen,
        Stat Med 13 (1994) 2427.
    """
    check_follow_up(time, event, strata=strata)
    _check_covariates(covariates, len(time))
    if not event.any():
        raise UndefinedMetricError(f"no event among {len(time)} cases, so no hazard can be fitted")
    time = merge_equal_times(time)
    numbered = [f"number {column + 1}" for column in range(covariates.shape[1])]
    told = tuple(numbered if names is None else names)
    labels, stratum = np.unique(
        np.zeros(len(time)) if strata is None else strata, return_inverse=True
    )
    design = Standardised.of(covariates, time, event, stratum, told)
    if ridge == 0:
        design.check_unique()
    with_events = {one: design.at_risk & (stratum == one) for one in np.unique(stratum[event])}
    sets = [RiskSets.of(design.values[r], time[r], event[r], ties) for r in with_events.values()]
    found = maximise(design, sets, ridge * (design.spread / design.scale) ** 2)
    coefficient, centre = found.coefficient / design.scale, covariates.mean(axis=0)
    baselines = [Baseline(event_time=np.empty(0), log_hazard=np.empty(0)) for _ in labels]
    for one, patients, likelihood in zip(with_events, sets, found.likelihoods, strict=True):
        shift = (centre - design.centre[one]) @ coefficient
        baselines[one] = Baseline(
            event_time=patients.days[::-1],
            log_hazard=np.logaddexp.accumulate(likelihood.log_hazard) + shift,
        )
    return CoxFit(
        coefficient=coefficient,
        covariance=found.covariance / np.outer(design.scale, design.scale),
        log_likelihood=sum(one.value for one in found.likelihoods),
        centre=centre,
        baselines=tuple(baselines),
    )


def _check_covariates(covariates: NDArray[np.float64], patients: int) -> None:
    gaps = np.count_nonzero(~np.isfinite(covariates))
    if np.shape(covariates)[:-1] != (patients,) or gaps:
        raise ValueError(
            f"covariates must be finite numbers of shape ({patients}, P), a row for each patient "
            f"and a column for each covariate, got {np.shape(covariates)} with {gaps} missing or "
            "infinite; leave such patients out or fill the values in"
        )
