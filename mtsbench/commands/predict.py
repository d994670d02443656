"""`mtsbench predict`: a trained model on new patients."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mtsbench.commands.completion import complete_dataset

if TYPE_CHECKING:
    from mtsbench.interfaces import Dataset


def predict(
    checkpoint: Annotated[
        Path, typer.Option(help="Folder of a finished trial, runs/RUN/trials/KEY.")
    ],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder of the new patients; outcomes are not needed.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Default: the dataset the model was trained on.", autocompletion=complete_dataset
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Option of the dataset.", metavar="dataset.KEY=VALUE"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for risk.csv and masks/.")] = Path(
        "predictions"
    ),
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:N].")] = "auto",
    cache: Annotated[
        Path | None, typer.Option(help="Folder of prepared cases.", envvar="MTSBENCH_CACHE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Risks as JSON on stdout.")] = False,
) -> None:
    """Apply a trained model to new patients: a risk table and one mask per patient."""
    from rich.console import Console

    from mtsbench.commands.run import default_cache
    from mtsbench.engine.precision import choose_device
    from mtsbench.plugins import load_components
    from mtsbench.prediction import apply, read_trained
    from mtsbench.progress import Progress
    from mtsbench.report.tables import risk_table

    components = load_components()
    trained = read_trained(checkpoint, components, choose_device(device))
    name = dataset or str(trained.description.question["dataset"])
    patients = components.build("dataset", name, data_root, options=dataset_options(settings))
    table = apply(
        trained,
        cast("Dataset", patients),
        out,
        cache_folder=cache or default_cache(),
        workers=os.cpu_count() or 1,
        progress=Progress(Console(stderr=True)),
    )
    if as_json:
        typer.echo(table.to_json(orient="records", indent=2))
        return
    console = Console()
    console.print(risk_table(table))
    console.print(f"written: {out / 'risk.csv'}", highlight=False, soft_wrap=True)


def dataset_options(settings: list[str] | None) -> dict[str, str]:
    """`--set dataset.KEY=VALUE` as options of the dataset. OptionError for any other setting."""
    from mtsbench.errors import OptionError
    from mtsbench.experiment import by_namespace
    from mtsbench.options import parse_assignments

    spaces = by_namespace(parse_assignments(settings or ()))
    fixed = [name for space in ("model", "training", "preprocessing") for name in spaces[space]]
    if fixed:
        raise OptionError(
            f"{fixed[0]!r} was settled when the model was trained; predict sets options of the "
            "dataset only, as dataset.NAME=VALUE"
        )
    return spaces["dataset"]
