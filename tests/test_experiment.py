"""From a request to settled choices, and what a trial's key depends on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtsbench.errors import DataError, OptionError, UnknownComponentError
from mtsbench.experiment import Request, resolve
from mtsbench.identity import digest
from mtsbench.splits import make_splits


@pytest.fixture
def settle(tiny):
    def settle(*, seeds=None, **settings):
        request = Request(
            model="uptake", dataset="tiny", preset="demo", folds=3, seeds=seeds, settings=settings
        )
        return resolve(request, tiny.components())

    return settle


def first_key(experiment, seed=0):
    outcomes = experiment.dataset.outcomes(experiment.endpoint)
    return experiment.key(make_splits(outcomes, experiment.protocol, {})[0], seed)


def test_the_default_endpoint_preset_and_geometry_are_settled(settle):
    experiment = settle()

    assert (experiment.endpoint, experiment.preset, experiment.device) == ("pfs", "demo", "cpu")
    assert experiment.preprocessing.size == (32, 32, 32)
    assert experiment.preprocessing.spacing == (2.0, 2.0, 2.0)
    assert not experiment.needs_mask_at_test


def test_the_same_request_gives_the_same_key(settle):
    assert first_key(settle()) == first_key(settle())


@pytest.mark.parametrize(
    "settings",
    [
        {"fails": "X"},
        {"dataset.cases": "27"},
        {"training.epochs": "3"},
        {"preprocessing.ct_window": "-200,200"},
        {"preprocessing.test_centre": "mask"},
        {"preprocessing.storage": "float16"},
    ],
)
def test_whatever_changes_a_result_changes_the_key(settle, settings):
    assert first_key(settle(**settings)) != first_key(settle())


@pytest.mark.parametrize(
    ("name", "default", "other"),
    [
        ("precision", "auto", "bf16"),
        ("compilation", "off", "on"),
        ("checkpointing", "false", "true"),
    ],
)
def test_a_setting_that_came_later_changes_no_key_while_it_has_its_default(
    settle, name, default, other
):
    usual = settle()

    assert name not in usual.method()["training"]
    assert first_key(settle(**{f"training.{name}": default})) == first_key(usual)
    assert first_key(settle(**{f"training.{name}": other})) != first_key(usual)


def test_the_settings_of_the_first_version_are_all_in_the_key(settle):
    assert set(settle().method()["training"]) == {
        *("epochs", "steps_per_epoch", "batch_size", "balanced", "learning_rates", "patience"),
        *("select_by", "rotation", "translation", "translation_mode", "flip", "mask_threshold"),
        *("segmentation_emphasis", "balancing", "gamma", "first_stage", "batch_norm_momentum"),
    }


def test_the_key_of_a_request_stays_what_it_was(settle):
    """Else every finished trial would be run again; raise it only with what changes results."""
    experiment = replace(settle(), versions={})

    assert first_key(experiment) == (
        "1960a5f540e9e51922382b8f3d1482e501d92887ea147f1833b566bbaa460f53"
    )
    exact = replace(settle(**{"preprocessing.storage": "float32"}), versions={})
    assert first_key(exact) == first_key(experiment)


def test_the_seed_changes_the_key(settle):
    assert first_key(settle(), seed=1) != first_key(settle(), seed=0)


def test_a_crop_around_the_true_mask_is_declared(settle):
    experiment = settle(**{"preprocessing.test_centre": "mask"})

    assert experiment.needs_mask_at_test
    assert experiment.method()["needs_mask_at_test"] is True


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"other.x": "1"}, "setting 'other.x' begins with 'other'; expected one of dataset, tr"),
        ({"fials": "1"}, "model 'uptake' has no option 'fials'. Did you mean 'fails'?"),
        ({"dataset.case": "1"}, "dataset 'tiny' has no option 'case'"),
        ({"training.epochs": "0"}, "'epochs' of training must be int >= 1, got '0'"),
        ({"preprocessing.size": "0,1,1"}, "size must be three voxel counts > 0"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(settle, settings, message):
    with pytest.raises(OptionError, match=message.replace("?", r"\?")):
        settle(**settings)


@pytest.mark.parametrize(
    ("needs", "lacking"),
    [({"mr_t1", "pet_suv"}, "mr_t1"), ({"image", "clinical", "training-masks"}, None)],
)
def test_a_dataset_without_what_the_model_needs_is_refused(tiny, needs, lacking):
    request = Request(model="uptake", dataset="tiny", preset="demo")
    components = tiny.components(needs=frozenset(needs))

    if lacking is None:
        assert resolve(request, components).model_name == "uptake"
        return
    with pytest.raises(
        DataError, match=f"'uptake' needs {lacking}, but dataset 'tiny' has clinical, ct_hu, image"
    ):
        resolve(request, components)


def test_a_network_inside_a_model_gives_its_geometry_budget_and_versions(tiny):
    request = Request(model="deep-inside", dataset="tiny", preset="paper")

    with pytest.raises(UnknownComponentError, match="no backbone is called 'net'"):
        resolve(request, tiny.components())
    experiment = resolve(request, tiny.components(with_parts=True))

    assert experiment.training.epochs == 77
    assert experiment.preprocessing.size == (16, 32, 48)
    assert experiment.versions["backbone net"] == "tiny 1.0"


def test_an_endpoint_the_dataset_lacks_is_refused(tiny):
    request = Request(model="uptake", dataset="tiny", endpoint="OS")

    with pytest.raises(OptionError, match="dataset 'tiny' has no endpoint 'OS'; it has pfs"):
        resolve(request, tiny.components())


def test_a_dataset_without_outcomes_cannot_be_run(tiny, monkeypatch):
    monkeypatch.setattr(tiny.TinyDataset, "endpoints", ())

    with pytest.raises(OptionError, match="'tiny' gives no outcomes here"):
        resolve(Request(model="uptake", dataset="tiny"), tiny.components())


def test_a_digest_does_not_depend_on_the_order_of_keys():
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
