"""Repeats an action by the protocol and times every repetition."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.benchmark.records import Measurement

if TYPE_CHECKING:
    from mtsbench.benchmark.records import Protocol


def repeat(
    action: Callable[[], object], protocol: Protocol, wait: Callable[[], None] = lambda: None
) -> Measurement:
    """Time an action after its warm-up.

    Args:
        action: One repetition.
        protocol: How many.
        wait: Returns when all that the action asked of a device is done.
    """
    for _ in range(protocol.warm_up):
        action()
    wait()
    seconds = []
    for _ in range(protocol.steps):
        start = time.perf_counter()
        action()
        wait()
        seconds.append(time.perf_counter() - start)
    return summarise(seconds)


def summarise(seconds: Sequence[float]) -> Measurement:
    """Median and interquartile range."""
    first, median, third = (float(one) for one in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Measurement(median=median, spread=third - first)
