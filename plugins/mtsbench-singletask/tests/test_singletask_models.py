"""Each model of the package learns a step on a phantom and predicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtsbench.data import LabelledCohort
from mtsbench.engine.deep_model import DeepModel
from mtsbench.plugins import load_components

COMPONENTS = load_components()
MODELS = [
    "singletask-resnet18",
    "singletask-resnet18-masked",
    "singletask-densenet121",
    "singletask-densenet121-masked",
    "deepconvsurv",
    "clinical-deep",
]
SIZE = (32, 32, 48)


def fitted(phantom, name, **options):
    model = DeepModel(COMPONENTS.build("model", name, options=options), COMPONENTS, "cpu")
    settings = phantom.settings(epochs=1, steps_per_epoch=1, batch_size=4)
    model.fit(
        phantom.patients(8, size=SIZE),
        phantom.patients(6, seed=1, size=SIZE),
        phantom.context(settings),
    )
    return model


@pytest.mark.parametrize("name", MODELS)
def test_a_model_trains_and_gives_risk_and_curves(phantom, name):
    predictions = fitted(phantom, name).predict(phantom.patients(3, seed=2, size=SIZE).cohort)

    assert np.isfinite(predictions.risk).all()
    train = phantom.patients(8, size=SIZE).outcomes
    days = {0.0, *train.time[train.event], train.time.max()}
    assert predictions.survival_time.tolist() == sorted(days)
    assert predictions.survival_reading == "step"
    assert predictions.survival.shape == (3, len(days))
    assert predictions.tumour_probability is None
    component = COMPONENTS.get("model", name).component
    assert component.needs_mask_at_test == name.endswith("-masked")


def changed(cohort, change):
    return replace(cohort, read=lambda case_id: change(cohort.read(case_id)))


@pytest.mark.parametrize(("channels", "ignored"), [("pet", 1), ("ct", 0)])
def test_a_model_of_one_channel_ignores_the_other(phantom, channels, ignored):
    model = fitted(phantom, "deepconvsurv", channels=channels)
    cohort = phantom.patients(3, seed=2, size=SIZE).cohort

    def other(case):
        image = case.image.copy()
        image[ignored] += 5
        return replace(case, image=image)

    def same(case):
        image = case.image.copy()
        image[1 - ignored] += 5
        return replace(case, image=image)

    risk = model.predict(cohort).risk
    np.testing.assert_array_equal(model.predict(changed(cohort, other)).risk, risk)
    assert not np.array_equal(model.predict(changed(cohort, same)).risk, risk)


def test_a_masked_model_ignores_what_lies_outside_the_tumour(phantom):
    model = fitted(phantom, "singletask-resnet18-masked")
    cohort = phantom.patients(3, seed=2, size=SIZE).cohort

    def outside(case):
        return replace(case, image=np.float32(case.image + 5 * (1 - case.mask)))

    def inside(case):
        return replace(case, image=np.float32(case.image + 5 * case.mask))

    risk = model.predict(cohort).risk
    np.testing.assert_array_equal(model.predict(changed(cohort, outside)).risk, risk)
    assert not np.array_equal(model.predict(changed(cohort, inside)).risk, risk)


@pytest.mark.parametrize(
    "head", ["logistic-hazard", "pmf", "mtlr", "deephit", "weibull-aft", "deepmts-cox"]
)
def test_every_head_can_be_put_on_a_backbone_with_its_loss(phantom, head):
    model = fitted(phantom, "singletask", backbone="deepconvsurv", head=head, loss=head)

    predictions = model.predict(phantom.patients(3, seed=2, size=SIZE).cohort)

    assert np.isfinite(predictions.risk).all()
    assert predictions.survival is not None


@pytest.mark.parametrize(
    ("backbone", "head", "segmentation_loss", "balancing"),
    [
        ("deepmts-segmentation", "logistic-hazard", "dice-ce", "uncertainty"),
        ("monai:segresnet", "mtlr", "dice-focal", "one-minus-gamma"),
        ("deepmts-segmentation", "weibull-aft", "tversky", "two-stage"),
    ],
)
def test_both_tasks_are_trained_with_any_backbone_head_losses_and_balancing(
    phantom, backbone, head, segmentation_loss, balancing
):
    names = {"backbone": backbone, "head": head, "survival_loss": head}
    composition = COMPONENTS.build(
        "model", "joint", options={**names, "segmentation_loss": segmentation_loss}
    )
    log = []
    settings = phantom.settings(epochs=2, steps_per_epoch=1, batch_size=4, balancing=balancing)
    model = DeepModel(composition, COMPONENTS, "cpu")

    model.fit(
        phantom.patients(8, size=(16, 16, 32)),
        phantom.patients(6, seed=1, size=(16, 16, 32)),
        phantom.context(settings, log=lambda epoch, values: log.append(values)),
    )
    predictions = model.predict(phantom.patients(3, seed=2, size=(16, 16, 32)).cohort)

    assert {head, segmentation_loss} <= set(log[0])
    assert np.isfinite(predictions.risk).all()
    assert predictions.survival is not None
    assert len(predictions.tumour_probability) == 3


def test_a_strong_clinical_factor_is_learnt_without_an_image(phantom):
    """Through the whole engine: risk follows a variable that decides the follow-up."""
    patients = phantom.patients(40)
    age = {
        case_id: np.float32(-np.log(time) + 6)
        for case_id, time in zip(patients.cohort.case_ids, patients.outcomes.time, strict=True)
    }

    def told(case):
        return replace(case, clinical=np.array([age[case.case_id]], np.float32))

    cohort = changed(patients.cohort, told)
    labelled = LabelledCohort(cohort=cohort, outcomes=patients.outcomes)
    model = DeepModel(COMPONENTS.build("model", "clinical-deep"), COMPONENTS, "cpu")
    model.fit(labelled, labelled, phantom.context(phantom.settings(epochs=4, steps_per_epoch=25)))

    risk = model.predict(cohort).risk

    assert np.corrcoef(risk, [age[one] for one in cohort.case_ids])[0, 1] > 0.9
