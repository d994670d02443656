"""Scores by test fold, averaged over seeds, and their differences between two runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mtsbench.comparison.comparable import FinishedRun

FoldName = tuple[int, int]  # repeat, fold
EVENTS_PER_FOLD = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldDifferences:
    """B minus A in every fold where both have a value.

    Attributes:
        folds: (repeat, fold) of each difference.
        values: (J,) differences.
        undefined: Folds left out because a trial of A or B has no value there.
    """

    folds: tuple[FoldName, ...]
    values: NDArray[np.float64]
    undefined: tuple[FoldName, ...]


def fold_scores(run: FinishedRun, metric: str) -> Mapping[FoldName, float | None]:
    """The metric of each fold, averaged over seeds; None if any seed has no value there."""
    seeds: dict[FoldName, list[float | None]] = defaultdict(list)
    for record in run.records:
        score = record.scores.get(metric)
        seeds[record.repeat, record.fold].append(None if score is None else score.value)
    means: dict[FoldName, float | None] = {}
    for fold, values in seeds.items():
        defined = [value for value in values if value is not None]
        means[fold] = float(np.mean(defined)) if len(defined) == len(values) else None
    return means


def fold_differences(reference: FinishedRun, other: FinishedRun, metric: str) -> FoldDifferences:
    """`other` minus `reference`; a fold undefined in one is left out of both, and counted."""
    first, second = fold_scores(reference, metric), fold_scores(other, metric)
    pairs = {fold: (first[fold], second.get(fold)) for fold in sorted(first)}
    both = {f: (a, b) for f, (a, b) in pairs.items() if a is not None and b is not None}
    return FoldDifferences(
        folds=tuple(both),
        values=np.array([b - a for a, b in both.values()], dtype=np.float64),
        undefined=tuple(fold for fold in pairs if fold not in both),
    )


def folds_of(run: FinishedRun) -> int:
    """K: test folds of one repeat."""
    return len({record.fold for record in run.records})


def few_events(run: FinishedRun) -> str | None:
    """Why verdicts on these folds are to be trusted less; None with ten events or more in each.

    Source: per-fold C is coarse with fewer, and tests of it err more often (`docs/statistics.md`).
    """
    events = [record.events["test"] for record in run.records]
    least, most = min(events), max(events)
    if least >= EVENTS_PER_FOLD:
        return None
    held = str(least) if least == most else f"{least} to {most}"
    folds = run.description.events // EVENTS_PER_FOLD
    advice = f"use --folds {folds}" if 2 <= folds < folds_of(run) else "only more patients help"
    return (
        f"test folds hold {held} events, fewer than {EVENTS_PER_FOLD}: C is coarse there, and a "
        f"verdict is less certain than its p says; {advice}"
    )


def share_tested(run: FinishedRun) -> float:
    """n_test / n_train of the run's protocol, 1 / (K - 1); n_train is all that is not tested."""
    tested = np.mean([record.cases["test"] for record in run.records])
    rest = np.mean([r.cases["train"] + r.cases["validation"] for r in run.records])
    return float(tested / rest)
