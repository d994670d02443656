"""What a run's trials say of each tested patient, beside the patient's outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd

from mtsbench.data import Outcomes, Predictions, SurvivalReading
from mtsbench.errors import DataError
from mtsbench.stored_files import read_table
from mtsbench.trial_files import (
    CURVE,
    MASK_COLUMNS,
    PREDICTIONS,
    READING,
    SLICES,
    TRAINING_RISK,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.records import TrialRecord
    from mtsbench.store import RunStore


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldPatients:
    """The test patients of one trial, in the order of the outcomes.

    Attributes:
        predictions: Risk and, where the model gives them, survival curves.
        outcomes: Of the same patients.
        training_risk: Risks of all other patients, on the scale of this trial's model.
        masks: Per-patient metric, and `true_ml`, `predicted_ml`, `overlap_ml`, to (N,) values;
            NaN where undefined.
        slices: The file with a slice of each patient; may not exist.
    """

    repeat: int
    fold: int
    seed: int
    predictions: Predictions
    outcomes: Outcomes
    training_risk: NDArray[np.float64]
    masks: Mapping[str, NDArray[np.float64]]
    slices: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class RunPatients:
    """All trials of a run, and the rows of all of them one after another.

    Attributes:
        outcomes: Of the whole cohort.
        folds: By repeat, fold and seed.
    """

    outcomes: Outcomes
    folds: tuple[FoldPatients, ...]

    def risk(self) -> NDArray[np.float64]:
        """(M,) risks; comparable only within a stratum."""
        return np.concatenate([fold.predictions.risk for fold in self.folds])

    def time(self) -> NDArray[np.float64]:
        """(M,) days."""
        return np.concatenate([fold.outcomes.time for fold in self.folds])

    def event(self) -> NDArray[np.bool_]:
        """(M,) True where the event was observed."""
        return np.concatenate([fold.outcomes.event for fold in self.folds])

    def stratum(self) -> NDArray[np.intp]:
        """(M,) which trial a row is of; risks of two trials share no scale."""
        return np.repeat(np.arange(len(self.folds)), [len(f.outcomes) for f in self.folds])

    def patient(self) -> NDArray[np.intp]:
        """(M,) whose row it is."""
        position = {case_id: row for row, case_id in enumerate(self.outcomes.case_ids)}
        return np.array([position[one] for fold in self.folds for one in fold.outcomes.case_ids])

    def gives_curves(self) -> bool:
        """Whether every trial has survival curves."""
        return all(fold.predictions.survival is not None for fold in self.folds)

    def gives_masks(self) -> bool:
        """Whether every trial has tumour masks."""
        return all("dice" in fold.masks for fold in self.folds)


def read_patients(store: RunStore, records: tuple[TrialRecord, ...]) -> RunPatients:
    """The predictions of all finished trials, beside the outcomes of the run.

    Raises:
        DataError: A file of the run is missing or damaged, or a patient has no outcome.
    """
    outcomes = store.outcomes()
    return RunPatients(
        outcomes=outcomes,
        folds=tuple(_read_fold(store.trial_folder(record), record, outcomes) for record in records),
    )


def _read_fold(folder: Path, record: TrialRecord, outcomes: Outcomes) -> FoldPatients:
    table = read_table(folder / PREDICTIONS, ("case_id", "risk")).sort_values("case_id")
    training = read_table(folder / TRAINING_RISK, ("case_id", "risk"))
    case_ids = tuple(table["case_id"])
    if len(case_ids) != record.cases["test"]:
        raise DataError(
            f"{folder / PREDICTIONS} holds {len(case_ids)} cases, but the record says "
            f"{record.cases['test']}; remove the trial's folder and run again"
        )
    reasons = [name for name in table.columns if name.endswith("_reason")]
    scores = [name.removesuffix("_reason") for name in reasons]
    masks = [*scores, *(name for name in MASK_COLUMNS if name in table.columns)]
    return FoldPatients(
        repeat=record.repeat,
        fold=record.fold,
        seed=record.seed,
        predictions=_predictions(table, folder / PREDICTIONS),
        outcomes=outcomes.subset(case_ids),
        training_risk=training["risk"].to_numpy(np.float64),
        masks={name: _floats(table[name]) for name in masks},
        slices=folder / SLICES,
    )


def _predictions(table: pd.DataFrame, path: Path) -> Predictions:
    """Risk and curves as they were predicted."""
    days = [name for name in table.columns if name.startswith(CURVE) and name != READING]
    curves = table[days].to_numpy(np.float64) if days else None
    return Predictions(
        case_ids=tuple(table["case_id"]),
        risk=table["risk"].to_numpy(np.float64),
        survival=curves,
        survival_time=np.array([float(day.removeprefix(CURVE)) for day in days]) if days else None,
        survival_reading=_reading(table, path) if days else None,
    )


def _reading(table: pd.DataFrame, path: Path) -> SurvivalReading:
    """How the curves of a trial are read: one word in every row, never guessed."""
    found = set(table[READING]) if READING in table.columns else set()
    readings: tuple[SurvivalReading, ...] = get_args(SurvivalReading)
    for reading in readings:
        if found == {reading}:
            return reading
    raise DataError(
        f"{path} holds survival curves, but its column {READING} holds "
        f"{' and '.join(sorted(map(repr, found))) or 'nothing'}, where each row must say 'step' or "
        "'linear'. Trials of earlier versions did not say it: remove the trial's folder and run "
        "again"
    )


def _floats(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.astype("Float64").to_numpy(np.float64, na_value=np.nan))
