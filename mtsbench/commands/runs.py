"""`mtsbench runs`: what lies in the folder of all runs, and taking away what is not needed."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_run

if TYPE_CHECKING:
    from pydantic import JsonValue

    from mtsbench.run_folders import RunFolder

runs = typer.Typer(no_args_is_help=True, help="List, show and remove the runs in a folder.")
OutFolder = Annotated[Path, typer.Option(help="Folder of all runs.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


@runs.command("list")
def list_runs(out: OutFolder = Path("runs"), as_json: JsonFlag = False) -> None:
    """List the runs: state, trials, date, size on disk and first scores."""
    from rich.padding import Padding

    from mtsbench.listing import terminal
    from mtsbench.report.run_lists import run_details
    from mtsbench.run_folders import find_runs, read_folder

    found = [read_folder(folder) for folder in find_runs(out)]
    if as_json:
        typer.echo(json.dumps([_json(one) for one in found], indent=2))
        return
    console = terminal()
    if not found:
        console.print(f"no run in {out}", soft_wrap=True)
    for one in found:
        console.print(one.folder.name, style="bold", soft_wrap=True)
        console.print(Padding(run_details(one), (0, 0, 0, 2)))


@runs.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `mtsbench runs list` gives it.", autocompletion=complete_run
        ),
    ],
    out: OutFolder = Path("runs"),
    as_json: JsonFlag = False,
) -> None:
    """Show one run: what it is, its trials with their scores, and its failures."""
    from mtsbench.commands.carried_out import print_run, run_json
    from mtsbench.comparison.comparable import read_run
    from mtsbench.listing import terminal
    from mtsbench.report.run_lists import facts_table, run_details
    from mtsbench.report.run_page import PAGE
    from mtsbench.run_folders import find_run, read_folder
    from mtsbench.store import RunStore

    folder = find_run(out, name)
    run = read_run(RunStore(folder))
    page = folder / PAGE if (folder / PAGE).is_file() else None
    if as_json:
        typer.echo(json.dumps(run_json(run, page), indent=2))
        return
    console = terminal()
    console.print(name, style="bold", soft_wrap=True)
    console.print(run_details(read_folder(folder)), end="\n\n")
    console.print(facts_table(run.description), end="\n\n")
    print_run(run, console)
    if page is not None:
        console.print(f"report: {page}", soft_wrap=True)


@runs.command()
def remove(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="As `mtsbench runs list` gives them.",
            autocompletion=complete_run,
        ),
    ],
    out: OutFolder = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs with all their trials, after asking. There is no way back."""
    from mtsbench.errors import OptionError
    from mtsbench.listing import terminal
    from mtsbench.report.run_lists import run_details
    from mtsbench.run_folders import check_removable, find_run, read_folder, remove_run

    folders = [find_run(out, name) for name in dict.fromkeys(names)]
    for folder in folders:
        check_removable(folder)
    console = terminal()
    for folder in folders:
        console.print(f"{folder}: {run_details(read_folder(folder))}", soft_wrap=True)
    if not yes:
        if not sys.stdin.isatty():
            raise OptionError("nothing was removed, because nobody can be asked here; add --yes")
        typer.confirm("Remove them for ever?", abort=True)
    for folder in folders:
        remove_run(folder)
        console.print(f"removed: {folder}", soft_wrap=True)


def _json(one: RunFolder) -> dict[str, JsonValue]:
    from mtsbench.comparison.summary import score_names, summarise

    found: dict[str, JsonValue] = {
        "run": one.folder.name,
        "folder": str(one.folder),
        "state": one.state,
        "fault": one.fault,
        "changed": datetime.fromtimestamp(one.changed).isoformat(timespec="seconds"),
        "bytes": one.bytes,
    }
    if one.run is not None:
        found["trials"] = one.run.description.trials
        found["done"] = len(one.run.records)
        found["failed"] = len(one.run.failures)
        found["missing"] = one.missing
        found["scores"] = {name: summarise(one.run, name).mean for name in score_names(one.run)}
    return found
