from __future__ import annotations

import threading

import numpy as np
import pytest

from mtsbench.data import Case, Cohort, Outcomes, Predictions, PreparedCase
from mtsbench.errors import DataError, MtsbenchError, PluginError
from mtsbench.evaluation import evaluate
from mtsbench.interfaces import Score
from mtsbench.metrics.catalogue import Metrics
from mtsbench.metrics.segmentation import Dice
from mtsbench.metrics.survival import HarrellC
from mtsbench.metrics.undefined import score_or_reason
from mtsbench.records import StoredScore
from mtsbench.volumes import Grid, Volume

CASES = ("P1", "P2", "P3")
NATIVE = Grid(size=(8, 8, 8), spacing=(2.0, 2.0, 2.0))
# The lower half of the native field of view, at the same voxels.
CROP = Grid(size=(4, 8, 8), spacing=(2.0, 2.0, 2.0))
METRICS = Metrics(within_fold={"harrell-c": HarrellC()}, per_patient={"dice": Dice()})


def box(depth: slice) -> np.ndarray:
    mask = np.zeros(NATIVE.size, np.uint8)
    mask[depth, 2:6, 2:6] = 1
    return mask


class Patients:
    """A dataset as far as evaluation reads it."""

    def __init__(self, masks: dict[str, np.ndarray | None]) -> None:
        self.masks = masks

    def load(self, case_id: str) -> Case:
        mask = self.masks[case_id]
        return Case(
            case_id=case_id,
            images={},
            mask=None if mask is None else Volume(array=mask, grid=NATIVE),
            clinical={},
        )


class SimulatedPatients(Patients):
    def oracle_risk(self, case_ids):
        return np.array([{"P1": 3.0, "P2": 2.0, "P3": 1.0}[one] for one in case_ids])

    def factors(self, case_ids):
        return {
            "size": np.array([{"P1": 9.0, "P2": 5.0, "P3": 7.0}[one] for one in case_ids]),
            "nodes": np.zeros(len(case_ids)),
        }


def fold(event=(True, True, True)) -> Outcomes:
    return Outcomes(
        endpoint="pfs", case_ids=CASES, time=np.array([10.0, 20.0, 30.0]), event=np.array(event)
    )


def cohort(grids) -> Cohort:
    cases = {
        case_id: PreparedCase(
            case_id=case_id,
            image=np.zeros((1, *grid.size), np.float32),
            mask=None,
            clinical=np.zeros(0, np.float32),
            grid=grid,
        )
        for case_id, grid in zip(CASES, grids, strict=True)
    }
    return Cohort(
        case_ids=CASES,
        channels=("pet_suv",),
        clinical_features=(),
        read=cases.__getitem__,
        read_native=Patients({}).load,
    )


def scored(masks=None, probability=None, grids=None, risk=(1.0, 3.0, 2.0), test=None, **changes):
    masks = masks or dict.fromkeys(CASES, box(slice(1, 3)))
    predictions = Predictions(
        case_ids=CASES,
        risk=np.array(risk),
        tumour_probability=None if probability is None else tuple(probability),
    )
    return evaluate(
        predictions,
        cohort(grids or [CROP] * len(CASES)),
        changes.get("dataset", Patients(masks)),
        outcomes=test or fold(),
        train=fold(),
        metrics=changes.get("metrics", METRICS),
        workers=changes.get("workers", 1),
    )


def test_risks_are_scored_over_the_whole_fold():
    found = scored()

    assert found.scores.keys() == {"harrell-c"}
    assert found.scores["harrell-c"].value == pytest.approx(1 / 3)
    assert found.scores["harrell-c"].cases == 3
    assert found.per_patient == {}
    assert found.oracle == found.recovery == found.oracle_recovery == {}


def test_an_undefined_score_keeps_its_reason():
    score = scored(test=fold((False, False, False))).scores["harrell-c"]

    assert score.value is None
    assert score.reason.startswith("no comparable pair among 3 cases with 0 events")
    assert score.cases == 3


def test_the_oracle_is_scored_where_the_hazard_is_known():
    found = scored(dataset=SimulatedPatients(dict.fromkeys(CASES)))

    assert found.oracle["harrell-c"].value == 1.0
    assert found.scores["harrell-c"].value == pytest.approx(1 / 3)


