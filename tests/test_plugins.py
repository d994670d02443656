from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mtsbench import __version__
from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.errors import (
    DataError,
    OptionError,
    PluginConflictError,
    PluginError,
    UnknownComponentError,
)
from mtsbench.plugins import Components, load_components, plural

DATA = Path(__file__).parent / "data"


def test_components_know_their_distribution_and_version(install):
    install("working")

    found = load_components().get("dataset", "folder")

    assert (found.kind, found.distribution, found.version) == (
        "dataset",
        "example-working",
        "1.2.0",
    )
    assert found.component.summary == "Says what it was built with"


def test_names_are_sorted_whatever_the_order_of_announcement(install):
    install("working")

    components = load_components()

    assert components.names("model") == ("parts", "zebra")
    assert [one.component.name for one in components.all("model")] == ["parts", "zebra"]
    assert components.names("head") == ()


def test_core_announces_its_metrics_and_builds_them(install):
    components = load_components()

    assert {"dice", "harrell-c"} < set(components.names("metric"))
    assert components.get("metric", "dice").distribution == "mtsbench"
    assert components.get("metric", "dice").version == __version__
    assert hasattr(components.build("metric", "harrell-c"), "within_fold")
    assert hasattr(components.build("metric", "dice"), "per_patient")


def test_build_passes_what_core_supplies_and_every_option(install, tmp_path):
    install("working")
    components = load_components()

    assert components.build("dataset", "folder", None) == (None, 4, ("pet_suv", "ct_hu"))
    assert components.build(
        "dataset", "folder", tmp_path, options={"cases": "7", "channels": "mr_t1"}
    ) == (tmp_path, 7, ("mr_t1",))


def test_options_are_complete_so_that_a_record_can_hold_them(install):
    install("working")

    options = load_components().options("dataset", "folder", {"cases": 2})

    assert options == {"cases": 2, "channels": ("pet_suv", "ct_hu")}


def test_a_wrong_option_names_the_component(install):
    install("working")

    with pytest.raises(OptionError, match=r"dataset 'folder' must be int >= 1, got '0'"):
        load_components().build("dataset", "folder", None, options={"cases": "0"})


def test_an_error_inside_build_names_component_and_distribution_in_one_line(install):
    install("working")

    with pytest.raises(
        PluginError,
        match=r"^loss 'broken-inside' \(example-working 1\.2\.0\) cannot be built: "
        r"RuntimeError: first line second line$",
    ) as caught:
        load_components().build("loss", "broken-inside")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_our_own_errors_inside_build_are_passed_on(install):
    install("working")

    with pytest.raises(DataError, match=r"^case 'a' has no file$"):
        load_components().build("loss", "missing-data")


@pytest.mark.parametrize(
    ("folder", "cause"),
    [
        (
            "import_error",
            "ModuleNotFoundError: No module named 'a_package_that_nobody_installs'",
        ),
        ("exits", "SystemExit: this machine is not supported"),
        ("misspelt", "no hook is called 'mtsbench_model'. Did you mean 'mtsbench_models'?"),
        ("unmarked", "mtsbench_models is not marked with @mtsbench.hookspecs.hookimpl"),
        ("raising", "mtsbench_metrics raised KeyError: 'no table'"),
        (
            "wrong_record",
            "mtsbench_models must give records of type ModelComponent, got a Component",
        ),
        (
            "untyped_option",
            "`build` of loss 'deep' cannot be used: option 'depth' needs a type and a default",
        ),
    ],
)
def test_a_broken_plugin_is_reported_in_one_line_and_hides_no_other(install, folder, cause):
    install("working", folder)

    components = load_components()

    assert [failure.cause for failure in components.failures] == [cause]
    assert components.failures[0].distribution == f"example-{folder.replace('_', '-')}"
    assert components.failures[0].version == "0.1"
    assert components.names("model") == ("parts", "zebra")


def test_a_hook_without_our_prefix_is_reported(install):
    install("unprefixed")

    (failure,) = load_components().failures

    assert "unknown hook 'models'" in failure.cause
    assert "\n" not in failure.cause


def test_nothing_of_a_plugin_remains_when_its_last_hook_raises(install):
    install("raising")

    components = load_components()

    assert components.names("loss") == ()
    assert "harrell-c" in components.names("metric")


