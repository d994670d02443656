"""What every part of the day shares: what was asked for, the clock, and the file of findings."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch


@dataclass(frozen=True, kw_only=True)
class Day:
    """What one process of the day was asked for.

    Attributes:
        device: torch device.
        size: Voxels along each axis.
        steps: Repetitions of each timing.
        results: File that gets one JSON line for each finding.
        names: What the part is to be done for; empty is the part's own choice.
    """

    device: str
    size: int
    steps: int
    results: Path
    names: tuple[str, ...] = ()

    @property
    def cuda(self) -> bool:
        """Whether there is a GPU to measure."""
        return self.device.startswith("cuda")

    def wait(self) -> None:
        """Until the device has done all that it was given."""
        if self.cuda:
            torch.cuda.synchronize()

    def median_ms(self, action: Callable[[], object], repeats: int, warm_up: int = 3) -> float:
        """Median of single repetitions in milliseconds, by events on a GPU."""
        for _ in range(warm_up):
            action()
        self.wait()
        once = self._by_events if self.cuda else _by_clock
        return float(np.median([once(action) for _ in range(repeats)]))

    def keep(self, part: str, found: Mapping[str, object]) -> None:
        """Print a finding and add it to the file."""
        line = json.dumps({"part": part, **found})
        print(line, flush=True)
        with self.results.open("a") as file:
            file.write(line + "\n")

    @staticmethod
    def _by_events(action: Callable[[], object]) -> float:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        action()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end))


def _by_clock(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3
