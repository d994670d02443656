"""What a shell may put in place of the beginning of a word.

Completion runs while the user types: it imports no heavy package, and whatever goes wrong in a
plugin gives no names rather than a message between the words.
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from mtsbench.components import Kind

Candidates = list[tuple[str, str]]
PRESETS = {
    "auto": "standard with a CUDA device, else demo",
    "demo": "two CPU cores and minutes",
    "standard": "the published budget, the dataset's own geometry",
    "paper": "the published budget and geometry",
}


def complete_model(incomplete: str) -> Candidates:
    """Names of models that begin so, with their summaries."""
    return _components("model", incomplete)


def complete_dataset(incomplete: str) -> Candidates:
    """Names of datasets that begin so, with their summaries."""
    return _components("dataset", incomplete)


def complete_tracker(incomplete: str) -> Candidates:
    """Names of trackers that begin so, with their summaries."""
    return _components("tracker", incomplete)


def complete_executor(incomplete: str) -> Candidates:
    """Names of executors that begin so, with their summaries."""
    return _components("executor", incomplete)


def complete_preset(incomplete: str) -> Candidates:
    """Presets that begin so."""
    return [one for one in PRESETS.items() if one[0].startswith(incomplete)]


def complete_run(context: typer.Context, incomplete: str) -> Candidates:
    """Names of runs in `--out` that begin so, without those that stand on the line already."""
    from mtsbench.run_folders import find_runs

    out = Path(context.params.get("out") or "runs")
    named = context.params.get("names") or ()
    return [
        (folder.name, "")
        for folder in find_runs(out)
        if folder.name.startswith(incomplete) and folder.name not in named
    ]


def _components(kind: Kind, incomplete: str) -> Candidates:
    from mtsbench.plugins import load_components

    # A plugin that prints while it is imported would write between the user's words.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        found = load_components(strict=False).all(kind)
    return [
        (one.component.name, one.component.summary)
        for one in found
        if one.component.name.startswith(incomplete)
    ]
