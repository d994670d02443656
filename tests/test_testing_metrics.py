"""One broken metric for each check, and the check that names its fault."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.data import Outcomes, Predictions
from mtsbench.interfaces import Score
from mtsbench.metrics.survival import harrell_c
from mtsbench.testing import BrokenPromise, MetricContract
from mtsbench.volumes import Grid


class RightFold:
    higher_is_better = True

    def within_fold(self, predictions, test, train):
        if not test.event.any():
            return Score(value=None, reason="no event")
        return Score(value=harrell_c(predictions.risk, test.time, test.event))


class RightPatient:
    higher_is_better = True

    def per_patient(self, predicted, mask, grid):
        total = predicted.sum() + mask.sum()
        if not total:
            return Score(value=None, reason="both masks are empty")
        return Score(value=float(2 * (predicted & mask).sum() / total))


class Neither:
    higher_is_better = True


class WrongWay(RightFold):
    higher_is_better = False


class WrongWayPatient(RightPatient):
    higher_is_better = False


class NanForConstants(RightFold):
    def within_fold(self, predictions, test, train):
        spread = np.ptp(predictions.risk)
        return Score(value=1.0 if spread else float("nan"))


class ByPosition(RightFold):
    def within_fold(self, predictions, test, train):
        return Score(value=float(predictions.risk @ np.arange(len(test))))


class NanWithoutEvents(RightFold):
    def within_fold(self, predictions, test, train):
        return Score(value=float(np.divide(test.event.sum(), 1) or np.nan))


class NanForEmpty(RightPatient):
    def per_patient(self, predicted, mask, grid):
        return Score(value=1.0 if predicted.any() and mask.any() else float("inf"))


class NumberForScore(RightPatient):
    def per_patient(self, predicted, mask, grid):
        return 1.0


class Undefined(RightPatient):
    def per_patient(self, predicted, mask, grid):
        return Score(value=None, reason="never")


class Writes(RightPatient):
    def per_patient(self, predicted, mask, grid):
        predicted &= mask
        return super().per_patient(predicted, mask, grid)


class WritesTheRisk(RightFold):
    def within_fold(self, predictions, test, train):
        predictions.risk.sort()
        return super().within_fold(predictions, test, train)


FAULTS = [
    ("the_metric_is_of_a_fold_or_of_a_patient", Neither, "either within_fold or per_patient"),
    ("a_perfect_prediction_beats_its_opposite", WrongWay, "scores 1, its opposite 0, though"),
    ("a_perfect_prediction_beats_its_opposite", WrongWayPatient, "higher_is_better = False"),
    ("a_perfect_prediction_beats_its_opposite", Undefined, "mask has no value: never"),
    ("a_constant_risk_has_a_value_or_a_reason", NanForConstants, "a constant risk scores nan"),
    ("the_order_of_the_cases_does_not_matter", ByPosition, "for shuffled cases"),
    ("a_fold_without_a_comparable_pair_has_a_reason", NanWithoutEvents, "without events scores"),
    ("empty_masks_have_a_value_or_a_reason", NanForEmpty, "an empty mask scores inf"),
    ("empty_masks_have_a_value_or_a_reason", NumberForScore, r"must give a Score, got 1\.0"),
    ("predictions_and_masks_are_left_as_they_are", Writes, "changed what it was given"),
    ("predictions_and_masks_are_left_as_they_are", WritesTheRisk, "changed what it was given"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(MetricContract, lambda: fault())

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


@pytest.mark.parametrize("right", [RightFold, RightPatient])
def test_a_right_metric_keeps_every_promise(contract_of, verdicts, right):
    found = verdicts(contract_of(MetricContract, lambda: right()))

    assert {status for status, _ in found.values()} == {"kept", "not applicable"}, found
    assert "no oracle is declared" in found["values_equal_the_oracle"][1]


def test_the_other_form_is_reported_with_what_the_metric_declares(contract_of, verdicts):
    fold = verdicts(contract_of(MetricContract, lambda: RightFold()))
    patient = verdicts(contract_of(MetricContract, lambda: RightPatient()))

    assert "declares within_fold" in fold["empty_masks_have_a_value_or_a_reason"][1]
    assert "declares per_patient" in patient["the_order_of_the_cases_does_not_matter"][1]


def test_values_are_compared_with_the_oracles(contract_of):
    outcomes = Outcomes(
        endpoint="pfs",
        case_ids=("a", "b"),
        time=np.array([1.0, 2.0]),
        event=np.array([True, True]),
    )
    predictions = Predictions(case_ids=("a", "b"), risk=np.array([1.0, 0.0]))
    mask = np.ones((2, 2, 2), dtype=bool)
    grid = Grid(size=(2, 2, 2), spacing=(1.0, 1.0, 1.0))

    contract_of(
        MetricContract, lambda: RightFold(), fold_oracle=((predictions, outcomes, outcomes, 1.0),)
    )().test_values_equal_the_oracle()
    with pytest.raises(BrokenPromise, match=r"the metric gives 1, the oracle has 0\.5"):
        contract_of(
            MetricContract, lambda: RightPatient(), mask_oracle=((mask, mask, grid, 0.5),)
        )().test_values_equal_the_oracle()


@pytest.mark.parametrize("name", ["harrell-c", "ibs", "dice", "hd95", "volume-error"])
def test_metrics_of_core_keep_their_promises(verdicts, name):
    found = verdicts(type("Ours", (MetricContract,), {"component": name}))

    assert {status for status, _ in found.values()} == {"kept", "not applicable"}, found
