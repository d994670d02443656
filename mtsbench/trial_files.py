"""The files a trial leaves beside its record: predictions, log, model, masks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mtsbench.checksums import read_checked
from mtsbench.evaluation import Evaluation
from mtsbench.mask_scores import TUMOUR_THRESHOLD
from mtsbench.preprocessing import native_probability
from mtsbench.slices import write_slices
from mtsbench.volumes import Volume, to_sitk

if TYPE_CHECKING:
    from mtsbench.data import Cohort, Predictions
    from mtsbench.interfaces import Dataset, Model
    from mtsbench.preprocessing import Preprocessing
    from mtsbench.records import RunDescription

PREDICTIONS, PREPROCESSING, MODEL = "predictions.parquet", "preprocessing.json", "model.json"
TRAINING_RISK, SLICES, LOG = "training_risk.parquet", "slices.safetensors", "log.jsonl"
RISK = "risk.csv"  # of `mtsbench predict`
MASK_COLUMNS = ("true_ml", "predicted_ml", "overlap_ml")
CURVE, READING = "survival_", "survival_reading"


class TrainingLog:
    """Collects `log.jsonl`: one line per epoch."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, epoch: int, values: Mapping[str, float]) -> None:
        """Append one epoch."""
        self.text += json.dumps({"epoch": epoch, **values}) + "\n"


def read_log(folder: Path) -> list[tuple[int, dict[str, float]]]:
    """Epoch and values of each line of a trial's log. DataError if it is not what was written."""
    lines = [json.loads(line) for line in read_checked(folder / LOG).splitlines()]
    return [(line.pop("epoch"), line) for line in lines]


def predictions_table(predictions: Predictions, evaluation: Evaluation | None) -> pd.DataFrame:
    """One row a case: risk, survival probabilities by day, scores and volumes of its masks.

    The column `survival_reading` says how the curves are read between their days, and the name of
    each day's column holds all its digits: a step curve is wrong on a day that was rounded.
    """
    columns: dict[str, object] = {"case_id": predictions.case_ids, "risk": predictions.risk}
    if predictions.survival is not None and predictions.survival_time is not None:
        columns[READING] = predictions.survival_reading
        for column, day in enumerate(predictions.survival_time.tolist()):
            columns[CURVE + repr(day).removesuffix(".0")] = predictions.survival[:, column]
    for name, scores in (evaluation.per_patient if evaluation else {}).items():
        columns[name] = pd.array([score.value for score in scores], dtype="Float64")
        columns[f"{name}_reason"] = pd.array([score.reason for score in scores], dtype="string")
    if evaluation and evaluation.overlaps:
        found = [evaluation.overlaps.get(case_id) for case_id in predictions.case_ids]
        for name, count in zip(MASK_COLUMNS, ("true", "predicted", "both"), strict=True):
            columns[name] = pd.array(
                [None if one is None else getattr(one, count) * one.voxel for one in found],
                dtype="Float64",
            )
    return pd.DataFrame(columns)


def write_predictions(
    folder: Path, predictions: Predictions, training: Predictions, evaluation: Evaluation
) -> None:
    """Write the predictions of the test fold, the risks of all other cases, and slices.

    Args:
        folder: Of the trial.
        predictions: Of the test fold.
        training: Of the other cases, from which cut points of risk groups are taken.
        evaluation: Of the test fold.
    """
    predictions_table(predictions, evaluation).to_parquet(folder / PREDICTIONS, index=False)
    risks = pd.DataFrame({"case_id": training.case_ids, "risk": training.risk})
    risks.to_parquet(folder / TRAINING_RISK, index=False)
    if evaluation.slices:
        write_slices(folder / SLICES, evaluation.slices)


def write_model(
    folder: Path, model: Model, preprocessing: Preprocessing, run: RunDescription
) -> None:
    """Write the checkpoint, the fitted preprocessing and what the model was trained as."""
    model.save(folder)
    (folder / PREPROCESSING).write_text(preprocessing.to_json())
    (folder / MODEL).write_text(run.model_dump_json(indent=2))


def write_masks(folder: Path, predictions: Predictions, cohort: Cohort, dataset: Dataset) -> None:
    """Write each predicted mask as NIfTI on the grid of the patient's CT (or first channel)."""
    import SimpleITK as sitk

    assert predictions.tumour_probability is not None  # the callers have checked it
    folder.mkdir(parents=True, exist_ok=True)
    for row, case_id in enumerate(predictions.case_ids):
        images = dataset.load(case_id).images
        native = images["ct_hu"] if "ct_hu" in images else images[dataset.channels[0]]
        probability = native_probability(
            predictions.tumour_probability[row], cohort[row].grid, native.grid
        )
        mask = Volume(array=(probability > TUMOUR_THRESHOLD).astype(np.uint8), grid=native.grid)
        sitk.WriteImage(to_sitk(mask), folder / f"{case_id}.nii.gz", useCompression=True)
