"""Trials side by side in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from typing import TYPE_CHECKING

from mtsbench.errors import MtsbenchError

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from mtsbench.events import TrialEvent

    Events = Queue[TrialEvent]

POLL_SECONDS = 0.2
_events: Events | None = None  # of this worker process, set once when it starts


class LocalProcesses:
    """Runs trials in processes that share nothing, each with its part of the processors.

    A step of DeepMTS on 32^3 voxels takes 0.77 s on one thread and 0.44 s on two, so on two quiet
    processors this gains little; beside other programs threads that wait for each other lose much
    more. A trial's last bits depend on its number of threads, which its record tells.

    Args:
        jobs: Processes at once.
        threads: torch threads of each.
    """

    def __init__(self, *, jobs: int, threads: int) -> None:
        self.jobs = jobs
        self.threads = threads

    def map(
        self, trials: Sequence[Callable[[], None]], report: Callable[[TrialEvent], None]
    ) -> None:
        """Run every trial; one that fails reports it and does not stop the others.

        Args:
            trials: Picklable.
            report: Called in this process with what `send` was given in the others.

        Raises:
            MtsbenchError: A process died, for want of memory or by a signal.
        """
        if not trials:
            return
        context = multiprocessing.get_context("spawn")
        events: Events = context.Queue()
        with ProcessPoolExecutor(
            min(self.jobs, len(trials)),
            mp_context=context,
            initializer=_begin,
            initargs=(events, self.threads),
        ) as pool:
            pending: set[Future[None]] = {pool.submit(trial) for trial in trials}
            try:
                while pending:
                    _pass_on(events, report)
                    done, pending = wait(pending, timeout=0)
                    for one in done:
                        _check(one)
                # A process ends only when all it said is heard: joined before, neither would end.
                processes = list(pool._processes.values())
                pool.shutdown(wait=False)
                while any(process.is_alive() for process in processes):
                    _pass_on(events, report)
            except BaseException:
                # What is under way would go on for minutes after an interrupt.
                for process in list((pool._processes or {}).values()):
                    process.terminate()
                pool.shutdown(cancel_futures=True)
                raise
        while not events.empty():
            report(events.get())


def send(event: TrialEvent) -> None:
    """From inside a trial: tell the process that waits for it."""
    if _events is not None:
        _events.put(event)


def threads_for(jobs: int, processors: int) -> int:
    """Threads of each of `jobs` trials; the same however many are left to do."""
    return max(1, processors // jobs)


def _begin(events: Events, threads: int) -> None:
    global _events
    _events = events
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import torch

    torch.set_num_threads(threads)


def _end_with(parent: int) -> None:
    """A trial whose run was killed must not write beside the run that continues it."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


def _pass_on(events: Events, report: Callable[[TrialEvent], None]) -> None:
    try:
        report(events.get(timeout=POLL_SECONDS))
    except queue.Empty:
        return


def _check(done: Future[None]) -> None:
    error = done.exception()
    if error is None:
        return
    if isinstance(error, MtsbenchError):
        raise error
    raise MtsbenchError(
        f"a process of a trial ended without a result ({type(error).__name__}: {error}); finished "
        "trials are kept: run the same command again, with --jobs 1 if memory was short"
    ) from error
