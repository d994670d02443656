from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import DataError, OptionError

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


def test_a_profile_is_kept_with_the_run_of_the_same_experiment(tmp_path):
    from mtsbench.bookkeeping import describe_run
    from mtsbench.experiment import Request, resolve
    from mtsbench.options import parse_assignments
    from mtsbench.plugins import load_components
    from mtsbench.splits import make_splits
    from mtsbench.store import RunStore

    settings = parse_assignments([one for one in TINY if "=" in one])
    request = Request(
        model="deepmts", dataset="npc", preset="demo", device="cpu", settings=settings
    )
    experiment = resolve(request, load_components())
    outcomes = experiment.dataset.outcomes("pfs")
    splits = make_splits(outcomes, experiment.protocol, {})
    description = describe_run(experiment, outcomes, splits)
    store = RunStore(tmp_path / "runs" / description.name)
    store.begin(description, splits, outcomes)

    printed = profile(tmp_path, "--model", "deepmts", "--json", "--out", str(tmp_path / "runs"))

    assert store.profile().model_dump(mode="json") == json.loads(printed)


def test_a_profile_without_its_run_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(DataError, match=r"deepmts-demo-.* does not exist: a profile is kept with"):
        profile(tmp_path, "--model", "deepmts", "--out", str(tmp_path / "nowhere"))
    assert not list(tmp_path.iterdir())
