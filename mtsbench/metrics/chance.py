"""How far concordance strays from one half where outcomes are dealt at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import concordance
from mtsbench.metrics.pairs import follow_up_order, pair_sums
from mtsbench.metrics.shapes import check_follow_up

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class TestedFold:
    """Risks of a test fold and the outcomes that they are compared with, (N,) each."""

    risk: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ChanceConcordance:
    """Concordance pooled within folds, and where chance alone would leave it.

    Attributes:
        value: Mean over the permutations of the C-index stratified by fold.
        standard_error: Of `value` if nothing is known of the test outcomes; an upper bound.
        interval: Of `value`, at the confidence asked for.
    """

    value: float
    standard_error: float
    interval: tuple[float, float]

    @property
    def is_chance(self) -> bool:
        """Whether the interval holds one half."""
        return self.interval[0] <= 0.5 <= self.interval[1]


def permutation_variance(
    risk: NDArray[np.float64], time: NDArray[np.float64], event: NDArray[np.bool_]
) -> float:
    """Exact variance of Harrell's C over all ways to deal these outcomes to these risks.

    The mean over all ways is one half. Concordant minus discordant pairs is half of Daniels'
    sum of a_ij b_ij, with a = 1 where i leads the pair, -1 where j does, and b the sign of
    risk_i - risk_j.

    Args:
        risk: (N,) any numbers.
        time: (N,) days.
        event: (N,) True where the event was observed.

    Raises:
        UndefinedMetricError: No pair is comparable.
        ValueError: As `shapes.check_follow_up`.

    Source: Daniels, Biometrika 33 (1944) 129; Kendall, Rank Correlation Methods, section 5.
    """
    check_follow_up(time, event, risk=risk)
    count, weight = len(risk), event.astype(np.int64)
    values, rank = np.unique(risk, return_inverse=True)
    sums = pair_sums(follow_up_order(time, event), rank, weight)
    pairs = float(sums.comparable.sum())
    if pairs == 0:
        raise UndefinedMetricError("no pair is comparable, so chance has no variance")
    of_outcomes = np.asarray(sums.comparable - sums.led, dtype=np.float64)
    at_rank = np.bincount(rank, minlength=len(values))
    below = np.cumsum(at_rank)
    of_risks = (below - at_rank + below - count)[rank].astype(np.float64)
    # Sums over pairs of a squared, of b squared, and over triples that share a case.
    squared = 2 * pairs, float(count**2 - (at_rank**2).sum())
    triples = [
        float((one**2).sum()) - two
        for one, two in zip((of_outcomes, of_risks), squared, strict=True)
    ]
    variance = 2 * squared[0] * squared[1] / (count * (count - 1))
    if count > 2:
        variance += 4 * triples[0] * triples[1] / (count * (count - 1) * (count - 2))
    return variance / (4 * pairs) ** 2


def chance_concordance(
    permutations: Sequence[Sequence[TestedFold]], *, confidence: float = 0.99
) -> ChanceConcordance:
    """Whether models that were trained on permuted outcomes rank test cases by chance.

    Given its training part, the outcomes of a test fold are dealt at random, so its C-index has
    mean one half and the variance of `permutation_variance`. The folds of one permutation are not
    independent: a case that trains in one is tested in another (for a score that is linear in the
    outcomes the variance of their mean doubles). How they are related depends on the model, so
    their standard errors are added, which bounds the standard error of their weighted mean
    whatever the relation. Different permutations are independent.

    Args:
        permutations: For each permutation its test folds.
        confidence: Of the interval, by the normal distribution.

    Raises:
        UndefinedMetricError: No fold of a permutation has a comparable pair.
    """
    values, variances = [], []
    for folds in permutations:
        found = [_fold(one) for one in folds]
        pairs = sum(weight for _, _, weight in found)
        if pairs == 0:
            raise UndefinedMetricError("no fold has a comparable pair; use fewer folds")
        values.append(sum(value * weight for value, _, weight in found) / pairs)
        variances.append((sum(error * weight for _, error, weight in found) / pairs) ** 2)
    value = float(np.mean(values))
    error = float(np.sqrt(np.sum(variances))) / len(values)
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return ChanceConcordance(
        value=value, standard_error=error, interval=(value - reach, value + reach)
    )


def _fold(one: TestedFold) -> tuple[float, float, float]:
    """C-index, its standard error by chance and the number of its pairs."""
    try:
        found = concordance(one.risk, one.time, one.event)
    except UndefinedMetricError:
        return 0.5, 0.0, 0.0
    pairs = found.concordant + found.discordant + found.tied_risk
    return found.value, float(np.sqrt(permutation_variance(one.risk, one.time, one.event))), pairs
