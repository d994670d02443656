"""Terminal tables of many runs: those to come, and those just carried out."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.table import Table

from mtsbench.comparison.summary import score_names, summarise
from mtsbench.report.tables import primary
from mtsbench.time_estimate import cases_to_prepare, known_seconds

if TYPE_CHECKING:
    from mtsbench.carry_out import CarriedOut
    from mtsbench.plan import PlannedRun
    from mtsbench.time_estimate import Estimate, Forecast, Source

REMARKS: dict[Source, str] = {
    "trials": "",
    "steps": " (at most, and without scoring)",
    "unknown": " (unknown)",
}


def duration(seconds: float) -> str:
    """Seconds as a person says them: `40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    if 0 < seconds < 1:
        return "< 1 s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 99.5 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def plan_table(forecasts: Sequence[Forecast]) -> Table:
    """One row a run to come; `about` is the time of its trials to do."""
    table = Table(title="trials to come", title_justify="left")
    table.add_column("model", overflow="fold")
    table.add_column("dataset", overflow="fold")
    for name in ("trials", "done", "to do", "about"):
        table.add_column(name, justify="right")
    for one, model in zip(forecasts, _models([one.planned for one in forecasts]), strict=True):
        planned = one.planned
        table.add_row(
            model,
            f"{planned.experiment.dataset_name} {planned.experiment.endpoint}",
            str(planned.description.trials),
            str(planned.done),
            str(planned.todo),
            _about(one.estimate),
        )
    return table


def plan_notes(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """Sums over all runs, what each time rests on, and what the times leave out."""
    experiment = forecasts[0].planned.experiment
    todo = sum(one.planned.todo for one in forecasts)
    unknown = sum(one.estimate.source == "unknown" for one in forecasts)
    text = f"preset {experiment.preset} on {experiment.device}: {todo} trials to do"
    if todo and unknown < len(forecasts):
        seconds = known_seconds(forecasts)
        text += f", {'about ' * (seconds >= 1)}{duration(seconds)}"
    if unknown:
        text += f", {unknown} of {len(forecasts)} runs of unknown time"
    yield text
    grouped: dict[Estimate, list[str]] = {}
    for one, model in zip(forecasts, _models([one.planned for one in forecasts]), strict=True):
        label = f"{model} on {one.planned.experiment.dataset_name}"
        grouped.setdefault(replace(one.estimate, seconds=None), []).append(label)
    for estimate, labels in grouped.items():
        if estimate.source != "done":
            yield f"- {estimate.basis}{REMARKS[estimate.source]}: {', '.join(labels)}"
    unprepared = cases_to_prepare(forecasts)
    if unprepared:
        yield f"- not in the time: {unprepared} cases to be prepared first"


def _about(estimate: Estimate) -> str:
    if estimate.source == "done":
        return "–"
    return "unknown" if estimate.seconds is None else duration(estimate.seconds)


def carried_out_table(done: Sequence[CarriedOut]) -> Table:
    """One row a run: mean and spread of the first metrics; `trials` counts those with a result."""
    table = Table(title="runs of this experiment", title_justify="left")
    runs = [one.run for one in done if one.run is not None]
    metrics = primary(dict.fromkeys(name for run in runs for name in score_names(run)))
    table.add_column("model", overflow="fold")
    table.add_column("dataset", overflow="fold")
    for name in (*metrics, "trials", "time"):
        table.add_column(name, justify="right", overflow="fold")
    for one, model in zip(done, _models([one.planned for one in done]), strict=True):
        experiment, run = one.planned.experiment, one.run
        records = () if run is None else run.records
        seconds = sum(sum(record.phase_seconds.values()) for record in records)
        table.add_row(
            model,
            f"{experiment.dataset_name} {experiment.endpoint}",
            *(
                summarise(run, name).text() if run and name in score_names(run) else "–"
                for name in metrics
            ),
            f"{len(records)}/{one.planned.description.trials}",
            duration(seconds) if records else "–",
        )
    return table


def comparison_hint(done: Sequence[CarriedOut]) -> Iterator[str]:
    """Where the reports lie, and how to compare the complete runs."""
    pages = [one.page for one in done if one.page is not None]
    if pages:
        yield f"report of each run: {pages[0].parent.parent / 'RUN' / pages[0].name}"
    folders = [one.planned.store.folder for one in done if one.complete]
    if len(folders) > 1:
        names = " ".join(shlex.quote(str(folder)) for folder in folders)
        yield f"compare them: mtsbench compare {names} --reference MODEL --out report"


def _models(planned: Sequence[PlannedRun]) -> list[str]:
    """The model of each run; a hash tells two runs of it on one cohort apart."""
    asked = [
        (one.experiment.model_name, one.experiment.dataset_name, one.experiment.endpoint)
        for one in planned
    ]
    names = []
    for one, key in zip(planned, asked, strict=True):
        name = one.experiment.model_name
        if asked.count(key) > 1:
            name += f" {one.description.name.rpartition('-')[2]}"
        if one.experiment.needs_mask_at_test:
            name += " (given the true mask)"
        names.append(name)
    return names
