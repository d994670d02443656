"""A trial for practice, which the conformance kit gives an executor.

It lies here and not in the kit because every process that runs it imports this module: the kit
would bring torch along.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

SECONDS = 0.05  # so that two at once overlap


@dataclass(frozen=True)
class PracticeTrial:
    """Leaves a file of one line for each time it is run: process, from when, until when.

    Raises:
        RuntimeError: It is one that fails.
    """

    file: Path
    fails: bool = False

    def __call__(self) -> None:
        """Take a moment, and leave the line."""
        start = time.monotonic()
        time.sleep(SECONDS)
        with self.file.open("a") as file:
            file.write(f"{os.getpid()} {start} {time.monotonic()}\n")
        if self.fails:
            raise RuntimeError("this trial of the conformance kit fails on purpose")
