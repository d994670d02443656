"""`mtsbench audit`: whether anything of the test cases reaches a model before it is tested."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_dataset, complete_model, complete_preset

if TYPE_CHECKING:
    from mtsbench.audit.findings import Finding
    from mtsbench.experiment import Experiment

LEAKS = 3


def audit(
    model: Annotated[
        str,
        typer.Option(help="Name from `mtsbench list models`.", autocompletion=complete_model),
    ],
    dataset: Annotated[
        str,
        typer.Option(help="Name from `mtsbench list datasets`.", autocompletion=complete_dataset),
    ],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder of the cohort; a simulated dataset needs none.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="pfs, rfs, os, ...; default: the dataset's first.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="Budget of a fit: demo, standard or paper.", autocompletion=complete_preset
        ),
    ] = "demo",
    folds: Annotated[int | None, typer.Option(help="Default 3 for demo, else 5.")] = None,
    permutations: Annotated[
        int | None,
        typer.Option(help="Of the outcomes, fitted on each fold; 10, for networks 1.", min=1),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE as in `mtsbench run`.", metavar="KEY=VALUE"),
    ] = None,
    device: Annotated[
        str, typer.Option(help="cpu, where fits with one seed are equal, auto or cuda[:N].")
    ] = "cpu",
    cache: Annotated[
        Path | None, typer.Option(help="Folder of prepared cases.", envvar="MTSBENCH_CACHE")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Cases read at once; default: all processors.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on stdout.")] = False,
) -> None:
    """Look for leaks from test cases into training; exit code 3 if a check does not pass."""
    import json

    from rich.console import Console

    from mtsbench.audit.findings import all_passed, audit_table, findings_json, summary
    from mtsbench.commands.run import default_cache
    from mtsbench.experiment import Request, resolve
    from mtsbench.listing import warn
    from mtsbench.options import parse_assignments
    from mtsbench.plugins import load_components

    request = Request(
        model=model,
        dataset=dataset,
        data_root=data_root,
        endpoint=endpoint,
        preset=preset,
        folds=folds,
        device=device,
        settings=parse_assignments(settings or ()),
    )
    components = load_components()
    warn(components)
    experiment = resolve(request, components)
    findings = _carry_out(
        experiment, cache or default_cache(), workers or os.cpu_count() or 1, permutations
    )
    if as_json:
        facts = {"model": model, "dataset": dataset, "endpoint": experiment.endpoint}
        typer.echo(json.dumps({**facts, **findings_json(findings)}, indent=2))
    else:
        title = f"{model} on {dataset} · {experiment.endpoint} · preset {experiment.preset}"
        console = Console()
        console.print(audit_table(title, findings))
        console.print(summary(findings), highlight=False)
    if not all_passed(findings):
        raise typer.Exit(LEAKS)


def _carry_out(
    experiment: Experiment, cache_folder: Path, workers: int, permutations: int | None
) -> list[Finding]:
    """Every finding; each is told on stderr when it is there."""
    from rich.console import Console

    from mtsbench.audit.leakage import AuditOptions, audit

    console = Console(stderr=True)
    findings = []
    with console.status("beginning") as status:
        options = AuditOptions(
            cache_folder=cache_folder,
            workers=workers,
            permutations=permutations,
            watch=status.update,
        )
        for finding in audit(experiment, options):
            console.print(f"{finding.check}: {finding.status}", highlight=False)
            findings.append(finding)
    return findings
