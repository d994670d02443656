"""What happens in a run: what a trial tells, who carries trials out and who follows them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from mtsbench.comparison.summary import Summary
    from mtsbench.records import FailedTrial, RunDescription, TrialRecord


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


class Executor(Protocol):
    """Runs independent trials.

    A trial seeds the random numbers of its process, so no two may run at once in one process. It
    leaves its record in the folder of runs and reads prepared cases from `--cache`: on another
    machine both must lie under the same paths.
    """

    def map(
        self, trials: Sequence[Callable[[], None]], report: Callable[[TrialEvent], None]
    ) -> None:
        """Run every trial and return when all have ended; a failing one must not stop the others.

        Trials are picklable. `report` takes what is known of them while they run; how each ended
        is read from its record afterwards.
        """
        ...


class Tracker(Protocol):
    """Shows a run elsewhere. What it raises switches it off, and never stops the run.

    It is called in the main process, from one thread; epochs of several trials may be mixed.
    """

    def run_started(self, description: RunDescription) -> Collection[str]:
        """Begin a run, or go on with one: keys of the finished trials that it holds already.

        Any other trial begins anew, whatever was kept of an earlier attempt.
        """
        ...

    def epoch(self, trial: str, epoch: int, values: Mapping[str, float]) -> None:
        """What an epoch (from 0) of `repeat 0 fold 1 seed 0` logged; may not be finite."""
        ...

    def trial_finished(self, trial: str, record: TrialRecord, folder: Path) -> None:
        """The trial's record, and the folder of its files, which are only to be read."""
        ...

    def trial_failed(self, trial: str, failed: FailedTrial) -> None:
        """The trial crashed; the same command would try it again."""
        ...

    def run_finished(self, report: Path, summaries: Mapping[str, Summary]) -> None:
        """Every trial has ended: the run's page, and each score over its trials."""
        ...

    def close(self) -> None:
        """Let go of all files; the last call, also where the run was cut off."""
        ...


def trial_label(repeat: int, fold: int, seed: int) -> str:
    """Names a trial."""
    return f"repeat {repeat} fold {fold} seed {seed}"
