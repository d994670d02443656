from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtsbench.composition import Part
from mtsbench.engine import deep_model
from mtsbench.engine.checkpoints import DESCRIPTION
from mtsbench.engine.deep_model import DeepModel
from mtsbench.errors import CheckpointError, DataError, NotFittedError
from mtsbench.metrics.survival import harrell_c


def model(phantom, **changes) -> DeepModel:
    return DeepModel(phantom.composition(**changes), phantom.components(), "cpu")


def fitted(phantom, *, seed: int = 0, settings=None, log=None, **changes) -> DeepModel:
    made = model(phantom, **changes)
    context = phantom.context(settings or phantom.settings(), seed, log or (lambda *_: None))
    made.fit(phantom.patients(18), phantom.patients(12, seed=1), context)
    return made


@pytest.fixture(scope="module")
def quick(phantom):
    """A model of one second, and patients it has not seen."""
    return fitted(phantom), phantom.patients(9, seed=2).cohort


def same(one, other) -> bool:
    return np.array_equal(one.risk, other.risk) and all(
        np.array_equal(a, b)
        for a, b in zip(one.tumour_probability, other.tumour_probability, strict=True)
    )


def test_larger_tumours_are_learnt_to_be_riskier_and_are_found(phantom):
    logged = []
    settings = phantom.settings(epochs=8, steps_per_epoch=12, select_by="c-index+dice")
    made = fitted(phantom, settings=settings, log=lambda epoch, values: logged.append(values))
    unseen = phantom.patients(40, seed=9)

    predictions = made.predict(unseen.cohort)

    assert harrell_c(predictions.risk, unseen.outcomes.time, unseen.outcomes.event) > 0.85
    assert max(values["validation_dice"] for values in logged) > 0.8
    assert logged[-1]["loss"] < logged[0]["loss"]


def test_a_single_task_model_learns_the_same_order(phantom):
    settings = phantom.settings(epochs=6, steps_per_epoch=12)
    made = fitted(phantom, settings=settings, backbone="encoder")
    unseen = phantom.patients(40, seed=9)

    predictions = made.predict(unseen.cohort)

    assert harrell_c(predictions.risk, unseen.outcomes.time, unseen.outcomes.event) > 0.8
    assert predictions.tumour_probability is None


def test_the_same_seed_gives_the_same_model_bit_for_bit(phantom, quick):
    made, cohort = quick
    torch.rand(5)

    assert same(fitted(phantom).predict(cohort), made.predict(cohort))


def test_another_seed_gives_another_model(phantom, quick):
    made, cohort = quick

    assert not same(fitted(phantom, seed=1).predict(cohort), made.predict(cohort))


def test_the_seed_draws_the_initial_weights(phantom):
    # With next to no learning rate the weights stay what they were at the start.
    settings = phantom.settings(epochs=1, steps_per_epoch=1, learning_rates=((0, 1e-12),))

    weights = [
        fitted(phantom, seed=seed, settings=settings)._network.head.linear.weight
        for seed in (0, 0, 1)
    ]

    assert torch.equal(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2], atol=1e-3)


def test_the_callers_random_state_is_untouched(phantom, quick, tmp_path):
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()

    made = fitted(phantom, settings=phantom.settings(epochs=1))
    made.predict(quick[1])
    made.save(tmp_path)
    model(phantom).load(tmp_path)

    assert torch.equal(torch.get_rng_state(), before[0])
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), before[1], strict=True))
    assert random.getstate() == before[2]
    assert not torch.are_deterministic_algorithms_enabled()


def test_predictions_come_in_the_order_of_the_cohort(quick):
    made, cohort = quick
    reversed_cohort = replace(cohort, case_ids=cohort.case_ids[::-1])

    forwards, backwards = made.predict(cohort), made.predict(reversed_cohort)

    assert backwards.case_ids == cohort.case_ids[::-1]
    np.testing.assert_allclose(backwards.risk[::-1], forwards.risk, atol=1e-6)
    assert len(forwards.tumour_probability) == len(cohort)


def test_a_test_cohort_needs_no_masks(phantom, quick):
    made, cohort = quick

    assert same(made.predict(phantom.patients(9, seed=2, masks=False).cohort), made.predict(cohort))


def test_outcomes_of_the_training_part_reach_the_head(phantom, quick):
    times = phantom.patients(18).outcomes.time

    assert quick[0]._network.head.mean_time.item() == pytest.approx(times.mean(), rel=1e-6)


def test_a_saved_model_predicts_the_same_after_loading(phantom, quick, tmp_path):
    made, cohort = quick
    made.save(tmp_path)

    loaded = model(phantom)
    loaded.load(tmp_path)

    assert same(loaded.predict(cohort), made.predict(cohort))
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    for path in again.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def how_inferred(monkeypatch) -> list[dict]:
    """What each later call of `infer` is given."""
    given, infer = [], deep_model.infer

    def noted(network, cohort, device, batch_size, **changes):
        given.append({"device": device, "batch_size": batch_size, **changes})
        return infer(network, cohort, device, batch_size, **changes)

    monkeypatch.setattr(deep_model, "infer", noted)
    return given


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_a_model_predicts_as_it_was_fitted_also_after_loading(
    phantom, quick, tmp_path, monkeypatch, precision
):
    settings = phantom.settings(epochs=1, steps_per_epoch=1, precision=precision, batch_size=4)
    made, loaded = fitted(phantom, settings=settings), model(phantom)
    made.save(tmp_path)
    loaded.load(tmp_path)
    given = how_inferred(monkeypatch)

    before, after = made.predict(quick[1]), loaded.predict(quick[1])

    assert given[0] == given[1]
    assert given[1]["precision"] == precision
    assert given[1]["batch_size"] == 4
    assert same(before, after)
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    assert (again / DESCRIPTION).read_bytes() == (tmp_path / DESCRIPTION).read_bytes()


