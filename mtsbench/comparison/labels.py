"""What each run of a comparison is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from mtsbench.options import format_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtsbench.comparison.comparable import FinishedRun

SPACES = {"options": "", "training": "training.", "preprocessing": "preprocessing."}
DEFAULT = "default"
LONGEST = 60  # characters of settings beyond which a hash reads better


def row_labels(runs: Sequence[FinishedRun]) -> list[str]:
    """The names of the runs, and where one was given the true mask."""
    return [marked(name, run) for name, run in zip(run_names(runs), runs, strict=True)]


def marked(name: str, run: FinishedRun) -> str:
    """The run's name, and where it was given the true mask."""
    given = run.description.method["needs_mask_at_test"]
    return f"{name} (given the true mask)" if given else name


def run_names(runs: Sequence[FinishedRun]) -> list[str]:
    """A name for each run: its model, and what tells it from other runs of this model.

    That is the settings in which runs of one model differ, so that the same variant is called the
    same on every dataset; or, where these are equal or too long, the hash that ends a run's name.
    """
    apart = {
        model: _apart([run for run in runs if run.label == model])
        for model in {run.label for run in runs}
    }
    return [f"{run.label} {apart[run.label][run.description.name]}".rstrip() for run in runs]


def _apart(runs: Sequence[FinishedRun]) -> dict[str, str]:
    """What tells runs of one model apart, by the run's name."""
    if len(runs) == 1:
        return {runs[0].description.name: ""}
    settings = {run.description.name: _settings(run) for run in runs}
    names = dict.fromkeys(name for one in settings.values() for name in one)
    differing = [
        name for name in names if len({one.get(name, DEFAULT) for one in settings.values()}) > 1
    ]
    texts = {
        run: ", ".join(f"{name}={one.get(name, DEFAULT)}" for name in differing)
        for run, one in settings.items()
    }
    clear = len(set(texts.values())) == len(runs) and max(map(len, texts.values())) <= LONGEST
    return texts if clear else {run: run.rpartition("-")[2] for run in settings}


def _settings(run: FinishedRun) -> dict[str, str]:
    """What the user may set, as `--set` takes it; a setting at a later default may be missing."""
    method = run.description.method
    return {
        f"{prefix}{name}": format_value(value)
        for space, prefix in SPACES.items()
        for name, value in cast("Mapping[str, object]", method.get(space, {})).items()
    }
