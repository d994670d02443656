"""What `mtsbench run` and `mtsbench runs show` print of runs that were carried out."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pydantic import JsonValue
    from rich.console import Console

    from mtsbench.carry_out import CarriedOut
    from mtsbench.comparison.comparable import FinishedRun

INTERNAL, FAILED = 1, 3


def show_one(done: CarriedOut, *, as_json: bool) -> None:
    """Show a run that was carried out to its end.

    Raises:
        Exit: Code 3 if a trial failed or has no result.
    """
    from rich.console import Console

    assert done.run is not None  # it was carried out
    if as_json:
        told = {"warnings": list(done.planned.warnings), **run_json(done.run, done.page)}
        typer.echo(json.dumps(told, indent=2))
    else:
        console = Console()
        print_run(done.run, console)
        console.print(f"report: {done.page}", highlight=False, soft_wrap=True)
    if not done.complete:
        raise typer.Exit(FAILED)


def show_all(done: Sequence[CarriedOut], *, debug: bool, as_json: bool) -> None:
    """Show one row for each run, and why some failed.

    Args:
        done: The runs of the file.
        debug: Print tracebacks of the program's own faults too.
        as_json: For programs.

    Raises:
        Exit: Code 3 if a run or a trial failed, 1 if that was a fault of the program.
    """
    from mtsbench.listing import terminal
    from mtsbench.report.experiment_tables import carried_out_table, comparison_hint

    if debug:
        for one in done:
            traceback.print_exception(one.error)
    if as_json:
        typer.echo(json.dumps({"runs": [_run_json(one) for one in done]}, indent=2))
    else:
        console = terminal()
        console.print(carried_out_table(done))
        for line in (*_failures(done), *comparison_hint(done)):
            console.print(line, soft_wrap=True)
    if any(one.internal for one in done):
        raise typer.Exit(INTERNAL)
    if not all(one.complete for one in done):
        raise typer.Exit(FAILED)


def print_run(run: FinishedRun, console: Console) -> None:
    """The trials with their scores, then those that failed."""
    from mtsbench.report.tables import run_table

    console.print(run_table(run))
    for failure in run.failures:
        console.print(
            f"failed: repeat {failure.repeat} fold {failure.fold} seed {failure.seed}: "
            f"{failure.error}",
            markup=False,
            highlight=False,
        )


def run_json(run: FinishedRun, page: Path | None) -> dict[str, JsonValue]:
    """The same for programs.

    Args:
        run: Finished or not.
        page: Its report, if there is one.
    """
    return {
        "run": run.description.model_dump(mode="json"),
        "trials": [record.model_dump(mode="json") for record in run.records],
        "failures": [failure.model_dump(mode="json") for failure in run.failures],
        "report": None if page is None else str(page),
    }


def _failures(done: Sequence[CarriedOut]) -> Iterator[str]:
    from mtsbench.errors import one_line
    from mtsbench.events import trial_label

    for one in done:
        name = one.planned.description.name
        for failure in one.run.failures if one.run else ():
            trial = trial_label(failure.repeat, failure.fold, failure.seed)
            yield f"failed: {name}, {trial}: {failure.error}"
        if one.error is not None:
            advice = "; run again with mtsbench --debug run ... and report it" * one.internal
            yield f"failed: {name}: {one_line(one.error)}{advice}"


def _run_json(one: CarriedOut) -> dict[str, JsonValue]:
    from mtsbench.errors import one_line

    found = {} if one.run is None else run_json(one.run, one.page)
    return {
        "model": one.planned.request.model,
        "dataset": one.planned.request.dataset,
        "folder": str(one.planned.store.folder),
        "error": None if one.error is None else one_line(one.error),
        "warnings": list(one.planned.warnings),
        **found,
    }
