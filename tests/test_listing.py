from __future__ import annotations

import io
import json
from typing import Literal

import pytest

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component, ModelComponent
from mtsbench.errors import OptionError, PluginConflictError
from mtsbench.listing import (
    component_json,
    list_json,
    parse_kind,
    print_component,
    print_list,
    problems,
    terminal,
)
from mtsbench.plugins import Components, load_components


@pytest.fixture
def installed(install):
    """The components of fake distributions."""

    def load(*folders: str) -> Components:
        install(*folders)
        return load_components()

    return load


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def printed(function, *arguments) -> str:
    written = io.StringIO()
    function(*arguments, terminal(written))
    return written.getvalue()


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("models", "model"), ("model", "model"), ("losses", "loss"), ("plugins", "plugin")],
)
def test_a_kind_is_known_in_singular_and_plural(text, kind):
    assert parse_kind(text) == kind


def test_an_unknown_kind_gets_a_suggestion_and_the_list():
    with pytest.raises(
        OptionError,
        match=r"no kind is called 'modles'\. Did you mean 'models'\? Kinds: datasets, .*plugins\.$",
    ):
        parse_kind("modles")


def test_the_list_of_everything_has_every_kind_and_name(installed):
    text = printed(print_list, installed("working"), None)

    for heading in ("datasets (1)", "losses (2)", "models (2)", "heads (0)", "metrics (11)"):
        assert heading in text
    assert ["parts", "A", "deep", "model", "made", "of", "parts"] in rows(text)


def test_the_list_of_models_says_what_they_need(installed):
    text = printed(print_list, installed("working"), "model")

    assert rows(text)[0] == ["NAME", "SUMMARY", "NEEDS"]
    assert "pet_suv, GPU, TRUE MASK OF TEST CASES" in " ".join(text.split())
    assert ["zebra", "Announced", "first", "-"] in rows(text)


def test_a_kind_without_components_is_said_to_be_empty(installed):
    assert printed(print_list, installed(), "executor") == "no executor is installed\n"


def test_a_tracker_says_how_its_options_are_set(installed):
    text = printed(print_component, installed(), "tracker", "mlflow")

    assert "options (--set tracker.mlflow.NAME=VALUE)" in text
    assert "experiment" in text


def test_names_are_never_cut_and_lines_stay_below_80_columns():
    names = ["net:dog:red", "family:" + "very-long-name-" * 8 + "end", "a" * 40]
    announced = tuple(
        Announced(
            component=Component(
                name=name, summary="s" * 40 + " " + "t" * 39, build=list, reference="https://e.org"
            ),
            kind="backbone",
            distribution="some-distribution",
            version="1",
        )
        for name in names
    )
    plugin = Plugin(entry_point="e", distribution="d", version="1", announced=announced)

    for wanted in ("backbone", None):
        text = printed(print_list, Components(plugins=(plugin,)), wanted)

        assert max(map(len, text.splitlines())) <= 80
        for name in names:
            start = next(i for i, line in enumerate(rows(text)) if name.startswith(line[0]))
            assert name in "".join(line[0] for line in rows(text)[start : start + 3])


def test_no_letter_is_lost_beside_a_long_name():
    component = ModelComponent(
        name="singletask-densenet121-masked",
        summary="Survival from a network that sees the true tumour alone",
        build=list,
        reference="https://e.org",
        needs=frozenset({"image", "training-masks"}),
        needs_mask_at_test=True,
    )
    announced = Announced(component=component, kind="model", distribution="d", version="1")
    plugin = Plugin(entry_point="e", distribution="d", version="1", announced=(announced,))

    text = printed(print_list, Components(plugins=(plugin,)), "model")

    words = f"{component.name} {component.summary} image, training masks, TRUE MASK OF TEST CASES"
    assert sorted(text.split()[3:]) == sorted(words.split())
    assert max(map(len, text.splitlines())) <= 80


def test_a_filter_keeps_the_names_that_contain_it(installed):
    found = installed("working").matching("ZEB")

    assert found.names("model") == ("zebra",)
    assert found.names("loss") == ()


def test_a_large_family_is_one_line_of_the_whole_list_and_complete_in_its_own():
    announced = tuple(
        Announced(
            component=Component(
                name=f"zoo:net{number}", summary="s", build=list, reference="https://e.org"
            ),
            kind="backbone",
            distribution="zoo",
            version="1",
        )
        for number in range(30)
    )
    components = Components(
        plugins=(Plugin(entry_point="e", distribution="zoo", version="1", announced=announced),)
    )

    everything = printed(print_list, components, None)
    assert "zoo:..." in everything
    assert "30 backbones, see `mtsbench list backbones --filter zoo:`" in everything
    assert "zoo:net7" not in everything
    assert "zoo:net7" in printed(print_list, components, "backbone")


