"""Trials side by side in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from mtsbench.errors import one_line
from mtsbench.events import TrialEvent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

POLL_SECONDS, END_SECONDS = 0.2, 10.0
_heard_by: Connection | None = None  # of this worker process, set once when it starts


class LocalProcesses:
    """Runs trials in processes that share nothing, each with its part of the processors.

    A process that dies takes its own trial with it and no other: a new one does the trials that
    are left. A step of DeepMTS on 32^3 voxels takes 0.77 s on one thread and 0.44 s on two, so on
    two quiet processors this gains little; beside other programs threads that wait for each other
    lose much more. A trial's last bits depend on its number of threads, which its record tells.

    Args:
        jobs: Processes at once.
        threads: torch threads of each.
    """

    def __init__(self, *, jobs: int, threads: int) -> None:
        self.jobs = jobs
        self.threads = threads

    def map(
        self, trials: Sequence[Callable[[], None]], report: Callable[[TrialEvent], None]
    ) -> tuple[str | None, ...]:
        """Run every trial; one that fails or whose process dies does not stop the others.

        Args:
            trials: Picklable.
            report: Called in this process with what `send` was given in the others.

        Returns:
            For each trial why it ended before its end; None where it did not.
        """
        ends: list[str | None] = [None] * len(trials)
        waiting = list(reversed(range(len(trials))))
        workers = list[_Worker]()
        try:
            while waiting or _busy(workers):
                while len(workers) < min(self.jobs, len(_busy(workers)) + len(waiting)):
                    workers.append(_start(self.threads))
                for one in workers:
                    if one.trial is None and waiting:
                        number = waiting.pop()
                        one.begin(number, trials[number])
                busy = _busy(workers)
                ready = wait([one.connection for one in busy])
                for one in [one for one in busy if one.connection in ready]:
                    if not _hear(one, report, ends):
                        workers.remove(one)
                        one.end()
        finally:
            # What is under way would go on for minutes after an interrupt.
            for one in _busy(workers):
                one.process.terminate()
            for one in workers:
                one.end()
        return tuple(ends)


@dataclass(frozen=True)
class _Ended:
    """The last word of a process about a trial."""

    error: str | None


@dataclass
class _Worker:
    """A process, and the number of the trial that it is at."""

    process: SpawnProcess
    connection: Connection
    trial: int | None = None

    def begin(self, number: int, trial: Callable[[], None]) -> None:
        self.trial = number
        with suppress(OSError):  # it is dead, which is heard next
            self.connection.send(trial)

    def end(self) -> None:
        self.connection.close()
        self.process.join(END_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def send(event: TrialEvent) -> None:
    """From inside a trial: tell the process that waits for it."""
    if _heard_by is not None:
        _say(_heard_by, event)


def threads_for(jobs: int, processors: int) -> int:
    """Threads of each of `jobs` trials; the same however many are left to do."""
    return max(1, processors // jobs)


def _busy(workers: Sequence[_Worker]) -> list[_Worker]:
    return [one for one in workers if one.trial is not None]


def _start(threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, threads))
    process.start()
    theirs.close()  # or its end would not be heard
    return _Worker(process=process, connection=ours)


def _hear(worker: _Worker, report: Callable[[TrialEvent], None], ends: list[str | None]) -> bool:
    """Take one word of a process; whether it lives."""
    assert worker.trial is not None  # who has nothing to do has ended
    try:
        said = worker.connection.recv()
    except (EOFError, OSError):
        ends[worker.trial] = _death(worker.process)
        return False
    if isinstance(said, _Ended):
        ends[worker.trial], worker.trial = said.error, None
    else:
        report(said)
    return True


def _death(process: SpawnProcess) -> str:
    process.join(END_SECONDS)
    code = process.exitcode
    if code is None or code >= 0:
        return f"its process ended with exit code {code}; the same command tries the trial again"
    advice = ""
    if -code == signal.SIGKILL:
        advice = ", as the system does when memory is short; use fewer --jobs or a smaller batch"
    return (
        f"its process was killed by signal {-code} ({signal.Signals(-code).name}){advice}; the "
        "same command tries the trial again"
    )


def _work(connection: Connection, threads: int) -> None:
    """Do trials until there are no more."""
    global _heard_by
    _heard_by = connection
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    import torch

    torch.set_num_threads(threads)
    while True:
        error = None
        try:
            trial = connection.recv()
            trial()
        except EOFError:
            return
        except Exception as raised:
            error = one_line(raised)
        _say(connection, _Ended(error))


def _say(connection: Connection, word: TrialEvent | _Ended) -> None:
    try:
        connection.send(word)
    except OSError:
        os._exit(1)  # nobody waits any more; nothing of the trial may be written


def _end_with(parent: int) -> None:
    """A trial whose run was killed must not write beside the run that continues it."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)