def test_the_risk_is_correlated_with_every_known_factor():
    found = scored(dataset=SimulatedPatients(dict.fromkeys(CASES)))

    # Ranks of the risk 1, 3, 2 and of the size 3, 1, 2.
    assert found.recovery["size"].value == pytest.approx(-1.0)
    assert found.oracle_recovery["size"].value == pytest.approx(0.5)
    assert found.recovery["nodes"].value is None
    assert found.recovery["nodes"].reason == "the factor is constant"
    constant = scored(dataset=SimulatedPatients(dict.fromkeys(CASES)), risk=(2.0, 2.0, 2.0))
    assert constant.recovery["size"].reason == "the risk is constant"


class Crashes:
    higher_is_better = True

    def within_fold(self, predictions, test, train):
        raise KeyError("no\ntable")

    def per_patient(self, predicted, mask, grid):
        raise ZeroDivisionError


def test_a_metric_that_crashes_or_cannot_be_used_costs_no_other_score():
    metrics = Metrics(
        within_fold={"harrell-c": HarrellC(), "fold": Crashes()},
        per_patient={"dice": Dice(), "patient": Crashes()},
        unusable={"odd": "it computes nothing"},
    )
    masks = dict.fromkeys(CASES, box(slice(0, 3)))
    probability = [box(slice(1, 3))[:4].astype(np.float32)] * 3

    scores = scored(masks=masks, probability=probability, metrics=metrics).scores

    assert scores["harrell-c"].value is not None
    assert scores["dice"].value is not None
    assert scores["odd"].reason == "it computes nothing"
    assert scores["fold"].reason == "the metric raised KeyError: 'no\\ntable'"
    assert scores["patient"].reason == (
        "undefined for every test case: the metric raised ZeroDivisionError:"
    )


@pytest.mark.parametrize(
    ("value", "expected", "reason"),
    [
        (float("nan"), None, "the metric gave nan, which is no score"),
        (np.float32("-inf"), None, "the metric gave -inf, which is no score"),
        (np.float32(0.5), 0.5, None),
        (np.int64(1), 1.0, None),
    ],
)
def test_a_value_that_is_no_finite_number_is_undefined(value, expected, reason):
    found = score_or_reason(lambda: Score(value=value))

    assert (found.value, found.reason) == (expected, reason)
    assert StoredScore(value=found.value, reason=found.reason).value == expected


def test_a_perfect_mask_on_the_same_grid_has_dice_1():
    probability = [box(slice(1, 3)).astype(np.float32)] * 3

    found = scored(probability=probability, grids=[NATIVE] * 3)

    assert [score.value for score in found.per_patient["dice"]] == [1.0, 1.0, 1.0]
    assert (found.scores["dice"].value, found.scores["dice"].cases) == (1.0, 3)


def test_tumour_outside_the_models_crop_counts_as_missed():
    masks = dict.fromkeys(CASES, box(slice(1, 7)))
    probability = [box(slice(1, 7))[:4].astype(np.float32)] * 3

    found = scored(masks=masks, probability=probability, grids=[CROP] * 3)

    # Of six slices of tumour the crop holds three.
    assert found.scores["dice"].value == pytest.approx(2 * 3 / (3 + 6))


def test_a_probability_of_one_half_is_not_tumour():
    half = np.full(NATIVE.size, 0.5, np.float32)
    above = np.full(NATIVE.size, 0.5001, np.float32)
    everything = dict.fromkeys(CASES, np.ones(NATIVE.size, np.uint8))

    found = scored(masks=everything, probability=[half, above, above], grids=[NATIVE] * 3)

    assert [score.value for score in found.per_patient["dice"]] == [0.0, 1.0, 1.0]


def test_patients_without_tumour_or_mask_have_a_reason_and_no_part_in_the_mean():
    masks = {"P1": None, "P2": np.zeros(NATIVE.size, np.uint8), "P3": box(slice(1, 3))}
    probability = [box(slice(1, 3)).astype(np.float32)] * 3

    found = scored(masks=masks, probability=probability, grids=[NATIVE] * 3)

    assert [score.reason for score in found.per_patient["dice"]] == [
        "the case has no true mask",
        "the true mask is empty",
        None,
    ]
    assert (found.scores["dice"].value, found.scores["dice"].cases) == (1.0, 1)


