"""How much of a score's variance comes from repeats, folds and seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun


@dataclass(frozen=True, kw_only=True)
class VarianceShares:
    """Shares that add up to 1; None where the protocol has one of a kind, so it cannot be told.

    Attributes:
        repeats: Between shuffles of the same patients.
        folds: Between test folds of a repeat: mostly which patients are tested.
        seeds: Between trainings on the same fold.
    """

    repeats: float | None
    folds: float | None
    seeds: float | None


def variance_shares(run: FinishedRun, metric: str) -> VarianceShares:
    """Shares by nested analysis of variance; estimates below 0 count as 0.

    Raises:
        UndefinedMetricError: A trial has no value, or all have the same.

    Source: Searle, Casella & McCulloch, Variance Components (1992), section 3.5.
    """
    levels = [sorted({getattr(r, k) for r in run.records}) for k in ("repeat", "fold", "seed")]
    values = np.full([len(level) for level in levels], np.nan)
    for record in run.records:
        score = record.scores.get(metric)
        place = (record.repeat, record.fold, record.seed)
        where = tuple(level.index(one) for level, one in zip(levels, place, strict=True))
        values[where] = np.nan if score is None or score.value is None else score.value
    if not np.isfinite(values).all():
        raise UndefinedMetricError(f"{metric} is undefined in some trial of {run.label}")
    repeats, folds, seeds = values.shape
    by_fold, by_repeat = values.mean(axis=2), values.mean(axis=(1, 2))
    seed = float(values.var(axis=2, ddof=1).mean()) if seeds > 1 else 0.0
    fold = float(by_fold.var(axis=1, ddof=1).mean()) - seed / seeds if folds > 1 else 0.0
    fold = max(0.0, fold)
    repeat = float(by_repeat.var(ddof=1)) if repeats > 1 else 0.0
    repeat = max(0.0, repeat - (fold + seed / seeds) / folds)
    total = seed + fold + repeat
    if total == 0:
        raise UndefinedMetricError(f"{metric} is the same in every trial of {run.label}")
    return VarianceShares(
        repeats=repeat / total if repeats > 1 else None,
        folds=fold / total if folds > 1 else None,
        seeds=seed / total if seeds > 1 else None,
    )
