"""`mtsbench run`: train and test one model on one dataset, or all of an experiment file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtsbench.commands.completion import (
    complete_dataset,
    complete_executor,
    complete_model,
    complete_preset,
    complete_tracker,
)

if TYPE_CHECKING:
    from mtsbench.experiment import Request
    from mtsbench.plan import PlannedRun
    from mtsbench.plugins import Components
    from mtsbench.runner import RunOptions

# What a file says and the command line may not say again.
ASKED = (
    *("model", "dataset", "data_root", "endpoint", "preset"),
    *("folds", "repeats", "validation_share", "seeds", "settings"),
)

SeedText = Annotated[
    str | None, typer.Option("--seeds", help="Training seeds, e.g. 0,1,2.", metavar="N,N,...")
]


def run(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Experiment file in TOML, instead of --model etc."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Name from `mtsbench list models`.", autocompletion=complete_model),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Name from `mtsbench list datasets`.", autocompletion=complete_dataset),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Folder of the cohort; a simulated dataset needs none.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="pfs, rfs, os, ...; default: the dataset's first.")
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            help="demo, standard or paper; auto = standard with CUDA, else demo.",
            autocompletion=complete_preset,
        ),
    ] = "auto",
    folds: Annotated[int | None, typer.Option(help="Default 3 for demo, else 5.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Default 1 for demo, else 3.")] = None,
    validation_share: Annotated[
        float | None,
        typer.Option(help="Part of the cases outside a test fold that validates; default 0.2."),
    ] = None,
    seeds: SeedText = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="KEY=VALUE, KEY as in `mtsbench show`.", metavar="KEY=VALUE"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:N].")] = "auto",
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = Path("runs"),
    cache: Annotated[
        Path | None, typer.Option(help="Folder of prepared cases.", envvar="MTSBENCH_CACHE")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Cases prepared or scored at once; default: all processors.", min=1),
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Trials at once, each in a process with its threads.", min=1)
    ] = 1,
    executor: Annotated[
        str | None,
        typer.Option(
            help="Who carries out the trials, from `mtsbench list executors`.",
            autocompletion=complete_executor,
        ),
    ] = None,
    case_memory: Annotated[
        int | None,
        typer.Option(help="MiB of cases kept on the device; default: by what is free.", min=0),
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(
            "--track",
            help="Name from `mtsbench list trackers`; repeatable.",
            autocompletion=complete_tracker,
        ),
    ] = None,
    save_masks: Annotated[
        bool,
        typer.Option("--save-masks", help="Write predicted masks as NIfTI on each patient's grid."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all, show the trials to come, write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Scores as JSON on stdout.")] = False,
) -> None:
    """Train and test a model on every fold, or all models of a file; run again to continue."""
    from rich.console import Console

    from mtsbench.executors.chosen import NAMESPACE as EXECUTOR
    from mtsbench.experiment import Request
    from mtsbench.options import parse_assignments, split_settings
    from mtsbench.progress import Progress
    from mtsbench.runner import RunOptions
    from mtsbench.tracking import NAMESPACE as TRACKER

    for_trackers, others = split_settings(parse_assignments(settings or ()), TRACKER)
    for_executor, others = split_settings(others, EXECUTOR)
    options = RunOptions(
        cache_folder=cache or default_cache(),
        workers=workers or os.cpu_count() or 1,
        save_masks=save_masks,
        progress=Progress(Console(stderr=True)),
        jobs=jobs,
        case_memory=case_memory,
    )
    if file is None:
        request = Request(
            model=_needed("--model", model),
            dataset=_needed("--dataset", dataset),
            data_root=data_root,
            endpoint=endpoint,
            preset=preset,
            folds=folds,
            repeats=repeats,
            validation_share=validation_share,
            seeds=parse_seeds(seeds),
            device=device,
            settings=others,
        )
        wanted = _Wanted(
            requests=(request,),
            out=out,
            options=options,
            track=track or (),
            tracking=for_trackers,
            executor=executor,
            executing=for_executor,
        )
    else:
        wanted = _from_file(file, _given(context), device, out, options)
        wanted = replace(wanted, track=(*wanted.track, *(track or ())))
        if executor is not None:
            wanted = replace(wanted, executor=executor, executing={})
    if dry_run:
        _show_plan(wanted, as_json=as_json)
    else:
        _carry_out(wanted, debug=context.obj.debug, as_json=as_json)


def parse_seeds(text: str | None) -> tuple[int, ...] | None:
    """`0,1,2` to (0, 1, 2). OptionError for anything else."""
    from mtsbench.errors import OptionError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"seeds must be whole numbers like 0,1,2, got {text!r}") from None


def default_cache() -> Path:
    """The user's cache folder, as XDG has it."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mtsbench"


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What is to be run and how, from the command line alone or from a file.

    Attributes:
        track: Names of trackers.
        tracking: Their options, as NAME.OPTION.
        executor: A name.
        executing: Its options.
    """

    requests: tuple[Request, ...]
    out: Path
    options: RunOptions
    track: Sequence[str]
    tracking: Mapping[str, str]
    executor: str | None
    executing: Mapping[str, str]
    file: Path | None = None


def _needed(option: str, value: str | None) -> str:
    from mtsbench.errors import OptionError

    if value is None:
        raise OptionError(
            f"{option} is missing: `mtsbench run --model NAME --dataset NAME` runs one model, "
            "`mtsbench run FILE` an experiment file"
        )
    return value


def _given(context: typer.Context) -> set[str]:
    """Parameters that stand on the command line, by their names in `run`."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def _from_file(
    file: Path, given: Collection[str], device: str, out: Path, options: RunOptions
) -> _Wanted:
    """What the file asks for; device, jobs and out of the command line go before those in it."""
    from mtsbench.errors import OptionError
    from mtsbench.experiment_file import below, read_experiment_file

    wanted = read_experiment_file(file)
    both = [f"--{name.replace('_', '-')}" for name in ASKED if name in given]
    both = ["--set" if name == "--settings" else name for name in both]
    if both:
        raise OptionError(
            f"{file} says what is run, so {', '.join(both)} cannot stand beside it; change the "
            "file, or run one model without a file"
        )
    requests = wanted.requests(file)
    if "device" in given:
        requests = tuple(replace(one, device=device) for one in requests)
    return _Wanted(
        requests=requests,
        out=out if wanted.out is None or "out" in given else below(file, wanted.out),
        options=replace(
            options,
            jobs=options.jobs if "jobs" in given else wanted.jobs,
            save_masks=options.save_masks or wanted.save_masks,
        ),
        track=[one.name for one in wanted.trackers],
        tracking={
            f"{one.name}.{name}": value
            for one in wanted.trackers
            for name, value in one.options.items()
        },
        executor=wanted.executor.name if wanted.executor else None,
        executing=wanted.executor.options if wanted.executor else {},
        file=file,
    )


