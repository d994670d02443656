"""`mtsbench profile`: what a training step costs, and where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_dataset, complete_model, complete_preset

if TYPE_CHECKING:
    from rich.table import Table

    from mtsbench.engine.profiling import Profile
    from mtsbench.experiment import Experiment


def profile(
    model: Annotated[
        str,
        typer.Option(
            help="A deep model from `mtsbench list models`.", autocompletion=complete_model
        ),
    ],
    dataset: Annotated[
        str,
        typer.Option(help="Name from `mtsbench list datasets`.", autocompletion=complete_dataset),
    ],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder of the cohort; a simulated dataset needs none.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(help="auto, demo, standard or paper.", autocompletion=complete_preset),
    ] = "auto",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE as in `mtsbench run`.", metavar="KEY=VALUE"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:N].")] = "auto",
    warm_up: Annotated[int, typer.Option(help="Steps not timed.", min=0)] = 2,
    steps: Annotated[int, typer.Option(help="Steps timed.", min=1)] = 10,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of prepared cases.", envvar="MTSBENCH_CACHE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Time training steps of a model on a dataset, phase by phase, against the machine's limits."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from mtsbench.commands.run import default_cache
    from mtsbench.experiment import Request, resolve
    from mtsbench.machine import platform_versions
    from mtsbench.options import parse_assignments
    from mtsbench.plugins import load_components

    experiment = resolve(
        Request(
            model=model,
            dataset=dataset,
            data_root=data_root,
            preset=preset,
            device=device,
            settings=parse_assignments(settings or ()),
        ),
        load_components(),
    )
    found = _measure(experiment, cache or default_cache(), warm_up, steps)
    if as_json:
        name, share = found.limit()
        platform = dict(platform_versions())
        typer.echo(
            json.dumps(
                {**asdict(found), "limit": name, "share": share, "platform": platform}, indent=2
            )
        )
        return
    Console().print(_table(found, f"{model} on {dataset}, preset {experiment.preset}"))


def _measure(experiment: Experiment, cache_folder: Path, warm_up: int, steps: int) -> Profile:
    from rich.console import Console

    from mtsbench.data import LabelledCohort
    from mtsbench.engine.deep_model import DeepModel
    from mtsbench.engine.profiling import profile as measure
    from mtsbench.errors import OptionError
    from mtsbench.interfaces import FitContext
    from mtsbench.preprocessing import CaseCache, Preprocessing
    from mtsbench.progress import Progress
    from mtsbench.splits import make_splits

    model = experiment.new_model()
    if not isinstance(model, DeepModel):
        raise OptionError(
            f"model {experiment.model_name!r} is no composition that the engine trains, so it has "
            "no training step; profile a deep model"
        )
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    train = make_splits(outcomes, experiment.protocol, dataset.centres())[0].train
    cache = CaseCache(cache_folder, dataset, experiment.preprocessing)
    with Progress(Console(stderr=True)).preparing() as advance:
        requests = Preprocessing.requests(dataset, train, experiment.preprocessing)
        cache.prepare(requests, workers=os.cpu_count() or 1, progress=advance)
    fitted = Preprocessing.fit(cache, dataset, train, experiment.preprocessing)
    cohort = fitted.cohort(cache, dataset, train, role="train", with_mask=True)
    context = FitContext(
        seed=experiment.protocol.seeds[0],
        device=experiment.device,
        training=experiment.training,
        log=lambda epoch, values: None,
    )
    labelled = LabelledCohort(cohort=cohort, outcomes=outcomes.subset(train))
    return measure(model, labelled, context, warm_up=warm_up, steps=steps)


def _table(found: Profile, title: str) -> Table:
    from rich.table import Table

    table = Table(title=f"{title}: {found.steps} steps on {found.device}", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("of the step", justify="right")
    table.add_row("step", f"{found.step * 1e3:.1f} ms", f"± {found.spread * 1e3:.1f} ms (IQR)")
    for name, seconds in found.phases.items():
        table.add_row(f"  {name}", f"{seconds * 1e3:.1f} ms", f"{seconds / found.step:.0%}")
    table.add_section()
    limit, share = found.limit()
    rate, bandwidth = found.ceilings.matrix_rate / 1e9, found.ceilings.bandwidth / 1e9
    for name, value in {
        "cases a second, training": f"{found.volumes:.2f}",
        "inference a case": f"{found.inference * 1e3:.1f} ms",
        "peak memory": f"{found.memory:.0f} MiB",
        "parameters": f"{found.parameters:,}",
        "arithmetic a step": f"{found.work.flops / 1e9:.1f} GFLOP",
        "traffic a step": f"{found.work.bytes / 1e9:.2f} GB",
        "matrix rate of the machine": f"{rate:.0f} GFLOP/s",
        "copy bandwidth of the machine": f"{bandwidth:.1f} GB/s",
    }.items():
        table.add_row(name, value, "")
    table.add_row(f"share of the {limit} limit", f"{share:.0%}", "")
    return table
