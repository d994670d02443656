"""Two or more models over several datasets: the datasets are the units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from mtsbench.comparison.resampled_tests import ANYTHING, Range
from mtsbench.errors import UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_FOR_WILCOXON = 6  # with 5, the smallest two-sided p is 2 / 2^5 = 0.0625
LEAST_FOR_FRIEDMAN = 10
MOST_FOR_SIGNS = 16  # 65,536 ways to deal the signs
DECIMALS = 12  # what differs by less differs by rounding
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class RandomEffects:
    """Mean of the datasets' differences, as description.

    Attributes:
        mean: Weighted by precision and by the variance between datasets.
        interval: Hartung-Knapp interval of the mean.
        between: Standard deviation between datasets.
    """

    mean: float
    interval: tuple[float, float]
    between: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Friedman:
    """Whether k models differ over N datasets, and by how much mean ranks must.

    Attributes:
        mean_rank: (k,) 1 is best.
        chi_squared: Corrected for ties.
        p: Of the hypothesis that all are equal.
        critical_difference: Mean ranks that differ by less are not told apart (Nemenyi, 5 %).
    """

    mean_rank: NDArray[np.float64]
    chi_squared: float
    p: float
    critical_difference: float


def random_effects(
    differences: NDArray[np.float64],
    standard_errors: NDArray[np.float64],
    *,
    possible: Range = ANYTHING,
    confidence: float = 0.95,
) -> RandomEffects:
    """Random-effects mean with DerSimonian and Laird's variance and Hartung-Knapp interval.

    Args:
        differences: (N,) one a dataset.
        standard_errors: (N,) of the differences.
        possible: Least and largest mean that can be; the interval ends there.
        confidence: Of the interval.

    Raises:
        UndefinedMetricError: Fewer than two datasets, or one whose standard error is 0 or missing,
            so that its weight has no limit.

    Source: Hartung & Knapp, Stat Med 20 (2001) 3875; R `metafor::rma(method="DL", test="knha")`.
    """
    count = len(differences)
    if count < 2:
        raise UndefinedMetricError(f"a mean over datasets needs two or more, got {count}")
    unusable = np.count_nonzero(~(np.isfinite(standard_errors) & (standard_errors > 0)))
    if unusable:
        raise UndefinedMetricError(
            f"{unusable} of {count} datasets have a difference without spread, which would "
            "outweigh all others"
        )
    weight = standard_errors**-2.0
    fixed = np.average(differences, weights=weight)
    heterogeneity = float((weight * (differences - fixed) ** 2).sum())
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(0.0, (heterogeneity - (count - 1)) / scale)
    weight = 1 / (standard_errors**2 + between)
    mean = float(np.average(differences, weights=weight))
    spread = float((weight * (differences - mean) ** 2).sum() / (count - 1))
    reach = float(stats.t.ppf((1 + confidence) / 2, count - 1) * np.sqrt(spread / weight.sum()))
    return RandomEffects(
        mean=mean,
        interval=(max(possible[0], mean - reach), min(possible[1], mean + reach)),
        between=between**0.5,
    )


def signed_rank_p(differences: NDArray[np.float64], *, exact: bool | None = None) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; datasets without a difference are dropped.

    Args:
        differences: (N,) one a dataset, B minus A.
        exact: By counting all ways to deal the signs, which is right with ties too, or by the
            normal distribution (with the correction for ties, without that for continuity); by
            default exact, but for ties among more than 16 differences.

    Raises:
        UndefinedMetricError: Fewer than six datasets, or no difference in any.

    Source: Wilcoxon (1945); Demsar, JMLR 7 (2006) 1. Sizes that are equal but for rounding share
        their rank.
    """
    if len(differences) < LEAST_FOR_WILCOXON:
        raise UndefinedMetricError(refusal(len(differences)))
    nonzero = differences[np.abs(differences) > ROUNDING].round(DECIMALS)
    if len(nonzero) == 0:
        raise UndefinedMetricError("the models are equal on every dataset")
    tied = len(np.unique(np.abs(nonzero))) < len(nonzero)
    if exact is None:
        exact = not tied or len(nonzero) <= MOST_FOR_SIGNS
    if not exact:
        return float(stats.wilcoxon(nonzero, method="approx").pvalue)
    if not tied:
        return float(stats.wilcoxon(nonzero, method="exact").pvalue)
    every = stats.PermutationMethod(n_resamples=2 ** len(nonzero))
    return float(stats.wilcoxon(nonzero, method=every).pvalue)


def friedman(scores: NDArray[np.float64], *, higher_is_better: bool = True) -> Friedman:
    """Friedman's test and Nemenyi's critical difference.

    Args:
        scores: (N, k) datasets by models.
        higher_is_better: Direction of the score.

    Raises:
        UndefinedMetricError: Fewer than ten datasets or three models, or all models are equal on
            every dataset.

    Source: Demsar, JMLR 7 (2006) 1, with the tie correction of R `friedman.test`.
    """
    datasets, models = scores.shape
    if datasets < LEAST_FOR_FRIEDMAN or models < 3:
        raise UndefinedMetricError(
            f"a test of ranks needs {LEAST_FOR_FRIEDMAN} datasets and 3 models, "
            f"got {datasets} and {models}"
        )
    scores = scores.round(DECIMALS)
    rank = stats.rankdata(-scores if higher_is_better else scores, axis=1)
    if (rank == rank[:, :1]).all():
        raise UndefinedMetricError("the models are equal on every dataset")
    found = stats.friedmanchisquare(*scores.T)
    critical = float(stats.studentized_range.ppf(0.95, models, np.inf)) / np.sqrt(2)
    return Friedman(
        mean_rank=rank.mean(axis=0),
        chi_squared=float(found.statistic),
        p=float(found.pvalue),
        critical_difference=float(critical * np.sqrt(models * (models + 1) / (6 * datasets))),
    )


def refusal(datasets: int) -> str:
    """The sentence that stands where a p-value over datasets would be empty."""
    what = "dataset allows" if datasets == 1 else "datasets allow"
    return (
        f"{datasets} {what} no p-value over datasets: with fewer than {LEAST_FOR_WILCOXON}, even "
        f"the same sign on every one gives p = {2 / 2**datasets:.3g} at best"
    )
