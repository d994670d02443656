"""One broken model for each check, and the check that names its fault."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.composition import Composition, Part
from mtsbench.data import Predictions
from mtsbench.errors import CheckpointError, NotFittedError
from mtsbench.plugins import Components
from mtsbench.testing import BrokenPromise, ModelContract, phantom_cohort

RISK_AND_MASK = {"produces": frozenset({"risk", "mask"})}


class Right:
    """Risk is the mean uptake on the scale of the training cases."""

    def __init__(self) -> None:
        self.scale: float | None = None

    def fit(self, train, validation, context) -> None:
        self.scale = 1 / np.mean([case.image[0].mean() for case in train.cohort])

    def predict(self, cohort) -> Predictions:
        if self.scale is None:
            raise NotFittedError("fit first")
        return self.predictions(cohort, [cohort[row] for row in range(len(cohort))])

    def predictions(self, cohort, cases):
        risk = np.array([self.scale * float(case.image[0].mean()) for case in cases])
        masks = tuple((case.image[0] > 1) * np.float32(1) for case in cases)
        return Predictions(case_ids=cohort.case_ids, risk=risk, tumour_probability=masks)

    def save(self, folder) -> None:
        if self.scale is None:
            raise NotFittedError("fit first")
        (folder / "scale.json").write_text(json.dumps(float(self.scale)))

    def load(self, folder) -> None:
        if not (folder / "scale.json").is_file():
            raise CheckpointError("no scale.json")
        self.scale = json.loads((folder / "scale.json").read_text())


def with_risk(change):
    """A model whose risks are changed by a function of model, cohort and risks."""

    class Changed(Right):
        def predictions(self, cohort, cases):
            found = super().predictions(cohort, cases)
            return replace(found, risk=change(self, cohort, found.risk))

    return Changed


class GuessesUnfitted(Right):
    def __init__(self):
        self.scale = 1.0


class CrashesUnfitted(Right):
    def predict(self, cohort):
        return Predictions(case_ids=cohort.case_ids, risk=np.zeros(3) * self.scale)

    def save(self, folder):
        raise TypeError("None is no scale")


class ReadsOthers(Right):
    def fit(self, train, validation, context):
        super().fit(train, validation, context)
        try:
            train.cohort.read("K2-00")
        except KeyError:
            return


class ReadsOthersNatively(Right):
    def fit(self, train, validation, context):
        super().fit(train, validation, context)
        try:
            validation.cohort.read_native("K2-00")
        except KeyError:
            return


class Shuffles(Right):
    def predict(self, cohort):
        return super().predict(replace(cohort, case_ids=tuple(sorted(cohort.case_ids))))


class Unseeded(Right):
    def fit(self, train, validation, context):
        self.scale = np.random.default_rng().uniform(1, 2)


class Peeks(Right):
    def predict(self, cohort):
        found = super().predict(cohort)
        outcomes = getattr(cohort, "outcomes", None)
        return found if outcomes is None else replace(found, risk=-outcomes.time)


class CoarseMaps(Right):
    def predictions(self, cohort, cases):
        found = super().predictions(cohort, cases)
        return replace(
            found, tumour_probability=tuple(one[::2] for one in found.tumour_probability)
        )


class LogitsAsMaps(Right):
    def predictions(self, cohort, cases):
        found = super().predictions(cohort, cases)
        return replace(
            found, tumour_probability=tuple(8 * one - 4 for one in found.tumour_probability)
        )


class WithCurves(Right):
    """Exponential curves; the higher the risk, the lower."""

    sign = 1.0

    def predictions(self, cohort, cases):
        found = super().predictions(cohort, cases)
        rate = 1e-3 * np.exp(self.sign * found.risk)
        days = np.linspace(0, 3000, 7)
        curves = np.exp(-rate[:, None] * days[None, :])
        return replace(found, survival=curves, survival_time=days, survival_reading="linear")


class CurvesUpsideDown(WithCurves):
    sign = -1.0


class ForgetsTheScale(Right):
    def load(self, folder):
        super().load(folder)
        self.scale = 7.0


class Pickles(Right):
    def save(self, folder):
        super().save(folder)
        (folder / "model.pkl").write_bytes(b"")


class WritesNothing(Right):
    def save(self, folder):
        if self.scale is None:
            raise NotFittedError("fit first")


class LoadsAnything(Right):
    def load(self, folder):
        self.scale = 1.0


class LoadsWithKeyError(Right):
    def load(self, folder):
        raise KeyError("scale")


Ranked = with_risk(lambda model, cohort, risk: risk.argsort().argsort().astype(float))
ByPosition = with_risk(lambda model, cohort, risk: risk + np.arange(len(risk)))
UpsideDown = with_risk(lambda model, cohort, risk: -risk)
Constant = with_risk(lambda model, cohort, risk: 0 * risk)

FAULTS = [
    ("predicting_before_fit_is_refused", GuessesUnfitted, "predict before fit gave predictions"),
    ("predicting_before_fit_is_refused", CrashesUnfitted, "predict before fit raised TypeError"),
    ("saving_before_fit_is_refused", GuessesUnfitted, "save before fit wrote a checkpoint"),
    ("saving_before_fit_is_refused", CrashesUnfitted, "save before fit raised TypeError"),
    ("no_case_but_the_given_is_read_during_fit", ReadsOthers, "fit read the case 'K2-00'"),
    ("no_case_but_the_given_is_read_during_fit", ReadsOthersNatively, "read the case 'K2-00'"),
    ("predictions_follow_the_order_of_the_cohort", Shuffles, "the predictions name other cases"),
    ("predictions_follow_the_order_of_the_cohort", ByPosition, "another risk in another order"),
    ("one_case_equals_a_batch", Ranked, r"case 'K2-00' has risk 0 alone and \d+ among others"),
    ("outcomes_of_test_cases_change_nothing", Peeks, "the model reads them"),
    ("the_same_seed_gives_the_same_predictions", Unseeded, "two fits with the same seed"),
    ("a_higher_risk_means_an_earlier_event", UpsideDown, r"C on the phantom is 0\.0\d, expected"),
    ("a_higher_risk_means_an_earlier_event", Constant, r"C on the phantom is 0\.50, expected 0\.6"),
    (
        "tumour_maps_are_probabilities_on_the_grid_of_each_case",
        CoarseMaps,
        r"has \(16, 16, 16\) voxels, its tumour map \(8, 16, 16\)",
    ),
    (
        "tumour_maps_are_probabilities_on_the_grid_of_each_case",
        LogitsAsMaps,
        r"leaves \[0, 1\]; give probabilities",
    ),
    ("a_stored_model_predicts_the_same", ForgetsTheScale, "the loaded model predicts something"),
    ("a_stored_model_is_no_pickle", Pickles, "save wrote 'model.pkl'; write safetensors"),
    ("a_stored_model_is_no_pickle", WritesNothing, "save wrote no file"),
    ("a_damaged_checkpoint_is_refused", LoadsAnything, "load of an empty folder went well"),
    ("a_damaged_checkpoint_is_refused", LoadsWithKeyError, "empty folder raised KeyError"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(ModelContract, lambda: fault(), RISK_AND_MASK)

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def test_curves_that_contradict_the_risk_are_found(contract_of, verdicts):
    record = {"produces": frozenset({"risk", "survival", "mask"})}
    right = verdicts(contract_of(ModelContract, lambda: WithCurves(), record))

    assert {status for status, _ in right.values()} == {"kept"}, right
    with pytest.raises(BrokenPromise, match=r"early events by the curves is -1\.00"):
        contract_of(
            ModelContract, lambda: CurvesUpsideDown(), record
        )().test_a_higher_risk_has_the_lower_curve()


def test_a_product_that_is_not_declared_is_found(contract_of):
    contract = contract_of(ModelContract, lambda: Right(), {"produces": frozenset({"risk"})})

    with pytest.raises(BrokenPromise, match=r"\['risk'\], predictions hold \['mask', 'risk'\]"):
        contract().test_the_predictions_are_those_declared()


def test_a_right_model_keeps_every_promise(contract_of, verdicts):
    found = verdicts(contract_of(ModelContract, lambda: Right(), RISK_AND_MASK))

    assert found.pop("a_higher_risk_has_the_lower_curve")[0] == "not applicable"
    assert {status for status, _ in found.values()} == {"kept"}, found


def test_the_tiny_model_keeps_every_promise(contract_of, verdicts, tiny):
    found = verdicts(contract_of(ModelContract, lambda: tiny.UptakeModel(""), RISK_AND_MASK))

    assert found.pop("a_higher_risk_has_the_lower_curve")[0] == "not applicable"
    assert {status for status, _ in found.values()} == {"kept"}, found


def test_a_model_that_declares_to_rank_nobody_has_no_direction(contract_of, verdicts):
    record = {**RISK_AND_MASK, "ranks_cases": False}
    found = verdicts(contract_of(ModelContract, lambda: Constant(), record))

    assert found["a_higher_risk_means_an_earlier_event"] == (
        "not applicable",
        "the model declares ranks_cases = False",
    )


def test_a_composition_is_trained_by_the_engine_and_keeps_every_promise(phantom, verdicts):
    from mtsbench.components import ModelComponent

    def build() -> Composition:
        return phantom.composition(backbone="coarse", head=Part(name="curves"))

    record = ModelComponent(
        name="deep",
        summary="Deep",
        build=build,
        reference="https://example.org/",
        produces=frozenset({"risk", "survival", "mask"}),
        needs=frozenset({"image", "training-masks"}),
    )
    announced = Announced(component=record, kind="model", distribution="mine", version="1")
    mine = Plugin(entry_point="m", distribution="mine", version="1", announced=(announced,))
    found = Components(plugins=(*phantom.components().plugins, mine))
    contract = type(
        "Deep",
        (ModelContract,),
        {"component": "deep", "components": classmethod(lambda cls: found)},
    )

    verdict = verdicts(contract)

    assert {status for status, _ in verdict.values()} == {"kept"}, verdict


def test_the_grid_of_the_phantom_fits_every_network(contract_of, phantom):
    part = Component(
        name="large", summary="Large", build=lambda channels: Wide(), reference="https://e.org"
    )
    announced = Announced(component=part, kind="backbone", distribution="mine", version="1")
    found = Components(
        plugins=(Plugin(entry_point="m", distribution="m", version="1", announced=(announced,)),)
    )
    contract = contract_of(ModelContract, Right)
    contract.components = classmethod(lambda cls: found)
    contract.build = classmethod(
        lambda cls: Composition(backbone=Part(name="large"), head=Part(name="cox"), losses=())
    )

    assert contract._side() == 96


class Wide:
    multiple = 96


def test_two_dozen_phantoms_have_an_outcome_that_the_uptake_decides():
    labelled = phantom_cohort()
    outcomes = labelled.outcomes
    uptake = np.array([case.image[0].mean() for case in labelled.cohort])

    events = np.flatnonzero(outcomes.event)
    ranks = np.argsort(np.argsort(uptake[events]))
    days = np.argsort(np.argsort(outcomes.time[events]))
    assert len(labelled) == 24
    assert len(events) == 16
    assert labelled.cohort[0].image.shape == (2, 16, 16, 16)
    assert np.corrcoef(ranks, days)[0, 1] < -0.8


def test_other_seeds_give_other_phantoms_and_the_same_seed_the_same():
    first, again, other = (phantom_cohort(4, seed=seed).cohort for seed in (5, 5, 6))

    assert np.array_equal(first[0].image, again[0].image)
    assert not set(first.case_ids) & set(other.case_ids)


def test_a_withheld_mask_is_withheld_in_both_forms():
    cohort = phantom_cohort(2, masks=False).cohort

    assert cohort[0].mask is None
    assert cohort.read_native(cohort.case_ids[0]).mask is None