def _plan(wanted: _Wanted, components: Components) -> list[PlannedRun]:
    from mtsbench.plan import plan_file, plan_run

    if wanted.file is None:
        return [plan_run(one, components, wanted.out) for one in wanted.requests]
    return plan_file(wanted.requests, components, wanted.out, wanted.file)


def _show_plan(wanted: _Wanted, *, as_json: bool) -> None:
    from mtsbench.commands.dry_run import show_plan
    from mtsbench.executors.chosen import check_executor
    from mtsbench.listing import warn
    from mtsbench.plugins import load_components
    from mtsbench.tracking import check_trackers

    components, options = load_components(), wanted.options
    warn(components)
    check_trackers(components, wanted.track, wanted.tracking)
    check_executor(components, wanted.executor, wanted.executing, options.jobs)
    planned = _plan(wanted, components)
    show_plan(planned, wanted.out, options.cache_folder, options.jobs, as_json=as_json)


def _carry_out(wanted: _Wanted, *, debug: bool, as_json: bool) -> None:
    """Do what is not done yet and show it."""
    from mtsbench.carry_out import carry_out, carry_out_all
    from mtsbench.commands.carried_out import show_all, show_one
    from mtsbench.executors.chosen import build_executor
    from mtsbench.listing import warn
    from mtsbench.metrics.catalogue import build_metrics
    from mtsbench.plugins import load_components
    from mtsbench.tracking import build_trackers

    components, options = load_components(), wanted.options
    warn(components)
    planned, metrics = _plan(wanted, components), build_metrics(components)
    executor = build_executor(components, wanted.executor, wanted.executing, options.jobs)
    trackers = build_trackers(
        components, wanted.track, wanted.tracking, wanted.out, options.progress.warn
    )
    options = replace(options, trackers=trackers, executor=executor)
    with trackers:
        if wanted.file is None:
            done = [carry_out(planned[0], metrics, options)]
        else:
            done = carry_out_all(planned, metrics, options)
    if wanted.file is None:
        show_one(done[0], as_json=as_json)
    else:
        show_all(done, debug=debug, as_json=as_json)
