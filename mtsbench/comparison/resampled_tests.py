"""Tests on differences between two models over the folds of repeated cross-validation.

Folds share training cases, so their differences are correlated: the ordinary paired t-test calls
two equal methods different in about 60 % of studies with ten repeats (`benchmarks/statistics`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from mtsbench.errors import UndefinedMetricError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEWEST_FOLDS = 5  # with three, t has 2 degrees of freedom and intervals span everything
Range = tuple[float, float]
ANYTHING: Range = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class ResampledTest:
    """A t-test of the mean difference over folds.

    Attributes:
        mean: B minus A.
        standard_error: Of the mean, corrected for shared training cases or not.
        interval: Confidence interval of the mean, cut off where no difference can be.
        t: Mean by its standard error.
        degrees_of_freedom: Differences less one, and at most twice the folds of a repeat.
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
    differences: NDArray[np.float64],
    *,
    test_share: float,
    folds: int,
    possible: Range = ANYTHING,
    confidence: float = 0.95,
) -> ResampledTest:
    """Corrected resampled t-test: SE^2 = (1 / J + n_test / n_train) s^2.

    We differ from the source in the degrees of freedom, J - 1 there: at most 2 K here. Ten repeats
    of five folds are not fifty pieces of information. With 49 degrees the test errs in up to 10 %
    of simulated cohorts instead of 5 %, with 10 in up to 7 % (`benchmarks/statistics`).

    Args:
        differences: (J,) B minus A, one a (repeat, fold), averaged over seeds.
        test_share: n_test / n_train; 1 / (K - 1) for K folds.
        folds: K, of one repeat.
        possible: Least and largest difference that can be; the interval ends there.
        confidence: Of the interval.

    Raises:
        UndefinedMetricError: Fewer than five differences, or all are equal.

    Source: Nadeau & Bengio, Mach Learn 52 (2003) 239; Bouckaert & Frank, PAKDD 2004.
    """
    freedom = _freedom(len(differences), folds)
    factor = 1 / len(differences) + test_share
    return _t_test(differences, factor, freedom, possible=possible, confidence=confidence)


def paired_t(differences: NDArray[np.float64], *, confidence: float = 0.95) -> ResampledTest:
    """The ordinary paired t-test, which takes folds for independent: offered to be refuted.

    Raises:
        UndefinedMetricError: All differences are equal.
    """
    count = len(differences)
    return _t_test(differences, 1 / count, count - 1, confidence=confidence)


def correlated_bayes(
    differences: NDArray[np.float64], *, correlation: float, folds: int, equivalence: float
) -> PosteriorShares:
    """Bayesian correlated t-test with a region of practical equivalence.

    The posterior of the mean difference is Student's t with scale^2 = (1 / J + rho / (1 - rho))
    s^2 and the degrees of freedom of `nadeau_bengio`; with rho = 1 / K its intervals are those.

    Args:
        differences: (J,) B minus A, higher is better.
        correlation: rho = n_test / n.
        folds: K, of one repeat.
        equivalence: Differences up to this size do not matter.

    Raises:
        UndefinedMetricError: Fewer than five differences, or all are equal.

    Source: Corani & Benavoli, Mach Learn 100 (2015) 285; Benavoli et al., JMLR 18 (2017) 77.
    """
    freedom = _freedom(len(differences), folds)
    factor = 1 / len(differences) + correlation / (1 - correlation)
    found = _t_test(differences, factor, freedom)

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


def detectable(standard_error: float, freedom: int, *, level: float, power: float = 0.8) -> float:
    """The true difference that a t-test finds with a chance of `power`.

    Args:
        standard_error: Of the estimated difference.
        freedom: Degrees of freedom of the test.
        level: Two-sided level of the test.
        power: Wanted chance.
    """
    reach = student.ppf(1 - level / 2, freedom) + student.ppf(power, freedom)
    return float(reach * standard_error)


def _freedom(differences: int, folds: int) -> int:
    if differences < FEWEST_FOLDS:
        repeats = math.ceil(FEWEST_FOLDS / folds)
        raise UndefinedMetricError(
            f"{differences} test folds are too few for a test of the methods, which needs "
            f"{FEWEST_FOLDS}; run every model with --repeats {repeats} or more"
        )
    return min(differences - 1, 2 * folds)


def _t_test(
    differences: NDArray[np.float64],
    factor: float,
    freedom: int,
    *,
    possible: Range = ANYTHING,
    confidence: float = 0.95,
) -> ResampledTest:
    # Equal up to rounding is equal: two models that order all pairs alike.
    if np.ptp(differences) <= 1e-12:
        raise UndefinedMetricError(
            f"the difference is {differences[0]:.4f} in all {len(differences)} folds, so it has no "
            "standard error"
        )
    mean = float(np.mean(differences))
    error = float(np.sqrt(factor * np.var(differences, ddof=1)))
    reach = float(student.ppf((1 + confidence) / 2, freedom)) * error
    return ResampledTest(
        mean=mean,
        standard_error=error,
        interval=(max(possible[0], mean - reach), min(possible[1], mean + reach)),
        t=mean / error,
        degrees_of_freedom=freedom,
        p=float(2 * student.sf(abs(mean / error), freedom)),
    )
