"""`mtsbench external`: frozen models on a cohort that none was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mtsbench.commands.completion import complete_dataset

if TYPE_CHECKING:
    from rich.table import Table

    from mtsbench.comparison.external import ExternalScore
    from mtsbench.data import Outcomes
    from mtsbench.interfaces import Dataset


def external(
    predictions: Annotated[
        list[Path], typer.Argument(help="Folders that `mtsbench predict --out` wrote.")
    ],
    dataset: Annotated[
        str,
        typer.Option(help="The external dataset, with outcomes.", autocompletion=complete_dataset),
    ],
    reference: Annotated[
        str, typer.Option(help="Name of the folder that the others are tested against.")
    ],
    data_root: Annotated[Path | None, typer.Option(help="Folder of the cohort.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="pfs, rfs, os, ...; default: the dataset's first.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Option of the dataset.", metavar="dataset.KEY=VALUE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Scores as JSON on stdout.")] = False,
) -> None:
    """Test frozen models on an external cohort by the jackknife contrast of their C-indices."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from mtsbench.commands.predict import dataset_options
    from mtsbench.comparison.external import compare_external, read_risks
    from mtsbench.experiment import choose_endpoint
    from mtsbench.plugins import load_components

    patients = cast(
        "Dataset",
        load_components().build("dataset", dataset, data_root, options=dataset_options(settings)),
    )
    outcomes = patients.outcomes(choose_endpoint(endpoint, patients, dataset))
    fingerprint = patients.fingerprint()
    risks = {folder.name: read_risks(folder, outcomes, fingerprint) for folder in predictions}
    found = compare_external(risks, outcomes, reference)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        simulated = " (SIMULATED)" if patients.simulated else ""
        console = Console()
        console.print(_table(found, f"{dataset}{simulated}", outcomes, reference))
        for one in found:
            for reason in one.undefined:
                console.print(f"{one.label}: {reason}", markup=False, highlight=False)


def _table(found: tuple[ExternalScore, ...], name: str, outcomes: Outcomes, first: str) -> Table:
    from rich.table import Table

    from mtsbench.report.numbers import interval_text, p_text

    events = int(outcomes.event.sum())
    table = Table(
        title=f"{name} · {outcomes.endpoint} · {len(outcomes)} patients, {events} events · "
        f"differences from {first}",
        title_justify="left",
    )
    table.add_column("model", overflow="fold")
    for column in ("C-index", "Uno's C", "difference", "p Holm", "detectable"):
        table.add_column(column, justify="right", overflow="fold")
    for one in found:
        test = one.test
        table.add_row(
            one.label,
            f"{one.c_index:.3f} {interval_text(one.interval)}",
            "–" if one.uno is None else f"{one.uno:.3f}",
            "–"
            if one.difference is None
            else f"{one.difference:+.3f} {interval_text(test.interval if test else None)}",
            "–" if one.adjusted_p is None else p_text(one.adjusted_p),
            "–" if one.detectable is None else f"{one.detectable:.2f}",
        )
    return table
