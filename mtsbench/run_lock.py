"""One process at a time carries out a run; another that wants the same one waits for it.

Two things say that a run is held. A lock of the operating system on `.lock` (`flock`) decides
between processes of one machine: the system lets go of it when its process ends, however it ends.
Not every network file system passes it on to other machines, so `.holder.json` says who holds the
run, and its holder touches that file every `BEAT_SECONDS`. A note of another machine that was not
touched for `STALE_SECONDS` is of a process that is no more.

The lock saves work and is not what keeps results right: trials are put in place whole, and where
two processes finish the same trial, the first one counts.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pydantic

from mtsbench.errors import DataError

GUARD, NOTE = ".lock", ".holder.json"
BEAT_SECONDS, STALE_SECONDS, POLL_SECONDS = 20.0, 600.0, 0.5
UNREADABLE = "unreadable"
Lock = Literal["mine", "taken", "none"]
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Holder(pydantic.BaseModel):
    """Who carries out a run.

    Attributes:
        machine: Tells machines apart, and a machine from itself before it was started again.
        since: Local time.
        mark: Of this holder alone.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    host: str
    machine: str
    process: int
    since: str
    command: str
    mark: str

    def text(self) -> str:
        """`process 12 on HOST since TIME (COMMAND)`."""
        return f"process {self.process} on {self.host} since {self.since} ({self.command})"


@contextmanager
def hold(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold a run alone; where another process holds it, wait until that one ends.

    Args:
        folder: Of the run; made if need be.
        tell: Takes a line for the user, once for each process that is waited for.
    """
    told: str | None = None
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder) as lock:
            mine = _new_holder()
            other = _read(folder) if lock == "taken" else _claim(folder, mine, lock)
            if lock != "taken" and other is None:
                with _beating(folder, mine):
                    yield
                return
        # Without a note it has only just begun, or is just about to end.
        if other is not None and other.mark != told:
            tell(
                f"the run {folder.name} is being carried out by {other.text()}; waiting until that "
                "ends, then doing what is left. Ctrl-C stops waiting"
            )
            told = other.mark
        time.sleep(POLL_SECONDS)


def check_free(folder: Path) -> None:
    """Refuse a run that a process is carrying out.

    Raises:
        DataError: One is; says which.
    """
    with _locked(folder, make=False) as lock:
        other = _read(folder)
        if lock == "taken" or (other is not None and not _is_over(folder, other, lock)):
            who = other.text() if other else "another process"
            raise DataError(
                f"{folder} is being carried out by {who}; wait until that ends, or stop it first"
            )


@contextmanager
def _locked(folder: Path, *, make: bool = True) -> Iterator[Lock]:
    """The lock of the operating system, where the file system has one."""
    try:
        guard = os.open(folder / GUARD, os.O_RDWR | (os.O_CREAT if make else 0), 0o666)
    except FileNotFoundError:
        yield "none"
        return
    except PermissionError as error:
        raise DataError(
            f"nothing can be written into {folder} ({error.strerror}); choose another --out, or "
            "ask its owner"
        ) from error
    lock: Lock = "mine"
    try:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock = "taken"
        except OSError:
            lock = "none"
        yield lock
    finally:
        os.close(guard)


def _claim(folder: Path, mine: Holder, lock: Lock) -> Holder | None:
    """Leave a note; whose note is in the way, or None."""
    other = _read(folder)
    if other is not None:
        if not _is_over(folder, other, lock):
            return other
        _remove(folder, other.mark)
    draft = folder / f"{NOTE}.{mine.mark}"
    draft.write_text(mine.model_dump_json())
    try:
        os.link(draft, folder / NOTE)  # whole and exclusive, on network file systems too
    except FileExistsError:
        return _read(folder)
    except OSError:
        # Some file systems have no links; the note is then seen half-written for a moment.
        with suppress(FileExistsError), (folder / NOTE).open("x") as file:
            file.write(mine.model_dump_json())
        found = _read(folder)
        return None if found is not None and found.mark == mine.mark else found
    finally:
        draft.unlink()
    return None


def _is_over(folder: Path, holder: Holder, lock: Lock) -> bool:
    if lock == "mine" and holder.machine in (_machine(), UNREADABLE):
        return True  # of this machine, and yet it does not hold the lock
    return _age(folder) > STALE_SECONDS


def _age(folder: Path) -> float:
    """Seconds since the note was touched, by the clock of the file system."""
    now = time.time()
    with suppress(OSError):
        os.utime(folder / GUARD)
        now = (folder / GUARD).stat().st_mtime
    try:
        return now - (folder / NOTE).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(folder: Path, mark: str) -> None:
    """Remove the note with this mark, and no other."""
    aside = folder / f"{NOTE}.{uuid4().hex}"
    with suppress(FileNotFoundError):
        os.rename(folder / NOTE, aside)
        if _note(aside).mark != mark:
            with suppress(FileExistsError):
                os.link(aside, folder / NOTE)
        aside.unlink()


@contextmanager
def _beating(folder: Path, mine: Holder) -> Iterator[None]:
    """Touch the note while the block runs, and remove it afterwards."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            found = _read(folder)
            if found is None or found.mark != mine.mark:
                return  # this process slept for long, and another has taken over
            with suppress(OSError):
                os.utime(folder / NOTE)

    thread = threading.Thread(target=beat, name="hold", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        found = _read(folder)
        if found is not None and found.mark == mine.mark:
            _remove(folder, mine.mark)


def _read(folder: Path) -> Holder | None:
    try:
        return _note(folder / NOTE)
    except OSError:
        return None


def _note(path: Path) -> Holder:
    content = path.read_bytes()
    try:
        return Holder.model_validate_json(content)
    except pydantic.ValidationError:
        return Holder(
            host="an unknown machine",
            machine=UNREADABLE,
            process=0,
            since="an unknown time",
            command="its note cannot be read",
            mark=UNREADABLE,
        )


def _new_holder() -> Holder:
    return Holder(
        host=platform.node(),
        machine=_machine(),
        process=os.getpid(),
        since=datetime.now().isoformat(sep=" ", timespec="seconds"),
        command=shlex.join(["mtsbench", *sys.argv[1:]]),
        mark=uuid4().hex,
    )


def _machine() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return platform.node()
