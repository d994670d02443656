"""Runs on disk: a folder that exists is complete, and a finished trial is never redone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic

from mtsbench.data import Outcomes
from mtsbench.errors import DataError
from mtsbench.records import (
    DESCRIPTION,
    OUTCOMES,
    RECORD,
    FailedTrial,
    RunDescription,
    StoredProfile,
    TrialRecord,
)

if TYPE_CHECKING:
    from mtsbench.splits import Split

Stored = TypeVar("Stored", bound=pydantic.BaseModel)
PROFILE = "profile.json"


class RunStore:
    """The folder of one run.

        run.json            the question, the method, how many trials
        splits.json         every split with its case ids
        outcomes.parquet    time and event of every case
        trials/KEY/         record.json, predictions.parquet, log.jsonl, checkpoint, masks
        failed/KEY.json     a trial that crashed
        profile.json        what a training step costs, if `mtsbench profile --out` measured it

    Args:
        folder: May not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begun(self, description: RunDescription) -> bool:
        """Whether the folder holds this very run.

        Raises:
            DataError: The folder holds another run.
        """
        if not (self.folder / DESCRIPTION).exists():
            return False
        if self.description() != description:
            raise DataError(
                f"{self.folder} holds another run (its {DESCRIPTION} differs); "
                "choose another --out or remove it"
            )
        return True

    def begin(
        self, description: RunDescription, splits: Sequence[Split], outcomes: Outcomes
    ) -> None:
        """Write what the run is, unless it has begun; raises as `begun` does."""
        if self.begun(description):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / "splits.json", json.dumps([asdict(s) for s in splits], indent=1))
        table = pd.DataFrame(
            {"case_id": outcomes.case_ids, "time": outcomes.time, "event": outcomes.event}
        )
        table.to_parquet(self.folder / OUTCOMES, index=False)
        _write(self.folder / DESCRIPTION, description.model_dump_json(indent=2))

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
        """What the run is. DataError if the file is missing or damaged."""
        return _read(self.folder / DESCRIPTION, RunDescription)

    def finished(self, key: str) -> TrialRecord | None:
        """The record of a finished trial, or None."""
        path = self._trial(key) / RECORD
        return _read(path, TrialRecord) if path.exists() else None

    def records(self) -> tuple[TrialRecord, ...]:
        """All finished trials by repeat, fold and seed."""
        found = [_read(path, TrialRecord) for path in self.folder.glob(f"trials/[!.]*/{RECORD}")]
        return tuple(sorted(found, key=lambda r: (r.repeat, r.fold, r.seed)))

    def failures(self) -> tuple[FailedTrial, ...]:
        """All trials whose last attempt crashed."""
        found = [_read(path, FailedTrial) for path in self.folder.glob("failed/*.json")]
        return tuple(sorted(found, key=lambda r: (r.repeat, r.fold, r.seed)))

    def save_trial(self, key: str, fill: Callable[[Path], None]) -> None:
        """Let `fill` write a trial's files into a temporary folder, then put it in place whole."""
        final = self._trial(key)
        partial = final.with_name(f".{final.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        fill(partial)
        if not (final / RECORD).exists():
            # Whoever removed a damaged record wants the trial done again.
            shutil.rmtree(final, ignore_errors=True)
        os.replace(partial, final)
        self._failure(key).unlink(missing_ok=True)

    def save_failure(self, failed: FailedTrial) -> None:
        """Keep why a trial crashed."""
        path = self._failure(failed.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, failed.model_dump_json(indent=2))

    def save_profile(self, profile: StoredProfile) -> None:
        """Keep what a training step costs. DataError if there is no run to keep it with."""
        self.description()
        _write(self.folder / PROFILE, profile.model_dump_json(indent=2))

    def profile(self) -> StoredProfile | None:
        """What a training step costs, or None. DataError if the file is damaged."""
        path = self.folder / PROFILE
        return _read(path, StoredProfile) if path.exists() else None

    def trial_folder(self, record: TrialRecord) -> Path:
        """Where a finished trial's files lie."""
        return self._trial(record.key)

    def _trial(self, key: str) -> Path:
        return self.folder / "trials" / key[:16]

    def _failure(self, key: str) -> Path:
        return self.folder / "failed" / f"{key[:16]}.json"


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A parquet table that has at least these columns.

    Raises:
        DataError: It is missing, damaged, or lacks a column.
    """
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError as error:
        raise DataError(
            f"{path} does not exist; the run is incomplete or was made by an older mtsbench: "
            "run the model again into an empty folder"
        ) from error
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); remove it and run again") from error
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        raise DataError(f"{path} has no column {lacking[0]!r}; remove it and run again")
    return table


def _read(path: Path, schema: type[Stored]) -> Stored:
    try:
        return schema.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist; is {path.parent} the folder of a run?") from error
    except pydantic.ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise DataError(
            f"{path} is damaged ({where}: {fault['msg']}); remove it and run again"
        ) from error


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    os.replace(partial, path)
