"""Files and trials of a run's folder, as the seed draws them."""

from __future__ import annotations

import random
from pathlib import Path


def any_file(run: Path, draw: random.Random) -> Path:
    """Any file of the run."""
    return draw.choice(sorted(path for path in run.rglob("*") if path.is_file()))


def trials(run: Path, draw: random.Random) -> list[Path]:
    """The folders of its trials, in drawn order."""
    found = sorted((run / "trials").iterdir())
    draw.shuffle(found)
    return found
