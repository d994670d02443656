"""What a person sees while a run is under way: bars in a terminal, lines elsewhere, on stderr."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from mtsbench.events import TrialEvent, trial_label
from mtsbench.recipe import recipe_lines
from mtsbench.records import TrialRecord

if TYPE_CHECKING:
    from rich.console import Console

    from mtsbench.data import ClinicalVariable
    from mtsbench.records import FailedTrial, RunDescription

LINE_SECONDS = 10.0


class Progress:
    """Reports to one console; without a terminal a line at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def started(self, description: RunDescription, device: str) -> None:
        """Say which run begins, how it departs from the published recipe, which cases it lacks."""
        self.console.print(f"run {description.name} on {device}", highlight=False)
        for line in recipe_lines(description.recipe):
            self.console.print(line, markup=False, highlight=False)
        if description.without_outcome:
            self.console.print(
                f"{description.without_outcome} cases have no {description.question['endpoint']} "
                "and take no part",
                highlight=False,
            )

    def clinical(self, variables: Sequence[ClinicalVariable]) -> None:
        """Say which columns are taken for clinical variables, and for which kind."""
        if variables:
            named = ", ".join(f"{one.name} ({one.kind})" for one in variables)
            self.console.print(f"clinical variables: {named}", markup=False, highlight=False)

    def resumed(self, finished: int) -> None:
        """Say how many trials an earlier run has finished."""
        if finished:
            self.console.print(f"{finished} finished trials found, continuing")

    @contextmanager
    def preparing(self) -> Iterator[Callable[[int, int], None]]:
        """Resampling of the cohort; the callable takes (done, total)."""
        with self._bar("preparing cases") as advance:
            yield lambda done, total: advance(done, total, "")

    def prepared(self, cases: int, memory: float) -> None:
        """Say that all cases are in the cache, and the peak of resident memory until then (MiB)."""
        self.console.print(f"{cases} cases prepared, peak memory {memory:.0f} MiB", highlight=False)

    def warn(self, line: str) -> None:
        """Say what went wrong beside the trials."""
        self.console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def trials(self) -> Iterator[Callable[[TrialEvent], None]]:
        """Trials, one bar each; the callable takes what happens in them."""
        if not self.console.is_terminal:
            lines: dict[str, Callable[[int, int, str], None]] = {}

            def line(event: TrialEvent) -> None:
                if self._said(event):
                    return
                if event.trial not in lines:
                    lines[event.trial] = self._lines(event.trial)
                lines[event.trial](event.done, event.total, _values(event.values))

            yield line
            return
        with Bars(*_columns(), console=self.console, transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def bar(event: TrialEvent) -> None:
                if self._said(event):
                    if event.trial in tasks:
                        bars.remove_task(tasks.pop(event.trial))
                    return
                if event.trial not in tasks:
                    tasks[event.trial] = bars.add_task(event.trial, total=None, note="")
                bars.update(
                    tasks[event.trial],
                    completed=event.done,
                    total=event.total,
                    note=_values(event.values),
                )

            yield bar

    def _said(self, event: TrialEvent) -> bool:
        if event.message is not None:
            line = f"{event.trial}: {event.message}"
            self.console.print(line, style="red", markup=False, highlight=False)
            return True
        if event.outcome is None:
            return False
        if isinstance(event.outcome, TrialRecord):
            self.console.print(finished_line(event.outcome), markup=False, highlight=False)
        else:
            line = failed_line(event.outcome)
            self.console.print(line, style="red", markup=False, highlight=False)
        return True

    @contextmanager
    def _bar(self, label: str) -> Iterator[Callable[[int, int, str], None]]:
        if not self.console.is_terminal:
            yield self._lines(label)
            return
        with Bars(*_columns(), console=self.console, transient=True) as bars:
            task = bars.add_task(label, total=None, note="")
            yield lambda done, total, note: bars.update(
                task, completed=done, total=total, note=note
            )

    def _lines(self, label: str) -> Callable[[int, int, str], None]:
        last = time.monotonic()

        def advance(done: int, total: int, note: str) -> None:
            nonlocal last
            if time.monotonic() - last >= LINE_SECONDS:
                last = time.monotonic()
                self.console.print(f"{label} {done}/{total} {note}".rstrip(), highlight=False)

        return advance


def finished_line(record: TrialRecord) -> str:
    """A trial's scores in a line."""
    label = trial_label(record.repeat, record.fold, record.seed)
    scores = "  ".join(
        f"{name} {'undefined' if score.value is None else f'{score.value:.3f}'}"
        for name, score in record.scores.items()
    )
    return f"{label}: {scores}  ({sum(record.phase_seconds.values()):.0f} s)"


def failed_line(failed: FailedTrial) -> str:
    """Why a trial crashed, in a line."""
    cause = failed.error.partition("\n")[0]
    return f"{trial_label(failed.repeat, failed.fold, failed.seed)} failed: {cause}"


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )


def _values(values: Mapping[str, float]) -> str:
    short = {"validation_c_index": "val C", "validation_dice": "val Dice", "loss": "loss"}
    return " ".join(f"{text} {values[name]:.3f}" for name, text in short.items() if name in values)
