"""What happens in a trial, as the process that waits for it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtsbench.records import FailedTrial, TrialRecord


@dataclass(frozen=True, kw_only=True)
class TrialEvent:
    """Something that happened in a trial, which may run in another process.

    Attributes:
        trial: Names it, e.g. `repeat 0 fold 1 seed 0`.
        done: Epochs done, of `total`; 0 when training begins.
        values: What the last epoch logged.
        outcome: At the end of the trial the record that it left, or why it crashed.
        message: A line for the user from an executor, e.g. why a trial ended without an outcome.
    """

    trial: str
    done: int = 0
    total: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    outcome: TrialRecord | FailedTrial | None = None
    message: str | None = None


def trial_label(repeat: int, fold: int, seed: int) -> str:
    """Names a trial."""
    return f"repeat {repeat} fold {fold} seed {seed}"
