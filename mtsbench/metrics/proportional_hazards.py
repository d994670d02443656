"""Cox regression on a few covariates: hazard ratios, calibration slopes, smoothed risks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import norm

from mtsbench.metrics.undefined import UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ties = Literal["efron", "breslow"]
ITERATIONS = 50
TOLERANCE = 1e-10  # of the log likelihood, relative
LARGEST_ERROR = 100.0  # of a coefficient per standard deviation; only an infinite one has more
NO_MAXIMUM = (
    "the partial likelihood has no finite maximum: a covariate tells every event in advance"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CoxFit:
    """A fitted proportional hazards model.

    Attributes:
        coefficient: (P,) log hazard ratio per unit.
        covariance: (P, P) inverse of the information.
        log_likelihood: Partial, at the coefficients.
        event_time: (E,) distinct days of events, increasing.
        baseline: (E,) cumulative hazard on those days of a patient whose covariates are 0.
    """

    coefficient: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_likelihood: float
    event_time: NDArray[np.float64]
    baseline: NDArray[np.float64]

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

    def survival(self, covariates: NDArray[np.float64], day: float) -> NDArray[np.float64]:
        """(N,) probability of being event-free on `day`, for covariates (N, P)."""
        past = np.searchsorted(self.event_time, day, side="right")
        hazard = self.baseline[past - 1] if past else 0.0
        return np.asarray(np.exp(-hazard * np.exp(covariates @ self.coefficient)))


def fit_cox(
    covariates: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    ties: Ties = "efron",
) -> CoxFit:
    """Maximise the partial likelihood by Newton's method with step halving.

    Args:
        covariates: (N, P).
        time: (N,) days.
        event: (N,) True where the event was observed.
        ties: How events of the same day are treated; R's default is Efron.

    Raises:
        UndefinedMetricError: No event, a covariate without variation, or no finite maximum.

    Source: Cox, JRSS B 34 (1972) 187; Efron, JASA 72 (1977) 557; R `survival::coxph`.
    """
    if not event.any():
        raise UndefinedMetricError(f"no event among {len(time)} cases, so no hazard can be fitted")
    centre = covariates.mean(axis=0)
    order = np.argsort(-time, kind="stable")
    data = (covariates - centre)[order], time[order], event[order]
    beta = np.zeros(covariates.shape[1])
    value, gradient, information, _ = _likelihood(beta, *data, ties)
    for _ in range(ITERATIONS):
        step = _solve(information, gradient)
        for _ in range(ITERATIONS):
            new, *derivatives = _likelihood(beta + step, *data, ties)
            if np.isfinite(new) and new >= value - TOLERANCE * abs(value):
                break
            step = step / 2
        beta, change = beta + step, new - value
        value, gradient, information = new, derivatives[0], derivatives[1]
        if abs(change) <= TOLERANCE * abs(value) and np.abs(gradient).max() < 1e-6:
            break
    else:
        raise UndefinedMetricError(NO_MAXIMUM)
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    relative = np.diag(covariance) * covariates.var(axis=0)
    if not ((relative > 0) & (relative < LARGEST_ERROR**2)).all():
        raise UndefinedMetricError(NO_MAXIMUM)
    hazard = _likelihood(beta, *data, ties)[3]
    days, rows = np.unique(data[1][data[2]], return_inverse=True)
    return CoxFit(
        coefficient=beta,
        covariance=covariance,
        log_likelihood=value,
        event_time=days,
        baseline=np.cumsum(np.bincount(rows, weights=hazard)) * np.exp(-float(centre @ beta)),
    )


def _solve(information: NDArray[np.float64], gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        return np.asarray(np.linalg.solve(information, gradient))
    except np.linalg.LinAlgError as error:
        raise UndefinedMetricError(
            "a covariate does not vary among the patients at risk, so it has no hazard ratio"
        ) from error


def _likelihood(
    beta: NDArray[np.float64],
    covariates: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    ties: Ties,
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Log partial likelihood, gradient, information, and each event's step of hazard.

    Rows are ordered by falling time, so a risk set is a prefix.
    """
    score = covariates @ beta
    relative = np.exp(score - score.max())
    moments = relative[:, None] * np.concatenate([np.ones((len(time), 1)), covariates], axis=1)
    products = np.einsum("np,nq->npq", moments[:, 1:], covariates)
    events = np.flatnonzero(event)
    day_end = np.searchsorted(-time, -time[events], side="right") - 1
    total = np.cumsum(moments, axis=0)[day_end]
    square = np.cumsum(products, axis=0)[day_end]
    if ties == "efron":
        less, square_less = _shares_of_ties(time[events], moments[events], products[events])
        total, square = total - less, square - square_less
    mean = total[:, 1:] / total[:, :1]
    value = float((score[events] - score.max() - np.log(total[:, 0])).sum())
    spread = square / total[:, 0, None, None] - mean[:, :, None] * mean[:, None, :]
    hazard = 1 / (total[:, 0] * np.exp(score.max()))
    return value, (covariates[events] - mean).sum(axis=0), spread.sum(axis=0), hazard


def _shares_of_ties(
    time: NDArray[np.float64], moments: NDArray[np.float64], products: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What Efron's method takes from each event's risk set: 0/d, 1/d, ... of its day's d events."""
    days, day = np.unique(time, return_inverse=True)
    count = np.bincount(day)
    rank = np.arange(len(time))[::-1] - (np.cumsum(count) - count)[day]
    share = rank / count[day]
    tied, tied_products = (
        np.zeros((len(days), *values.shape[1:])) for values in (moments, products)
    )
    np.add.at(tied, day, moments)
    np.add.at(tied_products, day, products)
    return share[:, None] * tied[day], share[:, None, None] * tied_products[day]