def test_a_fold_without_any_mask_has_a_reason_instead_of_a_mean():
    probability = [np.zeros(NATIVE.size, np.float32)] * 3

    score = scored(masks=dict.fromkeys(CASES), probability=probability, grids=[NATIVE] * 3).scores[
        "dice"
    ]

    assert (score.value, score.reason, score.cases) == (
        None,
        "undefined for every test case: the case has no true mask",
        0,
    )


@pytest.mark.parametrize("missing", ["probability", "metrics"])
def test_masks_are_not_scored_without_probability_or_metric(missing):
    given = {
        "probability": [box(slice(1, 3)).astype(np.float32)] * 3,
        "grids": [NATIVE] * 3,
        "metrics": METRICS,
    }
    given[missing] = (
        Metrics(within_fold=METRICS.within_fold, per_patient={}) if missing == "metrics" else None
    )

    assert scored(**given).scores.keys() == {"harrell-c"}


def test_predictions_in_another_order_than_the_cohort_are_refused():
    swapped = Predictions(case_ids=("P2", "P1", "P3"), risk=np.zeros(3))

    with pytest.raises(PluginError, match="given 3 cases and must predict them in their order"):
        evaluate(
            swapped,
            cohort([CROP] * 3),
            Patients({}),
            outcomes=fold(),
            train=fold(),
            metrics=METRICS,
        )


class WaitingPatients(Patients):
    """Each case waits until `together` are being loaded; notes how many there are at once."""

    def __init__(self, masks, together: int) -> None:
        super().__init__(masks)
        self.barrier = threading.Barrier(together)
        self.lock = threading.Lock()
        self.now = self.most = 0

    def load(self, case_id: str) -> Case:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.barrier.wait(timeout=20)
        with self.lock:
            self.now -= 1
        return super().load(case_id)


@pytest.mark.parametrize("workers", [1, 3])
def test_patients_are_scored_side_by_side_in_their_order(workers):
    masks = {"P1": box(slice(1, 3)), "P2": None, "P3": box(slice(1, 7))}
    probability = [box(slice(1, 3)).astype(np.float32)] * 3
    patients = WaitingPatients(masks, together=workers)

    found = scored(dataset=patients, probability=probability, grids=[NATIVE] * 3, workers=workers)

    assert patients.most == workers
    assert [score.value for score in found.per_patient["dice"]] == [1.0, None, 0.5]
    assert list(found.overlaps) == list(found.slices) == ["P1", "P3"]


def test_a_case_that_cannot_be_loaded_is_named_once():
    class Unreadable(Patients):
        def load(self, case_id: str) -> Case:
            if case_id == "P2":
                raise DataError(self.masks["message"])
            return super().load(case_id)

    masks = dict.fromkeys(CASES, box(slice(1, 3)))
    given = {"probability": [box(slice(1, 3)).astype(np.float32)] * 3, "grids": [NATIVE] * 3}

    with pytest.raises(DataError, match=r"^case 'P2': PET.nii is damaged$"):
        scored(dataset=Unreadable({**masks, "message": "case 'P2': PET.nii is damaged"}), **given)
    with pytest.raises(MtsbenchError, match=r"^case 'P2': PET.nii is damaged$"):
        scored(dataset=Unreadable({**masks, "message": "PET.nii is damaged"}), **given, workers=2)


def test_a_patient_whom_a_metric_cannot_score_has_the_reason_and_the_others_their_scores():
    class Broken:
        higher_is_better = True

        def per_patient(self, predicted, mask, grid):
            if mask.sum() > 40:
                raise ZeroDivisionError("no surface")
            return Dice().per_patient(predicted, mask, grid)

    masks = {"P1": box(slice(1, 3)), "P2": box(slice(1, 3)), "P3": box(slice(1, 7))}

    found = scored(
        masks=masks,
        probability=[box(slice(1, 3)).astype(np.float32)] * 3,
        grids=[NATIVE] * 3,
        metrics=Metrics(within_fold={}, per_patient={"dice": Dice(), "broken": Broken()}),
    )

    assert [one.value for one in found.per_patient["broken"]] == [1.0, 1.0, None]
    reason = found.per_patient["broken"][2].reason
    assert reason == "the metric raised ZeroDivisionError: no surface"
