"""Means over the trials of a run, with every undefined or failed trial counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.records import StoredScore


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One metric over the trials of a run.

    Attributes:
        mean: Over the trials where it is defined; None if it is defined in none.
        spread: Standard deviation between trials; None with fewer than two. It describes, and
            is no standard error: the trials share training cases.
        defined: Trials with a value.
        trials: Trials expected.
    """

    metric: str
    mean: float | None
    spread: float | None
    defined: int
    trials: int

    def text(self) -> str:
        """`0.712 +- 0.034`, with the count of trials where some are missing."""
        if self.mean is None:
            return "undefined"
        text = f"{self.mean:.3f}"
        if self.spread is not None:
            text += f" ± {self.spread:.3f}"
        return text + self._count()

    def mean_text(self) -> str:
        """The mean alone, with the count of trials where some are missing."""
        return "undefined" if self.mean is None else f"{self.mean:.3f}{self._count()}"

    def spread_text(self) -> str:
        """The standard deviation alone, or a dash."""
        return "–" if self.spread is None else f"{self.spread:.3f}"

    def _count(self) -> str:
        return "" if self.defined == self.trials else f" ({self.defined}/{self.trials})"


def summarise(run: FinishedRun, metric: str, *, oracle: bool = False) -> Summary:
    """One metric of a run, or of its oracle."""
    scores = [(r.oracle if oracle else r.scores).get(metric) for r in run.records]
    return _summary(metric, scores, run.description.trials)


def metric_names(run: FinishedRun, *, oracle: bool = False) -> tuple[str, ...]:
    """Metrics that any trial of the run reports, in the order of the records."""
    names: dict[str, None] = {}
    for record in run.records:
        names.update(dict.fromkeys(record.oracle if oracle else record.scores))
    return tuple(names)


def mean_seconds(run: FinishedRun, phase: str) -> float | None:
    """Mean wall-clock seconds of a phase, or None without records."""
    seconds = [record.phase_seconds[phase] for record in run.records]
    return float(np.mean(seconds)) if seconds else None


def _summary(metric: str, scores: Sequence[StoredScore | None], trials: int) -> Summary:
    values = [s.value for s in scores if s is not None and s.value is not None]
    return Summary(
        metric=metric,
        mean=float(np.mean(values)) if values else None,
        spread=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        defined=len(values),
        trials=trials,
    )
