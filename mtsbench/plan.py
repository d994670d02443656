"""What a request will do: its splits, its folder, and how many of its trials are done already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.bookkeeping import describe_run
from mtsbench.errors import DamagedFileError, MtsbenchError, OptionError
from mtsbench.experiment import resolve
from mtsbench.fold_sizes import FoldSize, fold_sizes, plan_splits, small_fold_warnings
from mtsbench.masks_needed import check_masks
from mtsbench.store import RunStore
from mtsbench.time_unit import time_unit_warnings

if TYPE_CHECKING:
    from mtsbench.experiment import Experiment, Request
    from mtsbench.plugins import Components
    from mtsbench.records import RunDescription
    from mtsbench.splits import Split


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run that can begin: everything in it is checked, and nothing is written.

    Attributes:
        done: Trials that an earlier run has finished and that are not damaged.
        folds: What the parts of every split hold.
        warnings: What the user should know before anything is trained.
    """

    request: Request
    experiment: Experiment
    splits: tuple[Split, ...]
    description: RunDescription
    store: RunStore
    done: int
    folds: tuple[FoldSize, ...]
    warnings: tuple[str, ...]

    @property
    def label(self) -> str:
        """`deepmts on npc`."""
        return f"{self.request.model} on {self.request.dataset}"

    @property
    def todo(self) -> int:
        """Trials to come; a failed one is tried again."""
        return self.description.trials - self.done


def plan_run(request: Request, components: Components, out: Path) -> PlannedRun:
    """Resolve a request and look up what is done.

    Args:
        request: What the user asked for.
        components: What is installed.
        out: Folder of all runs.

    Raises:
        UnknownComponentError, OptionError: See `resolve`.
        DataError: The cohort cannot be used or split, a part of a fold is too small for the model,
            a mask that it needs is missing, or the run's folder holds another run.
    """
    experiment = resolve(request, components)
    outcomes = experiment.dataset.outcomes(experiment.endpoint)
    check_masks(experiment, outcomes)
    splits = plan_splits(experiment, outcomes)
    sizes = fold_sizes(splits, outcomes)
    description = describe_run(experiment, outcomes, splits)
    store = RunStore(out / description.name)
    store.begun(description)  # or it raises
    trials = ((split, seed) for split in splits for seed in experiment.protocol.seeds)
    done = sum(_is_done(store, experiment.key(*trial)) for trial in trials)
    return PlannedRun(
        request=request,
        experiment=experiment,
        splits=splits,
        description=description,
        store=store,
        done=done,
        folds=sizes,
        warnings=(
            *time_unit_warnings(outcomes),
            *small_fold_warnings(experiment, outcomes, sizes),
        ),
    )


def _is_done(store: RunStore, key: str) -> bool:
    try:
        return store.finished(key, whole=False) is not None
    except DamagedFileError:
        return False


def plan_file(
    requests: Sequence[Request], components: Components, out: Path, path: Path
) -> list[PlannedRun]:
    """Plan every run of an experiment file: a mistake in the last is found before the first.

    Args:
        requests: Of the file.
        components: What is installed.
        out: Folder of all runs.
        path: Of the file, for messages.

    Raises:
        MtsbenchError: See `plan_run`; the message names file, model and dataset.
        OptionError: Two entries come to the same run.
    """
    planned: dict[str, PlannedRun] = {}
    for request in requests:
        pair = f"model {request.model!r} on dataset {request.dataset!r}"
        try:
            one = plan_run(request, components, out)
        except MtsbenchError as error:
            error.args = (f"{path}: {pair}: {error}",)
            raise
        if one.description.name in planned:
            raise OptionError(
                f"{path}: {pair} comes twice with the same settings; take one of the entries out"
            )
        planned[one.description.name] = one
    return list(planned.values())
