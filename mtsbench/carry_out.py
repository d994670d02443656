"""Carrying out planned runs, one after another: one that cannot go on does not stop the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.comparison.comparable import read_run
from mtsbench.comparison.summary import score_names, summarise
from mtsbench.errors import MtsbenchError, one_line
from mtsbench.report.run_page import write_run_page
from mtsbench.run_lock import hold
from mtsbench.runner import run as run_trials

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.metrics.catalogue import Metrics
    from mtsbench.plan import PlannedRun
    from mtsbench.runner import RunOptions


@dataclass(frozen=True, kw_only=True)
class CarriedOut:
    """What became of a planned run.

    Attributes:
        run: As it lies on disk; None where it did not begin.
        page: Its report; None where it ended early.
        error: Why it ended before all trials were tried.
    """

    planned: PlannedRun
    run: FinishedRun | None = None
    page: Path | None = None
    error: Exception | None = None

    @property
    def complete(self) -> bool:
        """Whether every trial has a result."""
        return self.run is not None and len(self.run.records) == self.planned.description.trials

    @property
    def internal(self) -> bool:
        """Whether it ended by a fault of the program and not of the request or the data."""
        return self.error is not None and not isinstance(self.error, MtsbenchError)


def carry_out(planned: PlannedRun, metrics: Metrics, options: RunOptions) -> CarriedOut:
    """Do what is not done yet, write the run's report, and tell the trackers.

    Another process that carries out the same run is waited for.

    Raises:
        MtsbenchError: The run cannot go on; see `mtsbench.runner.run`.
    """
    experiment, store = planned.experiment, planned.store
    options.progress.started(planned.description, experiment.device)
    options.progress.clinical(experiment.dataset.clinical_variables)
    for warning in planned.warnings:
        options.progress.warn(f"warning: {warning}")
    with hold(store.folder, options.progress.warn):
        run_trials(experiment, planned.splits, metrics, store, options, planned.request)
        finished = read_run(store)
        page = write_run_page(finished, store.folder)
    summaries = {name: summarise(finished, name) for name in score_names(finished)}
    options.trackers.run_finished(page, summaries)
    return CarriedOut(planned=planned, run=finished, page=page)


def carry_out_all(
    planned: Sequence[PlannedRun], metrics: Metrics, options: RunOptions
) -> list[CarriedOut]:
    """Carry out every run in order, whatever becomes of the others."""
    console, done = options.progress.console, list[CarriedOut]()
    for number, one in enumerate(planned, 1):
        console.print(f"run {number} of {len(planned)}: {one.label}", style="bold", highlight=False)
        try:
            done.append(carry_out(one, metrics, options))
        except Exception as error:
            console.print(f"failed: {one.label}: {one_line(error)}", style="red", markup=False)
            done.append(CarriedOut(planned=one, run=_on_disk(one), error=error))
    return done


def _on_disk(planned: PlannedRun) -> FinishedRun | None:
    try:
        return read_run(planned.store) if planned.store.begun(planned.description) else None
    except MtsbenchError:
        return None  # What ended the run is told already.
