from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import OptionError

TINY = (
    *("--dataset", "npc", "--preset", "demo", "--device", "cpu", "--warm-up", "0", "--steps", "1"),
    *("--set", "dataset.cases=16", "--set", "training.batch_size=2"),
)


def profile(tmp_path, *arguments):
    pytest.importorskip("mtsbench_deepmts")
    pytest.importorskip("mtsbench_cohorts")
    done = CliRunner().invoke(app, ["profile", *arguments, *TINY, "--cache", str(tmp_path)])
    if done.exception:
        raise done.exception
    return done.stdout


def test_a_profile_is_printed_for_people_and_for_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    text = profile(tmp_path, "--model", "deepmts")
    found = json.loads(profile(tmp_path, "--model", "deepmts", "--json"))

    for part in ("forward", "backward", "copy bandwidth", "limit", "3,7"):
        assert part in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert found["steps"] == 1
    assert found["limit"] in {"memory", "arithmetic"}
    assert found["platform"]["torch"]


def test_a_model_without_training_steps_is_refused(tmp_path):
    with pytest.raises(OptionError, match="'clinical-cox' is no composition that the engine train"):
        profile(tmp_path, "--model", "clinical-cox")
