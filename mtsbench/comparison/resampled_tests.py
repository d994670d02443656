"""Tests on differences between two models over the folds of repeated cross-validation.

Folds share training cases, so their differences are correlated: the ordinary paired t-test calls
two equal methods different in about 60 % of studies with ten repeats (`benchmarks/statistics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from mtsbench.metrics.undefined import UndefinedMetricError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class ResampledTest:
    """A t-test of the mean difference over folds.

    Attributes:
        mean: B minus A.
        standard_error: Of the mean, corrected for shared training cases or not.
        interval: Confidence interval of the mean.
        t: Mean by its standard error.
        degrees_of_freedom: Differences less one.
        p: Two-sided.
    """

    mean: float
    standard_error: float
    interval: tuple[float, float]
    t: float
    degrees_of_freedom: int
    p: float


@dataclass(frozen=True, kw_only=True)
class PosteriorShares:
    """How probable it is that A is better, that both are equivalent, that B is better."""

    worse: float
    equivalent: float
    better: float


def nadeau_bengio(
    differences: NDArray[np.float64], *, test_share: float, confidence: float = 0.95
) -> ResampledTest:
    """Corrected resampled t-test: SE^2 = (1 / J + n_test / n_train) s^2, J - 1 df.

    Args:
        differences: (J,) B minus A, one a (repeat, fold), averaged over seeds.
        test_share: n_test / n_train; 1 / (K - 1) for K folds.
        confidence: Of the interval.

    Raises:
        UndefinedMetricError: Fewer than two differences, or all are equal.

    Source: Nadeau & Bengio, Mach Learn 52 (2003) 239; Bouckaert & Frank, PAKDD 2004.
    """
    return _t_test(differences, 1 / max(len(differences), 1) + test_share, confidence)


def paired_t(differences: NDArray[np.float64], *, confidence: float = 0.95) -> ResampledTest:
    """The ordinary paired t-test, which takes folds for independent: offered to be refuted.

    Raises:
        UndefinedMetricError: Fewer than two differences, or all are equal.
    """
    return _t_test(differences, 1 / max(len(differences), 1), confidence)


def correlated_bayes(
    differences: NDArray[np.float64], *, correlation: float, equivalence: float
) -> PosteriorShares:
    """Bayesian correlated t-test with a region of practical equivalence.

    The posterior of the mean difference is Student's t with J - 1 df and scale^2 =
    (1 / J + rho / (1 - rho)) s^2; with rho = 1 / K its intervals are those of `nadeau_bengio`.

    Args:
        differences: (J,) B minus A, higher is better.
        correlation: rho = n_test / n.
        equivalence: Differences up to this size do not matter.

    Raises:
        UndefinedMetricError: Fewer than two differences, or all are equal.

    Source: Corani & Benavoli, Mach Learn 100 (2015) 285; Benavoli et al., JMLR 18 (2017) 77.
    """
    factor = 1 / max(len(differences), 1) + correlation / (1 - correlation)
    found = _t_test(differences, factor, 0.95)

    def below(value: float) -> float:
        scaled = (value - found.mean) / found.standard_error
        return float(student.cdf(scaled, found.degrees_of_freedom))

    worse, up_to = below(-equivalence), below(equivalence)
    above = float(
        student.sf((equivalence - found.mean) / found.standard_error, found.degrees_of_freedom)
    )
    return PosteriorShares(worse=worse, equivalent=up_to - worse, better=above)


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """P values adjusted for the number of comparisons, in the given order.

    Source: Holm, Scand J Stat 6 (1979) 65; R `p.adjust(method="holm")`.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1)
    return tuple(adjusted.tolist())


def _t_test(differences: NDArray[np.float64], factor: float, confidence: float) -> ResampledTest:
    count = len(differences)
    if count < 2:
        raise UndefinedMetricError(f"{count} fold gives no variance; a test needs two or more")
    # Equal up to rounding is equal: two models that order all pairs alike.
    if np.ptp(differences) <= 1e-12:
        raise UndefinedMetricError(
            f"the difference is {differences[0]:.4f} in all {count} folds, so it has no standard "
            "error"
        )
    mean = float(np.mean(differences))
    error = float(np.sqrt(factor * np.var(differences, ddof=1)))
    reach = float(student.ppf((1 + confidence) / 2, count - 1)) * error
    return ResampledTest(
        mean=mean,
        standard_error=error,
        interval=(mean - reach, mean + reach),
        t=mean / error,
        degrees_of_freedom=count - 1,
        p=float(2 * student.sf(abs(mean / error), count - 1)),
    )
