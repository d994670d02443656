"""`mtsbench run`: train and test one model on one dataset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.experiment import Request
    from mtsbench.runner import RunOptions

SeedText = Annotated[
    str | None, typer.Option("--seeds", help="Training seeds, e.g. 0,1,2.", metavar="N,N,...")
]


def run(
    model: Annotated[str, typer.Option(help="Name from `mtsbench list models`.")],
    dataset: Annotated[str, typer.Option(help="Name from `mtsbench list datasets`.")],
    data_root: Annotated[
        Path | None, typer.Option(help="Folder of the cohort; a simulated dataset needs none.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="pfs, rfs, os, ...; default: the dataset's first.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="demo, standard or paper; auto = standard with CUDA, else demo.")
    ] = "auto",
    folds: Annotated[int | None, typer.Option(help="Default 3 for demo, else 5.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Shuffles of the folds; default 1.")] = None,
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
        int | None, typer.Option(help="Cases prepared at once; default: all processors.", min=1)
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Trials at once, each in a process with its threads.", min=1)
    ] = 1,
    save_masks: Annotated[
        bool, typer.Option(help="Write predicted masks as NIfTI in each patient's geometry.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Scores as JSON on stdout.")] = False,
) -> None:
    """Train and test a model on every fold; the same command continues a run that was cut off."""
    from rich.console import Console

    from mtsbench.experiment import Request
    from mtsbench.options import parse_assignments
    from mtsbench.progress import Progress
    from mtsbench.runner import RunOptions

    request = Request(
        model=model,
        dataset=dataset,
        data_root=data_root,
        endpoint=endpoint,
        preset=preset,
        folds=folds,
        repeats=repeats,
        seeds=parse_seeds(seeds),
        device=device,
        settings=parse_assignments(settings or ()),
    )
    options = RunOptions(
        cache_folder=cache or default_cache(),
        workers=workers or os.cpu_count() or 1,
        save_masks=save_masks,
        progress=Progress(Console(stderr=True)),
        jobs=jobs,
    )
    _show(_carry_out(request, out, options), as_json=as_json)


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


def _carry_out(request: Request, out: Path, options: RunOptions) -> Path:
    """Resolve the request, do what is not done yet, and return the run's folder."""
    from mtsbench.bookkeeping import describe_run
    from mtsbench.experiment import resolve
    from mtsbench.listing import warn
    from mtsbench.metrics.catalogue import build_metrics
    from mtsbench.plugins import load_components
    from mtsbench.runner import run as run_trials
    from mtsbench.splits import make_splits
    from mtsbench.store import RunStore

    components = load_components()
    warn(components)
    experiment = resolve(request, components)
    outcomes = experiment.dataset.outcomes(experiment.endpoint)
    splits = make_splits(outcomes, experiment.protocol, experiment.dataset.centres())
    description = describe_run(experiment, outcomes, splits)
    options.progress.started(description, experiment.device)
    store = RunStore(out / description.name)
    run_trials(experiment, splits, build_metrics(components), store, options, request)
    return store.folder


def _show(folder: Path, *, as_json: bool) -> None:
    from rich.console import Console

    from mtsbench.comparison.comparable import read_run
    from mtsbench.report.run_page import write_run_page
    from mtsbench.report.tables import run_table
    from mtsbench.store import RunStore

    finished = read_run(RunStore(folder))
    page = write_run_page(finished, folder)
    if as_json:
        typer.echo(_json(finished, page))
    else:
        console = Console()
        console.print(run_table(finished))
        for failure in finished.failures:
            console.print(
                f"failed: repeat {failure.repeat} fold {failure.fold} seed {failure.seed}: "
                f"{failure.error}",
                markup=False,
                highlight=False,
            )
        console.print(f"report: {page}", highlight=False, soft_wrap=True)
    if finished.failures:
        raise typer.Exit(3)


def _json(run: FinishedRun, page: Path) -> str:
    import json

    return json.dumps(
        {
            "run": run.description.model_dump(mode="json"),
            "trials": [record.model_dump(mode="json") for record in run.records],
            "failures": [failure.model_dump(mode="json") for failure in run.failures],
            "report": str(page),
        },
        indent=2,
    )
