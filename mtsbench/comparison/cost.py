"""What a model costs, beside what it scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtsbench.comparison.comparable import FinishedRun


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Means over the trials of a run.

    Attributes:
        training: Seconds of one fit.
        inference: Seconds per test patient.
        memory: Largest resident memory of the process in MiB.
    """

    training: float
    inference: float
    memory: float


def cost(run: FinishedRun) -> Cost:
    """The cost of a run with at least one finished trial."""
    return Cost(
        training=float(np.mean([r.phase_seconds["fit"] for r in run.records])),
        inference=float(
            np.mean([r.phase_seconds["predict"] / r.cases["test"] for r in run.records])
        ),
        memory=max(record.peak_memory_mib for record in run.records),
    )


def pareto(scores: Sequence[float], costs: Sequence[float]) -> tuple[bool, ...]:
    """Which models no other beats in score at no more cost, or in cost at no less score."""
    points = list(zip(scores, costs, strict=True))
    return tuple(
        not any(
            other != point and other[0] >= point[0] and other[1] <= point[1] for other in points
        )
        for point in points
    )
