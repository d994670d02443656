"""Runs on disk: a folder that exists is complete, and a finished trial is never redone."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pydantic

from mtsbench.checksums import CHECKSUMS, Checksums, check_folder, damaged, sum_of, write_whole
from mtsbench.data import Outcomes
from mtsbench.errors import DamagedFileError, DataError
from mtsbench.identity import trial_key
from mtsbench.records import (
    DESCRIPTION,
    OUTCOMES,
    SPLITS,
    FailedTrial,
    RunDescription,
    StoredProfile,
    TrialRecord,
)
from mtsbench.sealed import seal
from mtsbench.splits import Split, splits_hash
from mtsbench.stored_files import read_description, read_sealed, read_stored, read_table
from mtsbench.trial_folders import TrialFolders

if TYPE_CHECKING:
    from mtsbench.trial_folders import Stock

PROFILE = "profile.json"
_SPLITS: pydantic.TypeAdapter[tuple[Split, ...]] = pydantic.TypeAdapter(tuple[Split, ...])


class RunStore:
    """The folder of one run.

        run.json            the question, the method, how many trials
        splits.json         every split with its case ids
        outcomes.parquet    time and event of every case
        checksums.json      of these three
        trials/KEY/         record.json, predictions.parquet, log.jsonl, checkpoint, masks, and
                            checksums.json of all of them
        failed/KEY.json     a trial that crashed
        damaged/KEY.N/      a trial that was damaged and is done again
        profile.json        what a training step costs, if `mtsbench profile --out` measured it

    Only the trials whose keys follow from question, method, splits and seeds are of the run;
    whatever else lies in `trials` is not read.

    Args:
        folder: May not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trials = TrialFolders(folder)

    def begun(self, description: RunDescription) -> bool:
        """Whether the folder holds this very run; a damaged description counts as none.

        Raises:
            DataError: The folder holds another run, or one of another mtsbench.
        """
        if not (self.folder / DESCRIPTION).exists():
            return False
        try:
            found = self.description()
        except DamagedFileError:
            return False
        if found != description:
            raise DataError(
                f"{self.folder} holds another run (its {DESCRIPTION} differs); "
                "choose another --out or remove it"
            )
        return True

    def begin(
        self, description: RunDescription, splits: Sequence[Split], outcomes: Outcomes
    ) -> tuple[str, ...]:
        """Write what the run is, unless it has begun; raises as `begun` does.

        Returns:
            Which of its files were damaged and are now written again, a line each.
        """
        files = {
            SPLITS: _SPLITS.dump_json(tuple(splits), indent=1),
            OUTCOMES: _outcomes_table(outcomes),
            DESCRIPTION: description.model_dump_json(indent=2).encode(),
        }
        there = (self.folder / DESCRIPTION).exists()
        fault = self._fault() if self.begun(description) or there else None
        if there and fault is None:
            return ()
        self.folder.mkdir(parents=True, exist_ok=True)
        sums = Checksums(
            of=description.name, files={name: sum_of(content) for name, content in files.items()}
        )
        # The description last: a folder that has it is a run.
        for name in (SPLITS, OUTCOMES):
            write_whole(self.folder / name, files[name])
        write_whole(self.folder / CHECKSUMS, seal(sums))
        write_whole(self.folder / DESCRIPTION, files[DESCRIPTION])
        return () if fault is None else (fault,)

    def _fault(self) -> str | None:
        """What is damaged of the files that describe the run."""
        try:
            check_folder(self.folder)
            self.expected()
            self.outcomes()
        except DamagedFileError as error:
            return str(error)
        return None

    def outcomes(self) -> Outcomes:
        """Follow-up of every case of the run. DataError if the file is missing or damaged."""
        table = read_table(self.folder / OUTCOMES, ("case_id", "time", "event"))
        return Outcomes(
            endpoint=str(self.description().question["endpoint"]),
            case_ids=tuple(table["case_id"]),
            time=table["time"].to_numpy(np.float64),
            event=table["event"].to_numpy(np.bool_),
        )

    def description(self) -> RunDescription:
        """What the run is.

        Raises:
            DamagedFileError: The file is missing or damaged.
            DataError: The folder is no run, or was made by another mtsbench.
        """
        return read_description(self.folder)

    def expected(self) -> tuple[str, ...]:
        """Keys of all trials that the run needs, by repeat, fold and seed.

        Raises:
            DataError: Splits or description are missing or damaged, or do not belong together.
        """
        run, path = self.description(), self.folder / SPLITS
        splits = read_stored(path, _SPLITS)
        if splits_hash(splits) != run.splits_sha256:
            raise damaged(path, f"its splits are not those that {DESCRIPTION} names")
        found = {
            (split.repeat, split.fold, seed): trial_key(
                run.question, run.method, split.hash(), seed
            )
            for split in splits
            for seed in run.seeds()
        }
        return tuple(found[place] for place in sorted(found))

    def finished(self, key: str, *, whole: bool = True) -> TrialRecord | None:
        """The record of a finished trial, or None; see `TrialFolders.finished`."""
        return self._trials.finished(key, whole=whole)

    def records(self) -> tuple[TrialRecord, ...]:
        """All finished trials by repeat, fold and seed.

        The other files of a trial are checked by who reads them.

        Raises:
            DamagedFileError: A record is missing or not what was written.
        """
        keys = self.expected()
        return tuple(self._trials.record(key) for key in keys if self._trials.holds(key))

    def failures(self) -> tuple[FailedTrial, ...]:
        """All unfinished trials whose last attempt crashed, by repeat, fold and seed."""
        found = (self._trials.failure(key) for key in self.expected())
        return tuple(failed for failed in found if failed is not None)

    def check(self) -> None:
        """Check all that lies on disk of this run, large files by their length.

        Raises:
            DamagedFileError: Something is missing or not what was written.
            DataError: The folder is no run, or was made by another mtsbench.
        """
        keys = self.expected()
        check_folder(self.folder)
        for key in keys:
            self.finished(key, whole=False)

    def take_stock(self, keys: Collection[str]) -> Stock:
        """Look which trials are done; see `TrialFolders.take_stock`."""
        return self._trials.take_stock(keys)

    def save_trial(self, key: str, fill: Callable[[Path], None]) -> TrialRecord:
        """Put the files that `fill` writes in place as a trial; see `TrialFolders.save`."""
        return self._trials.save(key, fill)

    def save_failure(self, failed: FailedTrial) -> None:
        """Keep why a trial crashed."""
        self._trials.save_failure(failed)

    def save_profile(self, profile: StoredProfile) -> None:
        """Keep what a training step costs. DataError if there is no run to keep it with."""
        self.description()
        write_whole(self.folder / PROFILE, seal(profile))

    def profile(self) -> StoredProfile | None:
        """What a training step costs, or None. DataError if the file is damaged."""
        path = self.folder / PROFILE
        advice = "remove it, or measure again with `mtsbench profile`"
        return read_sealed(path, StoredProfile, advice) if path.exists() else None

    def trial_folder(self, record: TrialRecord) -> Path:
        """Where a finished trial's files lie."""
        return self._trials.path(record.key)


def _outcomes_table(outcomes: Outcomes) -> bytes:
    table = pd.DataFrame(
        {"case_id": outcomes.case_ids, "time": outcomes.time, "event": outcomes.event}
    )
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()
