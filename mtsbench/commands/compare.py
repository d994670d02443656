"""`mtsbench compare`: finished runs side by side, if they may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_model

if TYPE_CHECKING:
    from mtsbench.commands.compared_runs import ComparedRuns
    from mtsbench.comparison.against_reference import Comparison
    from mtsbench.comparison.analysis import Analysis, Entry


def compare(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs, or of many runs; default: all in `runs`."),
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
    on_missing: Annotated[
        str,
        typer.Option(
            "--on-missing",
            help="Trials that some runs lack: refuse, or common-folds (leave them out of all).",
        ),
    ] = "refuse",
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Show slices of patients in the report.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Summaries as JSON on stdout.")] = False,
) -> None:
    """Show several runs in one table; runs of a folder that answer other questions stand apart."""
    import json

    from rich.console import Console

    from mtsbench.commands.compared_runs import find_compared
    from mtsbench.comparison.analysis import analyse_each
    from mtsbench.comparison.common_trials import parse_on_missing

    policy = parse_on_missing(on_missing)
    compared = find_compared(runs or (), allow_true_mask=allow_true_mask)
    analyses = analyse_each(compared.groups, reference, on_missing=policy)
    if as_json:
        typer.echo(json.dumps(_json(analyses, compared), indent=2))
    else:
        _print(analyses, compared, reference)
    if out is not None:
        from mtsbench.report.comparison_page import write_report

        page = write_report(analyses, out, images=images, alone=compared.lines_alone())
        Console(stderr=as_json).print(f"report: {page}", highlight=False, soft_wrap=True)


def _print(analyses: Sequence[Analysis], compared: ComparedRuns, reference: str | None) -> None:
    from mtsbench.listing import terminal
    from mtsbench.report.missing_text import absent_text, left_out_lines
    from mtsbench.report.tables import (
        comparison_table,
        difference_notes,
        difference_table,
        recovery_table,
    )

    console = terminal()
    for number, (analysis, apart) in enumerate(zip(analyses, compared.apart, strict=False), 1):
        if len(analyses) > 1 or compared.alone:
            told = f"question {number} of {len(analyses)}" + f": {apart}" * bool(apart)
            console.print(told, style="bold")
        finished = [entry.run for entry in analysis.entries]
        shown = (
            comparison_table(finished),
            *left_out_lines(analysis),
            difference_table(analysis),
            *difference_notes(analysis),
            *absent_text(analysis),
            recovery_table(finished),
        )
        for part in shown:
            if part is not None:
                console.print(part)
    if compared.alone:
        console.print("nothing to compare with:", style="bold")
        for line in compared.lines_alone():
            console.print(f"- {line}")
    if reference is None:
        console.print("no reference declared, so no difference is tested: --reference MODEL")


def _json(analyses: Sequence[Analysis], compared: ComparedRuns) -> dict[str, object]:
    from mtsbench.comparison.questions import section_names

    names = section_names([analysis.description for analysis in analyses])
    found: dict[str, object] = {}
    for analysis, name in zip(analyses, names, strict=True):
        left_out = [
            {"repeat": one.repeat, "fold": one.fold, "seed": one.seed, "reasons": one.reasons}
            for one in analysis.left_out
        ]
        for entry in analysis.entries:
            found[entry.run.description.name] = {
                **_summary(entry, analysis),
                "group": name,
                "trials": len(entry.run.records),
                "left_out": left_out,
            }
    alone = {run.description.name: {"model": run.label, "group": None} for run in compared.alone}
    return found | alone


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
