"""`mtsbench run --dry-run`: the trials to come and their time, without doing anything."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue

    from mtsbench.fold_sizes import FoldSize
    from mtsbench.plan import PlannedRun
    from mtsbench.time_estimate import Forecast

# Steps of further models are not timed once so much has passed.
TIMING_SECONDS = 20.0


def show_plan(
    planned: Sequence[PlannedRun], out: Path, cache_folder: Path, jobs: int, *, as_json: bool
) -> None:
    """Print what is to come; nothing is written.

    Args:
        planned: The runs, in order.
        out: Folder of all runs, whose finished trials tell how long one takes.
        cache_folder: Where prepared cases lie.
        jobs: Trials at once.
        as_json: For programs.
    """
    from rich.console import Console

    from mtsbench.listing import terminal
    from mtsbench.report.experiment_tables import plan_notes, plan_table
    from mtsbench.time_estimate import finished_trials, forecast

    start, finished = time.monotonic(), finished_trials(out)
    with Console(stderr=True).status("looking for what is done") as status:
        forecasts = []
        for one in planned:
            status.update(f"how long {one.label} may take")
            may_time = time.monotonic() - start < TIMING_SECONDS
            forecasts.append(
                forecast(one, finished, cache_folder=cache_folder, jobs=jobs, may_time=may_time)
            )
    if as_json:
        typer.echo(json.dumps(_json(forecasts), indent=2))
        return
    console = terminal()
    console.print(plan_table(forecasts))
    for note in plan_notes(forecasts):
        console.print(note)
    for one in planned:
        for warning in one.warnings:
            console.print(f"warning: {one.label}: {warning}", soft_wrap=True)


def _json(forecasts: Sequence[Forecast]) -> dict[str, JsonValue]:
    from mtsbench.time_estimate import cases_to_prepare, known_seconds

    return {
        "runs": [_run_json(one) for one in forecasts],
        "seconds": known_seconds(forecasts),
        "unknown": sum(one.estimate.seconds is None for one in forecasts),
        "cases_to_prepare": cases_to_prepare(forecasts),
    }


def _run_json(forecast: Forecast) -> dict[str, JsonValue]:
    planned = forecast.planned
    experiment = planned.experiment
    return {
        "run": planned.description.name,
        "folder": str(planned.store.folder),
        "model": experiment.model_name,
        "dataset": experiment.dataset_name,
        "endpoint": experiment.endpoint,
        "preset": experiment.preset,
        "device": experiment.device,
        "trials": planned.description.trials,
        "done": planned.done,
        "to_do": planned.todo,
        "seconds": forecast.estimate.seconds,
        "basis": forecast.estimate.basis,
        "source": forecast.estimate.source,
        "cases_to_prepare": forecast.unprepared,
        "folds": [_fold_json(one) for one in planned.folds],
        "warnings": list(planned.warnings),
    }


def _fold_json(size: FoldSize) -> dict[str, JsonValue]:
    parts = {"train": size.train, "validation": size.validation, "test": size.test}
    return {
        "repeat": size.repeat,
        "fold": size.fold,
        "cases": {name: part.cases for name, part in parts.items()},
        "events": {name: part.events for name, part in parts.items()},
    }
