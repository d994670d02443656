"""Cox regression: hazard ratios, calibration slopes, smoothed risks, and the Cox models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from mtsbench.metrics.covariates import Standardised, listed
from mtsbench.metrics.partial_likelihood import Likelihood, RiskSets, Ties
from mtsbench.metrics.undefined import UndefinedMetricError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ITERATIONS = 200
HALVINGS = 50
# Of the log likelihood; the last step brings coefficients to about 1e-10 standard errors.
TOLERANCE = 1e-10
ROUNDING = 1e-12  # of the log likelihood, relative
# Change of a log hazard by the last step; only a likelihood that rises without end has more.
LAST_STEP = 1e-2
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
        past = np.searchsorted(baseline.event_time, day, side="right")
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

    Source: Cox, JRSS B 34 (1972) 187; R `survival::coxph`. Penalty: Verweij & van Houwelingen,
        Stat Med 13 (1994) 2427.
    """
    if not event.any():
        raise UndefinedMetricError(f"no event among {len(time)} cases, so no hazard can be fitted")
    numbered = tuple(f"number {column + 1}" for column in range(covariates.shape[1]))
    labels, stratum = np.unique(
        np.zeros(len(time)) if strata is None else strata, return_inverse=True
    )
    design = Standardised.of(
        covariates, time, event, stratum, numbered if names is None else tuple(names)
    )
    if ridge == 0:
        design.check_unique()
    sets = {
        one: RiskSets.of(design.values[rows], time[rows], event[rows], ties)
        for one in np.unique(stratum[event]).tolist()
        if (rows := design.at_risk & (stratum == one)).any()
    }
    fit = _maximise(design, tuple(sets.values()), ridge * (design.spread / design.scale) ** 2)
    coefficient, centre = fit.coefficient / design.scale, covariates.mean(axis=0)
    baselines = [Baseline(event_time=np.empty(0), log_hazard=np.empty(0)) for _ in labels]
    for (one, patients), likelihood in zip(sets.items(), fit.likelihoods, strict=True):
        shift = float((centre - design.centre[one]) @ coefficient)
        baselines[one] = Baseline(
            event_time=patients.days[::-1],
            log_hazard=np.logaddexp.accumulate(likelihood.log_hazard) + shift,
        )
    return CoxFit(
        coefficient=coefficient,
        covariance=fit.covariance / np.outer(design.scale, design.scale),
        log_likelihood=sum(one.value for one in fit.likelihoods),
        centre=centre,
        baselines=tuple(baselines),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Maximum:
    """Coefficients per standard deviation, their covariance, and each stratum's likelihood."""

    coefficient: NDArray[np.float64]
    covariance: NDArray[np.float64]
    likelihoods: tuple[Likelihood, ...]


def _maximise(
    design: Standardised, sets: tuple[RiskSets, ...], penalty: NDArray[np.float64]
) -> _Maximum:
    """Newton's method; the penalty (P,) is on halved squares of coefficients.

    Raises:
        UndefinedMetricError: The likelihood rises without end, or no maximum was found.
    """
    beta = np.zeros(len(penalty))
    now = _Penalised.at(beta, sets, penalty)
    for _ in range(ITERATIONS):
        inverse = _inverse(now.information)
        if inverse is None:
            break
        step = inverse @ now.gradient
        found = float(step @ now.gradient) <= TOLERANCE
        for _ in range(HALVINGS):
            new = _Penalised.at(beta + step, sets, penalty)
            if found or new.value >= now.value - ROUNDING * abs(now.value):
                break
            step = step / 2
        beta, now = beta + step, new
        if not found:
            continue
        covariance = _inverse(now.information)
        if covariance is None:
            break
        if not penalty.any() and np.ptp(design.values[design.at_risk] @ step) > LAST_STEP:
            design.check_finite(sets)
        return _Maximum(coefficient=beta, covariance=covariance, likelihoods=now.likelihoods)
    if not penalty.any():
        design.check_finite(sets)
    raise UndefinedMetricError(
        f"Newton's method found no maximum of the partial likelihood in {ITERATIONS} steps; look "
        f"for values far from all others in {listed(design.names)}"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Penalised:
    """The penalised likelihood of all strata at some coefficients."""

    value: float
    gradient: NDArray[np.float64]
    information: NDArray[np.float64]
    likelihoods: tuple[Likelihood, ...]

    @classmethod
    def at(
        cls, beta: NDArray[np.float64], sets: tuple[RiskSets, ...], penalty: NDArray[np.float64]
    ) -> _Penalised:
        parts = tuple(one.likelihood(beta) for one in sets)
        return cls(
            value=sum(one.value for one in parts) - float(penalty @ beta**2) / 2,
            gradient=np.sum([one.gradient for one in parts], axis=0) - penalty * beta,
            information=np.sum([one.information for one in parts], axis=0) + np.diag(penalty),
            likelihoods=parts,
        )


def _inverse(information: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The inverse; None where there is none. Its accuracy does not depend on scales."""
    diagonal = np.diag(information)
    if not (diagonal > 0).all():
        return None
    size = np.sqrt(np.outer(diagonal, diagonal))
    try:
        inverse = np.linalg.inv(information / size) / size
    except np.linalg.LinAlgError:
        return None
    return inverse if (np.diag(inverse) > 0).all() else None
