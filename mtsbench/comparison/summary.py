"""Means over the trials of a run, with every undefined or failed trial counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.records import StoredScore, TrialRecord


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


Part = Literal["scores", "oracle", "recovery", "oracle_recovery"]


def summarise(run: FinishedRun, name: str, part: Part = "scores") -> Summary:
    """One score of a part of a run's records, by name."""
    scores = [_part(record, part).get(name) for record in run.records]
    return _summary(name, scores, run.description.trials)


def score_names(run: FinishedRun, part: Part = "scores") -> tuple[str, ...]:
    """Names that any trial of the run reports, in the order of the records."""
    names: dict[str, None] = {}
    for record in run.records:
        names.update(dict.fromkeys(_part(record, part)))
    return tuple(names)


def _part(record: TrialRecord, part: Part) -> Mapping[str, StoredScore]:
    return {
        "scores": record.scores,
        "oracle": record.oracle,
        "recovery": record.recovery,
        "oracle_recovery": record.oracle_recovery,
    }[part]


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