def test_a_checkpoint_of_format_1_is_loaded_and_what_it_does_not_say_is_told(
    phantom, quick, tmp_path, caplog
):
    made, cohort = quick
    made.save(tmp_path)
    path, loaded = tmp_path / DESCRIPTION, model(phantom)
    described = json.loads(path.read_text())
    del described["precision"], described["batch_size"]
    path.write_text(json.dumps({**described, "format": 1}))

    loaded.load(tmp_path)

    assert "is of format 1, which does not say in which precision it was trained" in caplog.text
    assert same(loaded.predict(cohort), made.predict(cohort))


def test_a_fitted_model_stays_on_the_device_of_its_context(phantom, quick):
    made = DeepModel(phantom.composition(), phantom.components(), "cuda:7")
    context = phantom.context(phantom.settings(epochs=1, steps_per_epoch=1))

    made.fit(phantom.patients(18), phantom.patients(12, seed=1), context)

    assert made.device == "cpu"
    assert np.isfinite(made.predict(quick[1]).risk).all()


def test_a_checkpoint_of_other_parts_is_refused(phantom, quick, tmp_path):
    quick[0].save(tmp_path)

    for other in (
        model(phantom, backbone="encoder"),
        model(phantom, survival_network=Part(name="encoder")),
    ):
        with pytest.raises(CheckpointError, match=r"holds a network of .*, but the model is"):
            other.load(tmp_path)


def test_a_checkpoint_of_another_width_is_refused(phantom, quick, tmp_path):
    quick[0].save(tmp_path)
    wider = replace(phantom.composition(), backbone=Part(name="segmenting", options={"width": 5}))

    with pytest.raises(
        CheckpointError,
        match=r"holds a network of .*made of .*width.*use the options the checkpoint",
    ):
        DeepModel(wider, phantom.components(), "cpu").load(tmp_path)


def test_a_model_that_is_not_fitted_cannot_predict_or_be_saved(phantom, quick, tmp_path):
    with pytest.raises(
        NotFittedError, match="cannot predict: the model is not fitted; call fit or"
    ):
        model(phantom).predict(quick[1])
    with pytest.raises(NotFittedError, match="cannot save: the model is not fitted"):
        model(phantom).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_whose_loading_failed_is_still_not_fitted(phantom, quick, tmp_path):
    made = model(phantom)
    with pytest.raises(CheckpointError, match="is missing"):
        made.load(tmp_path)
    with pytest.raises(NotFittedError, match="cannot predict"):
        made.predict(quick[1])


@pytest.mark.parametrize(
    "parts", [{"backbone": "coarse"}, {"survival_network": Part(name="coarse")}]
)
def test_a_grid_that_does_not_suit_a_backbone_is_refused(phantom, parts):
    patients = phantom.patients(6, size=(8, 12, 16))

    with pytest.raises(
        DataError,
        match=r"common grid has \(8, 12, 16\) voxels, but backbone 'coarse' needs multiples of 8; "
        "set --set preprocessing.size",
    ):
        model(phantom, **parts).fit(patients, patients, phantom.context(phantom.settings()))


def test_the_emphasis_of_the_settings_weighs_the_segmentation(phantom):
    losses = []
    for emphasis in (1.0, 5.0):
        settings = phantom.settings(epochs=1, steps_per_epoch=1, segmentation_emphasis=emphasis)
        fitted(phantom, settings=settings, log=lambda epoch, values: losses.append(values))

    assert losses[0]["dice"] == losses[1]["dice"]
    assert losses[1]["loss"] - losses[0]["loss"] == pytest.approx(4 * losses[0]["dice"], rel=1e-5)


def test_a_head_with_curves_learns_its_baseline_from_the_training_cases_and_keeps_it(
    phantom, tmp_path
):
    made, train = fitted(phantom, head=Part(name="curves")), phantom.patients(18)

    predictions = made.predict(train.cohort)

    # An exponential baseline's maximum likelihood: expected events equal observed ones.
    assert predictions.survival_reading == "linear"
    rate = -np.log(predictions.survival[:, 1]) / predictions.survival_time[1]
    assert (rate * train.outcomes.time).sum() == pytest.approx(train.outcomes.event.sum(), rel=1e-4)
    made.save(tmp_path)
    again = model(phantom, head=Part(name="curves"))
    again.load(tmp_path)
    np.testing.assert_array_equal(again.predict(train.cohort).survival, predictions.survival)


def test_a_head_without_curves_gives_none(quick):
    made, patients = quick

    assert made.predict(patients).survival is None


def test_an_empty_cohort_cannot_be_predicted(quick):
    made, patients = quick

    with pytest.raises(DataError, match="the cohort has no case"):
        made.predict(replace(patients, case_ids=()))
