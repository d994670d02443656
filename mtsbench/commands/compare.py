"""`mtsbench compare`: finished runs side by side, if they may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_model

if TYPE_CHECKING:
    from mtsbench.comparison.against_reference import Comparison
    from mtsbench.comparison.analysis import Analysis, Entry


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of two or more runs; default: all in `runs`."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Model that the others are tested against, declared before looking.",
            autocompletion=complete_model,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write report.html, tables and figures here.")
    ] = None,
    allow_true_mask: Annotated[
        bool,
        typer.Option(
            "--allow-true-mask",
            help="Let a model that was given true test masks stand beside others, marked.",
        ),
    ] = False,
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Show slices of patients in the report.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Summaries as JSON on stdout.")] = False,
) -> None:
    """Show several runs in one table; refuses runs that did not answer the same question."""
    import json

    from rich.console import Console

    from mtsbench.report.tables import (
        comparison_table,
        difference_notes,
        difference_table,
        recovery_table,
    )

    analyses = _analyse(runs or _all_runs(), reference, allow_true_mask=allow_true_mask)
    if as_json:
        summaries = {
            entry.run.description.name: _summary(entry, analysis)
            for analysis in analyses
            for entry in analysis.entries
        }
        typer.echo(json.dumps(summaries, indent=2))
    else:
        console = Console()
        for analysis in analyses:
            finished = [entry.run for entry in analysis.entries]
            tables = (
                comparison_table(finished),
                difference_table(analysis),
                recovery_table(finished),
            )
            for table in tables:
                if table is not None:
                    console.print(table)
            for note in difference_notes(analysis):
                console.print(note, markup=False, highlight=False)
        if reference is None:
            console.print("no reference declared, so no difference is tested: --reference MODEL")
    if out is not None:
        from mtsbench.report.comparison_page import write_report

        page = write_report(analyses, out, images=images)
        Console(stderr=as_json).print(f"report: {page}", highlight=False, soft_wrap=True)


def _all_runs() -> list[Path]:
    from mtsbench.run_folders import find_runs

    return find_runs(Path("runs"))


def _analyse(
    folders: Sequence[Path], reference: str | None, *, allow_true_mask: bool
) -> list[Analysis]:
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import by_dataset, check_comparable, read_run
    from mtsbench.errors import OptionError
    from mtsbench.store import RunStore

    if len(folders) < 2:
        raise OptionError(
            f"compare needs two or more runs, got {len(folders)}; name their folders or let "
            "`mtsbench run` finish two models first"
        )
    groups = by_dataset([(read_run(store), store) for store in map(RunStore, folders)])
    for group in groups:
        check_comparable([run for run, _ in group], allow_true_mask=allow_true_mask)
    return [analyse(group, reference) for group in groups]


def _summary(entry: Entry, analysis: Analysis) -> dict[str, object]:
    from mtsbench.comparison.summary import score_names, summarise

    run = entry.run
    found: dict[str, object] = {
        "name": entry.name,
        "model": run.label,
        "given_true_mask": run.description.method["needs_mask_at_test"],
        "c_index": entry.c_index,
        "interval": entry.interval,
        "no_interval": entry.no_interval,
        "metrics": {
            name: {"mean": s.mean, "spread": s.spread, "defined": s.defined, "trials": s.trials}
            for name in score_names(run)
            for s in (summarise(run, name),)
        },
        "recovery": {
            name: summarise(run, name, "recovery").mean for name in score_names(run, "recovery")
        },
    }
    comparison = analysis.comparisons.get(entry.label)
    if comparison is not None:
        found["against_reference"] = _against(comparison)
    return found


def _against(one: Comparison) -> dict[str, object]:
    from dataclasses import asdict

    fitted = one.fitted
    return {
        "method": None if one.algorithm is None else asdict(one.algorithm),
        "p_holm": one.adjusted_p,
        "posterior": None if one.posterior is None else asdict(one.posterior),
        "difference": one.difference,
        "fitted": None
        if fitted is None
        else {"difference": fitted.value, "interval": fitted.interval, "p": fitted.p},
        "robust": one.robust,
        "detectable": asdict(one.detectable),
        "few_events": one.few_events,
        "undefined": one.undefined,
    }
