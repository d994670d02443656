"""The trials of a run on disk: each in a folder that is complete, or not there."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pydantic

from mtsbench.checksums import (
    AGAIN,
    check_folder,
    damaged,
    read_checksums,
    write_checksums,
    write_whole,
)
from mtsbench.errors import DamagedFileError
from mtsbench.records import RECORD, FailedTrial, TrialRecord
from mtsbench.sealed import seal
from mtsbench.stored_files import read_sealed, read_stored
from mtsbench.trial_files import LOG, PREDICTIONS, SLICES, TRAINING_RISK

TRIALS, FAILED, DAMAGED = "trials", "failed", "damaged"
# What core reads of a trial whenever it shows a run; the rest is the model and its masks.
SHOWN = (RECORD, PREDICTIONS, TRAINING_RISK, SLICES, LOG)
ABANDONED_SECONDS = 86400.0  # no trial takes so long to write its files
OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_RECORD = pydantic.TypeAdapter(TrialRecord)


@dataclass(frozen=True, kw_only=True)
class Stock:
    """What a run has of the trials it needs.

    Attributes:
        finished: Keys of the trials that are done.
        faults: What was damaged and has been moved aside, a line each.
    """

    finished: frozenset[str]
    faults: tuple[str, ...]


class TrialFolders:
    """The trials below a run's folder, by their keys.

    Args:
        folder: Of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def finished(self, key: str, *, whole: bool = True) -> TrialRecord | None:
        """The record of a finished trial, or None.

        Args:
            key: Of the trial.
            whole: Whether the content of every file is checked, and not only of those that core
                shows; a checkpoint may be large.

        Raises:
            DamagedFileError: A file of the trial is missing or not what was written.
        """
        if not self.holds(key):
            return None
        check_folder(self.path(key), read=None if whole else SHOWN, optional=(SLICES,))
        return self.record(key)

    def take_stock(self, keys: Collection[str]) -> Stock:
        """Look which trials are done, and move those aside that are damaged.

        Args:
            keys: Of the trials that the run needs.
        """
        self._remove_abandoned()
        finished, faults = set(), list[str]()
        for key in keys:
            try:
                if self.finished(key) is not None:
                    finished.add(key)
                else:
                    self.failure(key)
            except DamagedFileError as error:
                faults.append(str(error).removesuffix(AGAIN) + "its trial is done again")
                self._move_aside(key)
        return Stock(finished=frozenset(finished), faults=tuple(faults))

    def save(self, key: str, fill: Callable[[Path], None]) -> TrialRecord:
        """Let `fill` write a trial's files into a temporary folder, then put it in place whole.

        Returns:
            The record that is now there: where another process has finished this trial
            meanwhile, the one of that process.
        """
        final = self.path(key)
        partial = final.with_name(f".{final.name}.{uuid4().hex}.partial")
        partial.mkdir(parents=True)
        try:
            fill(partial)
            written = [path for path in partial.rglob("*") if path.is_file()]
            write_checksums(partial, key, written)
            record = self._put(partial, key)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        self._failure(key).unlink(missing_ok=True)
        return record

    def save_failure(self, failed: FailedTrial) -> None:
        """Keep why a trial crashed."""
        path = self._failure(failed.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, seal(failed))

    def record(self, key: str) -> TrialRecord:
        """The record of a trial that is there; its other files are not checked."""
        folder = self.path(key)
        record = read_stored(folder / RECORD, _RECORD)
        if not record.key == read_checksums(folder).of == key:
            raise damaged(folder / RECORD, "it is of another trial")
        return record

    def failure(self, key: str) -> FailedTrial | None:
        """Why the last attempt at a trial that is not there crashed, or None."""
        path = self._failure(key)
        if not path.exists() or self.holds(key):
            return None
        failed = read_sealed(path, FailedTrial, AGAIN)
        if failed.key != key:
            raise damaged(path, "it is of another trial")
        return failed

    def holds(self, key: str) -> bool:
        """Whether anything lies where a trial's files do."""
        return os.path.lexists(self.path(key))

    def path(self, key: str) -> Path:
        """Where a trial's files lie."""
        return self.folder / TRIALS / key[:16]

    def _put(self, partial: Path, key: str) -> TrialRecord:
        """Rename a complete folder to the trial's, unless another process was quicker."""
        final = self.path(key)
        while True:
            try:
                os.rename(partial, final)
                return self.record(key)
            except OSError as error:
                if error.errno not in OCCUPIED:
                    raise
            try:
                there = self.finished(key)
            except DamagedFileError:
                self._move_aside(key)
            else:
                if there is not None:
                    return there

    def _move_aside(self, key: str) -> None:
        """Make room for a trial; what was there is kept, in case it is missed."""
        self._failure(key).unlink(missing_ok=True)
        aside = self.folder / DAMAGED
        aside.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # another process was quicker
            os.rename(self.path(key), aside / f"{key[:16]}.{uuid4().hex[:8]}")

    def _remove_abandoned(self) -> None:
        """What killed processes had begun to write."""
        for path in self.folder.glob(f"{TRIALS}/.*.partial"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)

    def _failure(self, key: str) -> Path:
        return self.folder / FAILED / f"{key[:16]}.json"
