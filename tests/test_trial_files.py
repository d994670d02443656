"""Tables, logs and masks of a trial."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mtsbench.checksums import write_checksums
from mtsbench.data import Predictions
from mtsbench.errors import DataError
from mtsbench.evaluation import Evaluation
from mtsbench.interfaces import Score
from mtsbench.metrics.overlap import Overlap
from mtsbench.trial_files import TrainingLog, predictions_table, read_log, write_predictions


def test_the_log_has_one_line_an_epoch():
    log = TrainingLog()

    log.add(0, {"loss": 1.0})
    log.add(1, {"loss": 0.5, "validation_dice": 0.2})

    assert [json.loads(line) for line in log.text.splitlines()] == [
        {"epoch": 0, "loss": 1.0},
        {"epoch": 1, "loss": 0.5, "validation_dice": 0.2},
    ]


def test_the_log_is_read_as_it_was_written(tmp_path):
    log = TrainingLog()
    log.add(0, {"loss": 1.0})
    log.add(1, {"loss": 0.5, "validation_dice": 0.2})
    (tmp_path / "log.jsonl").write_text(log.text)
    write_checksums(tmp_path, "k", [tmp_path / "log.jsonl"])

    assert read_log(tmp_path) == [(0, {"loss": 1.0}), (1, {"loss": 0.5, "validation_dice": 0.2})]


def test_a_log_that_was_changed_is_named(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "loss": 1.0}')
    write_checksums(tmp_path, "k", [tmp_path / "log.jsonl"])
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "loss": 0.0}')

    with pytest.raises(DataError, match=r"log\.jsonl is damaged .*; the same `mtsbench run`"):
        read_log(tmp_path)


def test_survival_curves_and_reasons_have_columns_of_their_own(tmp_path):
    predictions = Predictions(
        case_ids=("A", "B"),
        risk=np.array([1.0, 2.0]),
        survival=np.array([[0.9, 0.8], [0.7, 0.5]]),
        survival_time=np.array([365.0, 730.5]),
        survival_reading="step",
    )
    evaluation = Evaluation(
        scores={},
        per_patient={
            "dice": (Score(value=0.5), Score(value=None, reason="the true mask is empty"))
        },
        oracle={},
        recovery={},
        oracle_recovery={},
        overlaps={"A": Overlap(true=10, predicted=6, both=4, voxel=0.5)},
    )

    training = Predictions(case_ids=("C",), risk=np.array([0.3]))
    write_predictions(tmp_path, predictions, training, evaluation)
    table = predictions_table(predictions, evaluation)

    assert (tmp_path / "predictions.parquet").is_file()
    assert pd.read_parquet(tmp_path / "training_risk.parquet").to_dict("list") == {
        "case_id": ["C"],
        "risk": [0.3],
    }
    assert list(table["survival_365"]) == [0.9, 0.7]
    assert list(table["survival_730.5"]) == [0.8, 0.5]
    assert list(table["survival_reading"]) == ["step", "step"]
    assert table["dice"].isna().tolist() == [False, True]
    assert table["dice_reason"][1] == "the true mask is empty"
    assert table.loc[0, ["true_ml", "predicted_ml", "overlap_ml"]].tolist() == [5.0, 3.0, 2.0]
    assert table.loc[1, ["true_ml", "predicted_ml", "overlap_ml"]].isna().all()


def test_the_days_of_curves_keep_all_their_digits():
    # A step curve is wrong on a day that was rounded, and two close days must not become one.
    days = np.array([0.0, 100 / 3, 1234.5678, 1234.5678000001, 1000000.0])
    predictions = Predictions(
        case_ids=("A",),
        risk=np.zeros(1),
        survival=np.ones((1, 5)),
        survival_time=days,
        survival_reading="step",
    )

    names = list(predictions_table(predictions, None).columns)

    assert names[:4] == ["case_id", "risk", "survival_reading", "survival_0"]
    assert [float(name.removeprefix("survival_")) for name in names[3:]] == days.tolist()