def test_a_duplicate_name_is_withheld_and_names_both_distributions(install):
    install("working", "duplicate")

    components = load_components()

    assert components.names("model") == ("unrivalled", "zebra")
    for use in (components.get, components.build):
        with pytest.raises(
            PluginConflictError,
            match=r"model 'parts' is announced by example-duplicate 3\.0 and "
            r"example-working 1\.2\.0; .* withheld: uninstall one, or .* MTSBENCH_DISABLE",
        ):
            use("model", "parts")
    assert [(one.kind, one.name) for one in components.conflicts] == [("model", "parts")]


def test_one_name_may_be_used_for_two_kinds():
    def announce(kind):
        component = Component(
            name="dice", summary="x", build=lambda: kind, reference="https://example.org/"
        )
        return Announced(component=component, kind=kind, distribution="d", version="1")

    components = Components(
        plugins=(
            Plugin(
                entry_point="e",
                distribution="d",
                version="1",
                announced=(announce("metric"), announce("loss")),
            ),
        )
    )

    assert components.build("loss", "dice") == "loss"
    assert components.conflicts == ()


def test_a_distribution_that_lies_on_the_path_twice_counts_once(install, monkeypatch, tmp_path):
    shutil.copytree(DATA / "working", tmp_path / "copy")
    install("working", "working")
    monkeypatch.syspath_prepend(tmp_path / "copy")

    components = load_components()

    assert [one.entry_point for one in components.plugins if one.announced] == [
        "builtin",
        "working",
    ]
    assert components.conflicts == ()


def test_an_unknown_name_gets_a_suggestion_and_the_failures(install):
    install("working", "import_error")

    with pytest.raises(
        UnknownComponentError,
        match=r"^no model is called 'Part'\. Did you mean 'parts'\? Installed: parts, zebra\. "
        r"Plugin 'unimportable' \(example-import-error 0\.1\) failed to load: "
        r"ModuleNotFoundError: No module named 'a_package_that_nobody_installs'\.",
    ):
        load_components().get("model", "Part")


def test_an_unknown_name_of_a_kind_without_components_says_so(install):
    with pytest.raises(UnknownComponentError, match=r"no head is called 'cox'\. Installed: none\."):
        load_components().get("head", "cox")


def test_a_long_list_of_installed_names_is_cut_with_a_pointer():
    announced = tuple(
        Announced(
            component=Component(
                name=f"net{number:02}", summary="x", build=list, reference="https://example.org/"
            ),
            kind="backbone",
            distribution="d",
            version="1",
        )
        for number in range(20)
    )
    plugin = Plugin(entry_point="e", distribution="d", version="1", announced=announced)

    with pytest.raises(
        UnknownComponentError, match=r"net11 and 8 more \(`mtsbench list backbones`\)\.$"
    ):
        Components(plugins=(plugin,)).get("backbone", "transformer")


def test_a_plugin_can_be_switched_off_by_name(install, monkeypatch):
    install("working", "duplicate")
    monkeypatch.setenv("MTSBENCH_DISABLE", f"{os.environ['MTSBENCH_DISABLE']}, duplicate")

    components = load_components()

    assert components.names("model") == ("parts", "zebra")
    with pytest.raises(
        UnknownComponentError, match=r"Plugin 'duplicate' is switched off by MTSBENCH_DISABLE"
    ):
        components.get("model", "unrivalled")


def test_strict_makes_a_failure_fatal_with_its_cause(install, monkeypatch):
    install("import_error")

    with pytest.raises(PluginError, match=r"Plugin 'unimportable' .* failed to load") as caught:
        load_components(strict=True)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    monkeypatch.setenv("MTSBENCH_STRICT", "1")
    with pytest.raises(PluginError, match="failed to load"):
        load_components()
    assert load_components(strict=False).failures


def test_strict_makes_a_conflict_fatal(install):
    install("working", "duplicate")

    with pytest.raises(PluginConflictError, match="model 'parts' is announced by"):
        load_components(strict=True)


def test_strict_is_content_with_a_working_plugin(install):
    install("working")

    assert load_components(strict=True).failures == ()


def test_the_strict_variable_takes_only_0_and_1(install, monkeypatch):
    monkeypatch.setenv("MTSBENCH_STRICT", "yes")

    with pytest.raises(OptionError, match=r"MTSBENCH_STRICT must be 0 or 1, got 'yes'"):
        load_components()


def test_two_loads_share_nothing(install):
    install("working")
    before = load_components()
    install("duplicate")

    after = load_components()

    assert before.names("model") == ("parts", "zebra")
    assert after.names("model") == ("unrivalled", "zebra")


def test_plurals_are_those_of_the_hooks():
    assert [plural(kind) for kind in ("loss", "backbone")] == ["losses", "backbones"]
