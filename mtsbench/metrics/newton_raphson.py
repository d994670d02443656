"""The maximum of Cox's partial likelihood over several strata, with or without a penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.covariates import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.metrics.covariates import Standardised
    from mtsbench.metrics.partial_likelihood import Likelihood, RiskSets

ITERATIONS = 200
HALVINGS = 50
# Of the log likelihood; the last step brings coefficients to about 1e-10 standard errors.
TOLERANCE = 1e-10
ROUNDING = 1e-12  # of the log likelihood, relative
# Change of a log hazard by the last step; only a likelihood that rises without end has more.
LAST_STEP = 1e-2


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """Coefficients per standard deviation, their covariance, and each stratum's likelihood."""

    coefficient: NDArray[np.float64]
    covariance: NDArray[np.float64]
    likelihoods: tuple[Likelihood, ...]


def maximise(
    design: Standardised, sets: Sequence[RiskSets], penalty: NDArray[np.float64]
) -> Maximum:
    """Newton's method with step halving.

    Args:
        design: P covariates.
        sets: The risk sets of each stratum.
        penalty: (P,) on halved squares of the coefficients.

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
        return Maximum(coefficient=beta, covariance=covariance, likelihoods=now.likelihoods)
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
        cls, beta: NDArray[np.float64], sets: Sequence[RiskSets], penalty: NDArray[np.float64]
    ) -> _Penalised:
        parts = tuple(one.likelihood(beta) for one in sets)
        return cls(
            value=sum(one.value for one in parts) - float(penalty @ beta**2) / 2,
            gradient=np.sum([one.gradient for one in parts], axis=0) - penalty * beta,
            information=np.sum([one.information for one in parts], axis=0) + np.diag(penalty),
            likelihoods=parts,
        )


def _inverse(information: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The inverse, as exact on any scale; None where the matrix is not positive."""
    diagonal = np.diag(information)
    if not (diagonal > 0).all():
        return None
    size = np.sqrt(np.outer(diagonal, diagonal))
    try:
        np.linalg.cholesky(information / size)  # refuses what is not positive
    except np.linalg.LinAlgError:
        return None
    return np.asarray(np.linalg.inv(information / size) / size)