def test_plugins_are_listed_with_failures_conflicts_and_switched_off_ones(installed, monkeypatch):
    components = installed("working", "duplicate", "import_error")
    monkeypatch.setenv("COLUMNS", "300")
    text = printed(print_list, components, "plugin")

    found = {line.split()[0]: line for line in text.splitlines()}
    announced = ["11", "metrics,", "2", "trackers"]
    assert rows(found["builtin"]) == [["builtin", "mtsbench", "0.1.0", *announced, "ok"]]
    assert "1 dataset, 2 losses, 2 models" in found["working"]
    assert "in conflict: model 'parts'" in found["working"]
    assert "in conflict: model 'parts'" in found["duplicate"]
    assert "failed: ModuleNotFoundError: No module named" in found["unimportable"]
    monkeypatch.setenv("MTSBENCH_DISABLE", "duplicate")
    text = printed(print_list, load_components(), "plugin")
    assert "switched off by MTSBENCH_DISABLE" in text


def test_every_failure_and_conflict_is_one_problem(installed):
    lines = problems(installed("working", "duplicate", "import_error", "misspelt"))

    assert len(lines) == 3
    assert all("\n" not in line for line in lines)


def test_the_list_as_json_can_be_read_by_a_program(installed):
    components = installed("working", "duplicate", "import_error")

    listed = json.loads(json.dumps(list_json(components, None)))

    assert listed["models"][1]["name"] == "zebra"
    assert listed["models"][1]["produces"] == ["risk"]
    assert listed["metrics"][0]["distribution"] == "mtsbench"
    assert listed["failures"][0]["entry_point"] == "unimportable"
    assert "model 'parts'" in listed["conflicts"][0]


def test_one_kind_as_json_holds_that_kind_and_the_problems(installed):
    assert list(list_json(installed("working"), "loss")) == ["losses", "failures", "conflicts"]


def test_the_plugins_as_json_name_their_components(installed):
    listed = list_json(installed("working"), "plugin")

    (working,) = (one for one in listed["plugins"] if one["entry_point"] == "working")
    assert working["components"] == [
        "dataset folder",
        "loss broken-inside",
        "loss missing-data",
        "model zebra",
        "model parts",
    ]
    assert working["failure"] is None


def test_a_component_is_shown_with_its_options_and_source(installed):
    text = printed(print_component, installed("working"), "dataset", "folder")

    assert ["from", "example-working", "1.2.0"] in rows(text)
    assert ["reference", "https://example.org/"] in rows(text)
    assert ["cases", "int", ">=", "1", "4", "Number", "of", "cases"] in rows(text)
    assert ["channels", "str,...", "pet_suv,ct_hu"] in rows(text)


def test_brackets_and_colons_are_printed_as_they_are():
    def build(*, mode: Literal["[red]", ":dog:"] = ":dog:") -> object:
        return mode

    component = Component(name="net", summary="x", build=build, reference="https://example.org/")
    announced = Announced(component=component, kind="backbone", distribution="d", version="1")
    plugin = Plugin(entry_point="e", distribution="d", version="1", announced=(announced,))

    text = printed(print_component, Components(plugins=(plugin,)), "backbone", "net")

    assert ["mode", "one", "of", "'[red]',", "':dog:'", ":dog:"] in rows(text)


def test_a_deep_model_is_shown_with_its_parts_and_training(installed):
    text = printed(print_component, installed("working"), "model", "parts")

    assert ["produces", "mask,", "risk"] in rows(text)
    assert "pet_suv, GPU, TRUE MASK OF TEST CASES" in text
    assert ["parameters", "12"] in rows(text)
    assert ["backbone", "unet", "(width=8,", "deep=true)"] in rows(text)
    assert ["survival_network", "dense"] in rows(text)
    assert ["head", "cox-head", "(dropout=0.5)"] in rows(text)
    assert ["segmentation_loss", "0.25", "x", "dice"] in rows(text)
    assert ["learning_rates", "int:float", ">", "0,...", "0:0.0001"] in rows(text)
    assert "128 x 128 x 128 voxels of 1 x 1 x 1 mm (D, H, W)" in text
    demo = " ".join(text.split()).partition("preset demo changes the published recipe: ")[2]
    assert "losses of segmentation multiplied by 1000 instead of 1" in demo


def test_a_model_that_is_no_composition_is_not_built_to_be_shown(installed):
    text = printed(print_component, installed("working"), "model", "zebra")

    assert "needs      nothing" in text
    assert "parts" not in text


def test_a_component_as_json_can_be_read_by_a_program(installed):
    shown = json.loads(json.dumps(component_json(installed("working"), "model", "parts")))

    assert shown["kind"] == "model"
    assert shown["options"][0] == {
        "name": "dropout",
        "type": "float in [0, 1)",
        "default": 0.5,
        "description": "Share of features dropped",
    }
    assert shown["composition"]["backbone"] == {
        "name": "unet",
        "options": {"width": 8, "deep": True},
    }
    assert shown["composition"]["losses"][1]["weight"] == 0.25


def test_a_name_in_conflict_cannot_be_shown(installed):
    with pytest.raises(PluginConflictError, match="model 'parts' is announced by"):
        component_json(installed("working", "duplicate"), "model", "parts")
