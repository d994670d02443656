"""The tables that `benchmarks/baselines.py` writes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from mtsbench.plugins import load_components

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "baselines.py"


@pytest.fixture(scope="module")
def baselines():
    specification = importlib.util.spec_from_file_location("baselines", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    sys.modules.pop("baselines", None)


def found(model, c_index, dice=None, masked=False):
    def trial(value):
        scores = {"harrell-c": {"value": value}, "dice": {"value": dice}}
        return {
            "scores": scores,
            "oracle": {"harrell-c": {"value": 0.8}},
            "recovery": {"log_volume": {"value": 0.25}},
            "oracle_recovery": {"log_volume": {"value": 0.9}},
        }

    return {
        "run": {
            "name": f"npc-{model}-01234567",
            "method": {"model": model, "needs_mask_at_test": masked},
        },
        "trials": [trial(value) for value in c_index],
        "failures": [],
    }


def test_scores_are_means_with_folds_keys_and_the_use_of_the_true_mask(baselines):
    lines = baselines.score_table(
        [found("deepmts", [0.6, 0.7], dice=0.5), found("volume", [0.6, None], masked=True)], {}
    )

    assert lines[2].startswith("| volume (given the true mask) | 0.600 | 0.600, – | – |")
    assert lines[3] == "| deepmts | 0.650 | 0.600, 0.700 | 0.500 | `npc-deepmts-01234567` |"
    assert lines[4] == "| oracle (true hazard) | 0.800 | | | |"


def test_models_without_a_run_are_named(baselines):
    table = baselines.score_table([found(name, [0.5]) for name in baselines.MODELS[1:]], {})
    (_, line) = baselines.not_run(table)
    whole = baselines.score_table([found(name, [0.5]) for name in baselines.MODELS], {})

    assert line == f"Not run yet: {baselines.MODELS[0]}."
    assert baselines.not_run(whole) == []


def test_recovery_is_shown_beside_the_oracle_s(baselines):
    lines = baselines.recovery_table([found("deepmts", [0.65, 0.65])], {})

    assert lines[0] == "| model | share of oracle | log volume |"
    assert lines[2] == "| deepmts | 0.50 | 0.250 |"
    assert lines[3] == "| oracle (true hazard) | 1.00 | 0.900 |"


def test_a_row_without_a_run_stays_and_one_with_a_run_is_written_anew(
    baselines, tmp_path, monkeypatch
):
    monkeypatch.setattr(baselines, "HERE", tmp_path)
    kept = "| volume (given the true mask) | 0.7 | 0.7 | – | `npc-volume-0` |"
    (tmp_path / "README.md").write_text(
        "<!-- a -->\n| model | C |\n|---|---|\n| deepmts | 0.1 | | | |\n"
        f"{kept}\n| oracle (true hazard) | 0.8 | | | |\n<!-- end of a -->\n"
    )

    lines = baselines.score_table([found("deepmts", [0.6, 0.7])], baselines.standing("a"))

    assert [line.split()[1] for line in lines[2:]] == ["volume", "deepmts", "oracle"]
    assert lines[2] == kept
    assert lines[3].startswith("| deepmts | 0.650 |")


def test_a_section_is_replaced_and_the_rest_of_the_page_stays(baselines, tmp_path, monkeypatch):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- a -->\nold\n<!-- end of a -->\nafter\n")
    monkeypatch.setattr(baselines, "HERE", tmp_path)

    baselines.write("a", ["new", "lines"])

    assert page.read_text() == "before\n<!-- a -->\nnew\nlines\n<!-- end of a -->\nafter\n"


def test_the_benchmark_has_every_model_but_those_that_are_made_of_parts_the_user_names(baselines):
    installed = load_components(strict=True).names("model")

    assert set(baselines.MODELS) == set(installed) - {"joint", "singletask"}


@pytest.mark.parametrize("dataset", ["npc", "hecktor"])
def test_the_page_has_a_row_for_every_model_or_says_that_it_has_not_run(baselines, dataset):
    page = (SCRIPT.parent / "README.md").read_text()
    _, _, rest = page.partition(f"<!-- scores on {dataset} -->")
    section, _, _ = rest.partition(f"<!-- end of scores on {dataset} -->")
    rows = {line.split()[1] for line in section.splitlines() if line.startswith("| ")}
    _, _, missing = section.partition("Not run yet: ")
    named = set(missing.strip().rstrip(".").split(", ")) if missing else set()

    assert rows - {"model", "oracle"} | named == set(baselines.MODELS)
    assert not rows & named
