"""Stops a check that takes longer than the time that is left."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeIsUp(BaseException):
    """Raised inside a check; no Exception, so that a model that catches those cannot hold on."""


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp in the block after this many seconds.

    Outside the main thread, and where the system has no timer signal, the block runs to its end.
    """
    can_stop = hasattr(signal, "setitimer") and (
        threading.current_thread() is threading.main_thread()
    )
    if not can_stop or seconds == float("inf"):
        yield
        return
    start = time.monotonic()
    earlier_handler = signal.signal(signal.SIGALRM, _stop)
    earlier_delay, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier_handler)
        if earlier_delay:
            left = max(earlier_delay - (time.monotonic() - start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeIsUp
