"""`mtsbench profile`: what a training step costs, and where."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import complete_dataset, complete_model, complete_preset

if TYPE_CHECKING:
    from rich.table import Table

    from mtsbench.data import Outcomes
    from mtsbench.engine.profiling import Profile
    from mtsbench.experiment import Experiment
    from mtsbench.splits import Split
    from mtsbench.store import RunStore


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
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of runs; keeps the profile in this model's run for `compare`."),
    ] = None,
    case_memory: Annotated[
        int | None,
        typer.Option(help="MiB of cases kept on the device; default: by what is free.", min=0),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Time training steps of a model on a dataset, phase by phase, against the machine's limits."""
    from rich.console import Console

    from mtsbench.commands.run import default_cache
    from mtsbench.experiment import Request, resolve
    from mtsbench.machine import platform_versions
    from mtsbench.options import parse_assignments
    from mtsbench.plugins import load_components
    from mtsbench.projection import project
    from mtsbench.splits import make_splits

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
    outcomes = experiment.dataset.outcomes(experiment.endpoint)
    splits = make_splits(outcomes, experiment.protocol, experiment.dataset.centres())
    store = None if out is None else _run_of(experiment, outcomes, splits, out)
    setting = _Setting(
        experiment=experiment,
        outcomes=outcomes,
        train=splits[0].train,
        cache_folder=cache or default_cache(),
        case_memory=case_memory,
    )
    found = _measure(setting, warm_up, steps)
    projection = project(
        splits,
        len(experiment.protocol.seeds),
        experiment.training,
        step=found.step,
        spread=found.spread,
        inference=found.inference,
    )
    record = found.record(platform_versions(), projection)
    if store is not None:
        store.save_profile(record)
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
        return
    table = _table(found, f"{model} on {dataset}, preset {experiment.preset}")
    table.add_section()
    table.add_row(
        f"whole run: {projection.trials} trials, {projection.steps:,} steps",
        f"{projection.seconds / 60:.1f} min",
        f"{projection.low / 60:.1f} to {projection.high / 60:.1f} min",
    )
    Console().print(table)


@dataclass(frozen=True, kw_only=True)
class _Setting:
    experiment: Experiment
    outcomes: Outcomes
    train: Sequence[str]
    cache_folder: Path
    case_memory: int | None


def _run_of(
    experiment: Experiment, outcomes: Outcomes, splits: Sequence[Split], out: Path
) -> RunStore:
    """Where this very experiment has been run. DataError before anything is measured, if not."""
    from mtsbench.bookkeeping import describe_run
    from mtsbench.errors import DataError
    from mtsbench.store import RunStore

    store = RunStore(out / describe_run(experiment, outcomes, splits).name)
    if not store.folder.is_dir():
        raise DataError(
            f"{store.folder} does not exist: a profile is kept with the run of the same model, "
            "dataset, preset and settings; run it first, or leave --out away"
        )
    return store


def _measure(setting: _Setting, warm_up: int, steps: int) -> Profile:
    from rich.console import Console

    from mtsbench.data import LabelledCohort
    from mtsbench.engine.deep_model import DeepModel
    from mtsbench.engine.profiling import profile as measure
    from mtsbench.errors import OptionError
    from mtsbench.interfaces import FitContext
    from mtsbench.preprocessing import CaseCache, Preprocessing
    from mtsbench.progress import Progress

    experiment, train = setting.experiment, setting.train
    model = experiment.new_model()
    if not isinstance(model, DeepModel):
        raise OptionError(
            f"model {experiment.model_name!r} is no composition that the engine trains, so it has "
            "no training step; profile a deep model"
        )
    dataset = experiment.dataset
    cache = CaseCache(setting.cache_folder, dataset, experiment.preprocessing)
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
        case_memory=setting.case_memory,
    )
    labelled = LabelledCohort(cohort=cohort, outcomes=setting.outcomes.subset(train))
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
    if found.energy is not None:
        table.add_row("energy a step", f"{found.energy:.1f} J", "")
    return table
