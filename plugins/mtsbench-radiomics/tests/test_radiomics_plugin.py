"""What the package announces, and that every model can be built."""

from __future__ import annotations

import subprocess
import sys

import pytest
from mtsbench_radiomics.features.settings import standard_settings

from mtsbench.capabilities import has_network_inside
from mtsbench.errors import OptionError
from mtsbench.model_building import build_model
from mtsbench.plugins import load_components

TRUE_MASK = {
    "volume",
    "radiomics-coxnet",
    "radiomics-gbm",
    "radiomics-icare",
    "radiomics-rsf",
}
NETWORK = {"deepmts-radiomics", *(f"{name}-predicted" for name in TRUE_MASK)}
NAMES = sorted(
    {
        "km",
        "clinical-cox",
        "clinical-rsf",
        "volume-threshold",
        *TRUE_MASK,
        *(f"{name}-threshold" for name in TRUE_MASK),
        *NETWORK,
    }
)


@pytest.fixture(scope="module")
def components():
    return load_components(strict=True)


def test_exactly_these_models_are_announced(components):
    announced = {
        one.component.name
        for one in components.all("model")
        if one.distribution == "mtsbench-radiomics"
    }

    assert announced == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_what_it_needs_and_can_be_built(components, name):
    component = components.get("model", name).component

    model = components.build("model", name)

    assert component.needs_mask_at_test == (name in TRUE_MASK)
    assert ("training-masks" in component.needs) == (name in TRUE_MASK | NETWORK)
    assert ("mask" in component.produces) == has_network_inside(model) == (name in NETWORK)
    assert {"risk", "survival"} <= component.produces
    assert ("clinical" in component.needs) == name.startswith("clinical")
    assert ({"pet_suv", "ct_hu"} <= component.needs) == ("radiomics" in name)


@pytest.mark.parametrize("name", sorted(name for name in NAMES if "radiomics" in name))
def test_the_default_features_are_those_of_the_settings_file(components, name):
    model = components.build("model", name)

    assert model.options["features"] == standard_settings().model_dump(mode="json")


@pytest.mark.parametrize("option", ["spacing", "bin_hu", "bin_suv"])
def test_a_grid_or_bin_that_cannot_be_is_refused(components, option):
    with pytest.raises(OptionError, match=f"'{option}' of model 'radiomics-rsf' must be float > 0"):
        components.build("model", "radiomics-rsf", options={option: "0"})


def test_an_option_that_came_later_enters_a_key_where_it_is_set(components):
    plain = build_model("radiomics-gbm", {}, components)[1]
    changed = build_model("radiomics-gbm", {"bin_suv": "0.5"}, components)[1]

    assert "bin_suv" not in plain
    assert changed == {**plain, "bin_suv": 0.5}


def test_options_reach_the_parts(components):
    options = {"l1_ratio": "1", "screened": "7", "log_sigma": "1.5,3", "clinical": "false"}

    model = components.build("model", "radiomics-coxnet", options=options)

    assert model.estimator.l1_ratio == 1.0
    assert model.preparation.screened == 7
    assert model.options["features"]["filters"] == {"wavelet": False, "log_sigma": [1.5, 3.0]}
    assert len(model.source.parts) == 1
    bins = {"spacing": "3", "bin_hu": "10", "bin_suv": "0.5"}
    features = components.build("model", "radiomics-icare", options=bins).options["features"]
    assert features["interpolation"]["spacing"] == 3.0
    assert features["discretisation"] == {"ct_hu": 10.0, "pet_suv": 0.5}


@pytest.mark.parametrize("name", sorted(TRUE_MASK))
def test_a_method_is_the_same_in_every_region(components, name):
    given, threshold, predicted = (
        components.build("model", f"{name}{region}") for region in ("", "-threshold", "-predicted")
    )

    assert given.estimator == threshold.estimator == predicted.estimator
    assert given.preparation == threshold.preparation == predicted.preparation
    assert given.inner_folds == threshold.inner_folds == predicted.inner_folds


def test_the_network_of_a_predicted_region_is_trained_without_outcomes(components):
    alone = components.build("model", "radiomics-coxnet-predicted").composition
    both = components.build("model", "deepmts-radiomics").composition

    assert {loss.task for loss in alone.losses} == {"segmentation"}
    assert alone.survival_network is None
    assert both == components.build("model", "deepmts")


def test_importing_the_plugin_imports_nothing_heavy():
    script = (
        "import sys, mtsbench_radiomics.plugin as plugin; list(plugin.mtsbench_models()); "
        "print(sorted({'torch', 'sksurv', 'sklearn', 'pandas', 'scipy', 'SimpleITK'} "
        "& set(sys.modules)))"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert found.stdout.strip() == "[]", found.stderr
