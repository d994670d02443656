"""Models against one reference on one dataset: is B really better than A?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtsbench.comparison.fold_scores import FoldDifferences, fold_differences, share_tested
from mtsbench.comparison.resampled_tests import (
    PosteriorShares,
    ResampledTest,
    correlated_bayes,
    holm,
    nadeau_bengio,
)
from mtsbench.metrics.concordance import Concordance, concordance
from mtsbench.metrics.contrast import Contrast, contrast
from mtsbench.metrics.undefined import UndefinedMetricError

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.comparison.patients import RunPatients

PRIMARY = "harrell-c"
EQUIVALENT: Mapping[str, float] = {"harrell-c": 0.01, "dice": 0.02, "ibs": 0.005}
SIGNIFICANT = 0.05
POWER_80 = 2.8  # 1.96 + 0.84: found at 5 % with a chance of 80 %


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """One model against the reference, by the primary metric.

    Attributes:
        differences: By fold, averaged over seeds, higher is better for this model.
        algorithm: Nadeau-Bengio: would the *method* do better at this sample size? None with
            `undefined`.
        adjusted_p: Holm's, over all comparisons with the reference.
        posterior: Bayesian correlated t-test.
        fitted: Jackknife over patients: do the *fitted* models differ? None with `undefined`.
        undefined: Why a test has no value.
        robust: Both tests find the same direction at 5 %, the first after Holm.
        detectable: Smallest true difference of the fitted models that this cohort would show
            with a chance of 80 %; None where `fitted` is.
    """

    label: str
    differences: FoldDifferences
    algorithm: ResampledTest | None
    adjusted_p: float | None
    posterior: PosteriorShares | None
    fitted: Contrast | None
    undefined: tuple[str, ...]
    robust: bool
    detectable: float | None


def compare_with_reference(
    reference: tuple[FinishedRun, RunPatients],
    others: Sequence[tuple[str, FinishedRun, RunPatients]],
) -> tuple[Comparison, ...]:
    """Every other run against the reference, by Harrell's C.

    Args:
        reference: Declared before looking.
        others: Label, run and patients of each; on the same splits as the reference.
    """
    found = [_compare(reference, label, run, tested) for label, run, tested in others]
    tests = [one.algorithm.p for one in found if one.algorithm is not None]
    adjusted = iter(holm(tests))
    return tuple(one if one.algorithm is None else _with_holm(one, next(adjusted)) for one in found)


def stratified_concordance(tested: RunPatients) -> Concordance:
    """Harrell's C with pairs formed only inside a trial, weighted by their number.

    Its influence has one entry a row of `tested`: errors need `tested.patient()`.

    Raises:
        UndefinedMetricError: No pair is comparable.
    """
    return concordance(tested.risk(), tested.time(), tested.event(), strata=tested.stratum())


def explore(reference: FinishedRun, other: FinishedRun, metric: str) -> ResampledTest | str:
    """Nadeau-Bengio of any other metric, unadjusted; the reason where it is undefined."""
    try:
        values = fold_differences(reference, other, metric).values
        return nadeau_bengio(values, test_share=share_tested(reference))
    except UndefinedMetricError as undefined:
        return str(undefined)


def _compare(
    reference: tuple[FinishedRun, RunPatients],
    label: str,
    run: FinishedRun,
    tested: RunPatients,
) -> Comparison:
    share = share_tested(reference[0])
    differences = fold_differences(reference[0], run, PRIMARY)
    undefined: list[str] = []
    algorithm, posterior, fitted = None, None, None
    try:
        algorithm = nadeau_bengio(differences.values, test_share=share)
        posterior = correlated_bayes(
            differences.values, correlation=share / (1 + share), equivalence=EQUIVALENT[PRIMARY]
        )
    except UndefinedMetricError as error:
        undefined.append(str(error))
    try:
        first, second = stratified_concordance(reference[1]), stratified_concordance(tested)
        fitted = contrast(
            (first.value, second.value),
            (first.influence, second.influence),
            patient=tested.patient(),
        )
    except UndefinedMetricError as error:
        undefined.append(str(error))
    return Comparison(
        label=label,
        differences=differences,
        algorithm=algorithm,
        adjusted_p=None,
        posterior=posterior,
        fitted=fitted,
        undefined=tuple(undefined),
        robust=False,
        detectable=None if fitted is None else POWER_80 * fitted.standard_error,
    )


def _with_holm(one: Comparison, adjusted: float) -> Comparison:
    agree = (
        one.algorithm is not None
        and one.fitted is not None
        and adjusted < SIGNIFICANT
        and one.fitted.p < SIGNIFICANT
        and one.algorithm.mean * one.fitted.value > 0
    )
    return replace(one, adjusted_p=adjusted, robust=agree)
