"""Difference of two models on the same patients, with their predictions held fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from mtsbench.metrics.undefined import UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Contrast:
    """B minus A, from what each patient adds to both values.

    Conditional on the fitted models: it covers the sampling of patients, not of training sets.

    Attributes:
        value: B minus A.
        covariance: (2, 2) of A and B.
        standard_error: Of the difference.
        interval: Normal confidence interval of the difference.
        z: Difference by its standard error.
        p: Two-sided.
    """

    value: float
    covariance: NDArray[np.float64]
    standard_error: float
    interval: tuple[float, float]
    z: float
    p: float


def contrast(
    values: tuple[float, float],
    influences: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    patient: NDArray[Any] | None = None,
    confidence: float = 0.95,
) -> Contrast:
    """Contrast two models by the infinitesimal jackknife.

    Args:
        values: Of A and B.
        influences: (N,) each, e.g. `Concordance.influence`; rows in the same order.
        patient: (N,) whose row it is, where a patient has several (one per repeat); the rows of
            one patient are added before squaring.
        confidence: Of the interval.

    Raises:
        UndefinedMetricError: Both models have the same influence for every patient, so the
            difference has no standard error.

    Source: Therneau & Atkinson, concordance vignette of R `survival`; z and p equal those of
        Kang et al., Stat Med 34 (2015) 685, to a few percent.
    """
    both = np.stack(influences)
    if patient is not None:
        of = np.unique(patient, return_inverse=True)[1]
        both = np.stack([np.bincount(of, weights=one) for one in both])
    difference = values[1] - values[0]
    error = float(np.sqrt(((both[1] - both[0]) ** 2).sum()))
    if error == 0:
        raise UndefinedMetricError(
            "both models order every pair alike, so their difference has no standard error"
        )
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return Contrast(
        value=difference,
        covariance=both @ both.T,
        standard_error=error,
        interval=(difference - reach, difference + reach),
        z=difference / error,
        p=float(2 * norm.sf(abs(difference / error))),
    )
