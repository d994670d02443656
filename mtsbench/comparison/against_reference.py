"""Models against one reference on one dataset: is B really better than A?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtsbench.comparison.fold_scores import (
    FoldDifferences,
    few_events,
    fold_differences,
    folds_of,
    share_tested,
)
from mtsbench.comparison.resampled_tests import (
    ANYTHING,
    PosteriorShares,
    Range,
    ResampledTest,
    correlated_bayes,
    detectable,
    holm,
    nadeau_bengio,
)
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.sampled_concordance import Contrast, SampledConcordance, contrast

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtsbench.comparison.comparable import FinishedRun

PRIMARY = "harrell-c"
EQUIVALENT: Mapping[str, float] = {"harrell-c": 0.01, "dice": 0.02, "ibs": 0.005}
# Scores from 0 to 1, whose differences cannot leave -1 to 1.
SHARES = frozenset(
    {
        *("harrell-c", "uno-c", "antolini-c", "auc", "ibs"),
        *("dice", "surface-dice", "detection"),
    }
)
SIGNIFICANT = 0.05


@dataclass(frozen=True, kw_only=True)
class Detectable:
    """The smallest true difference that is found with a chance of 80 %.

    None where there is no test, or where not even the largest difference that can be would be
    found.

    Attributes:
        test: By the corrected test, at the level that Holm's adjustment asks of the smallest p.
        verdict: By the verdict, which needs the test of the fitted models too: the larger of both.
    """

    test: float | None
    verdict: float | None


NOTHING_DETECTABLE = Detectable(test=None, verdict=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """One model against the reference, by the primary metric.

    Attributes:
        difference: In C, mean over the test folds, higher is better for this model; None with
            `undefined`.
        differences: By fold, averaged over seeds, higher is better for this model.
        algorithm: Nadeau-Bengio: would the *method* do better at this sample size? None with
            `undefined`.
        adjusted_p: Holm's, over all comparisons with the reference.
        posterior: Bayesian correlated t-test.
        fitted: Jackknife over patients: do the *fitted* models differ? None with `undefined`.
        undefined: Why a test has no value.
        robust: Both tests find the same direction at 5 %, the first after Holm.
        detectable: What this protocol would find on this cohort.
        few_events: Why the verdict is less certain than it looks; None where it is not.
    """

    label: str
    difference: float | None
    differences: FoldDifferences
    algorithm: ResampledTest | None
    adjusted_p: float | None
    posterior: PosteriorShares | None
    fitted: Contrast | None
    undefined: tuple[str, ...]
    robust: bool
    detectable: Detectable
    few_events: str | None


def compare_with_reference(
    reference: tuple[FinishedRun, SampledConcordance | str],
    others: Sequence[tuple[str, FinishedRun, SampledConcordance | str]],
) -> tuple[Comparison, ...]:
    """Every other run against the reference, by Harrell's C.

    Args:
        reference: Declared before looking: the run and its C-index, or why it has none.
        others: Label, run and C-index of each; on the same splits as the reference.
    """
    found = [_compare(reference, label, run, sampled) for label, run, sampled in others]
    tests = [one.algorithm.p for one in found if one.algorithm is not None]
    adjusted = iter(holm(tests))
    return tuple(
        one if one.algorithm is None else _with_verdict(one, next(adjusted), len(tests))
        for one in found
    )


def explore(reference: FinishedRun, other: FinishedRun, metric: str) -> ResampledTest | str:
    """Nadeau-Bengio of any other metric, unadjusted; the reason where it is undefined."""
    values = fold_differences(reference, other, metric).values
    try:
        return _test(reference, values, metric)
    except UndefinedMetricError as undefined:
        return str(undefined)


def _test(reference: FinishedRun, values: NDArray[np.float64], metric: str) -> ResampledTest:
    possible: Range = (-1.0, 1.0) if metric in SHARES else ANYTHING
    return nadeau_bengio(
        values,
        test_share=share_tested(reference),
        folds=folds_of(reference),
        possible=possible,
    )


def _compare(
    reference: tuple[FinishedRun, SampledConcordance | str],
    label: str,
    run: FinishedRun,
    second: SampledConcordance | str,
) -> Comparison:
    share = share_tested(reference[0])
    differences = fold_differences(reference[0], run, PRIMARY)
    undefined: list[str] = []
    difference, algorithm, posterior, fitted = None, None, None, None
    try:
        algorithm = _test(reference[0], differences.values, PRIMARY)
        posterior = correlated_bayes(
            differences.values,
            correlation=share / (1 + share),
            folds=folds_of(reference[0]),
            equivalence=EQUIVALENT[PRIMARY],
        )
    except UndefinedMetricError as error:
        undefined.append(str(error))
    first = reference[1]
    if isinstance(first, str) or isinstance(second, str):
        undefined.append(first if isinstance(first, str) else str(second))
    else:
        difference = second.value - first.value
        try:
            fitted = contrast(first, second)
        except UndefinedMetricError as error:
            undefined.append(str(error))
    return Comparison(
        label=label,
        difference=difference,
        differences=differences,
        algorithm=algorithm,
        adjusted_p=None,
        posterior=posterior,
        fitted=fitted,
        undefined=tuple(undefined),
        robust=False,
        detectable=NOTHING_DETECTABLE,
        few_events=few_events(reference[0]),
    )


def _with_verdict(one: Comparison, adjusted: float, tests: int) -> Comparison:
    """The verdict and its power, which depend on how many models are tested."""
    test, fitted = one.algorithm, one.fitted
    robust = (
        test is not None
        and fitted is not None
        and adjusted < SIGNIFICANT
        and fitted.p < SIGNIFICANT
        and test.mean * fitted.value > 0
    )
    return replace(one, adjusted_p=adjusted, robust=robust, detectable=_power(one, tests))


def _power(one: Comparison, tests: int) -> Detectable:
    if one.algorithm is None:
        return NOTHING_DETECTABLE
    level = SIGNIFICANT / tests
    by_test = detectable(
        one.algorithm.standard_error, one.algorithm.degrees_of_freedom, level=level
    )
    both: float | None = None
    if one.fitted is not None:
        by_fitted = detectable(
            one.fitted.standard_error, one.fitted.degrees_of_freedom, level=SIGNIFICANT
        )
        both = _possible(max(by_test, by_fitted))
    return Detectable(test=_possible(by_test), verdict=both)


def _possible(difference: float) -> float | None:
    """None for a difference that no two C-indices between chance and 1 can have."""
    return difference if difference <= 0.5 else None
