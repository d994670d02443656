"""Trials that an executor of a plugin carries out: done, failed, lost, and not begun."""

from __future__ import annotations

import importlib
import json
import re
import signal

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import OptionError, PluginError

RUN = ("run", "--model=uptake", "--dataset=tiny", "--preset=demo", "--device=cpu", "--folds=3")
HERE = (*RUN, "--executor=in-order")


@pytest.fixture
def call(tiny_installed, tmp_path, monkeypatch):
    """Calls the command with an empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("MTSBENCH_CACHE", str(tmp_path / "cache"))

    def call(*arguments, code=0):
        done = CliRunner().invoke(app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done

    return call


def scores(done):
    return [trial["scores"] for trial in json.loads(done.stdout)["trials"]]


def test_its_trials_are_those_of_a_run_without_it(call):
    mine, plain = call(*HERE, "--json"), call(*RUN, "--out=plain", "--json")

    assert len(scores(mine)) == 3
    assert scores(mine) == scores(plain)


def test_how_each_trial_ended_is_told_from_its_record(call):
    done = call(*HERE)

    for fold in range(3):
        assert re.search(rf"repeat 0 fold {fold} seed 0: .*harrell-c 1\.000", done.stderr)


def test_a_trial_that_fails_there_is_told_as_one_that_fails_here(call):
    done = call(*HERE, "--set=fails=T05", code=3)

    assert "failed: RuntimeError: cannot learn from T05" in done.stderr


def test_a_trial_that_it_loses_is_named_and_done_by_the_same_command(call):
    lost = call(*HERE, "--set=executor.lose=1", "--json", code=3)
    again = call(*HERE, "--json")

    assert "repeat 0 fold 0 seed 0: ended without a result; the same command" in lost.stderr
    assert (len(scores(lost)), len(scores(again))) == (2, 3)


@pytest.fixture
def changes(tiny_installed, monkeypatch):
    """The data changes as soon as the run is planned."""
    found = iter(["before"])
    dataset = importlib.import_module("tiny_plugin").tiny.TinyDataset
    monkeypatch.setattr(dataset, "fingerprint", lambda self: next(found, "after"))


def test_a_trial_of_data_that_changed_since_it_was_planned_is_not_filed(call, changes):
    done = call(*HERE, "--json", code=3)

    found = json.loads(done.stdout)
    assert found["trials"] == []
    assert [one["error"] for one in found["failures"]] == [
        "data or program changed while the run was going on, so this trial would be filed wrongly: "
        "fingerprint was before and is after. Bring back what was there and give the same command "
        "again, or leave it: that command then begins a run of its own"
    ] * 3
    assert "repeat 0 fold 0 seed 0 failed: data or program changed" in done.stderr

    # The advice works: the changed data is a run of its own.
    assert len(scores(call(*HERE, "--json"))) == 3


def test_the_same_holds_for_trials_in_this_process(call, changes):
    done = call(*RUN, "--json", code=3)

    assert json.loads(done.stdout)["trials"] == []
    assert (
        "the data of 'tiny' changed while the run was going on: its fingerprint was before"
        in (json.loads(done.stdout)["failures"][0]["error"])
    )
    assert len(scores(call(*RUN, "--json"))) == 3


def test_a_trial_that_cannot_begin_elsewhere_has_failed_and_says_why(call, monkeypatch):
    def broken():
        raise OSError("the disk is gone")

    monkeypatch.setattr("mtsbench.trial_jobs.load_components", broken)
    done = call(*HERE, "--json", code=3)

    errors = [one["error"] for one in json.loads(done.stdout)["failures"]]
    assert errors == ["OSError: the disk is gone"] * 3


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_is_killed_is_one_failed_trial(call, signal_):
    killed = call(*RUN, "--jobs=2", f"--set=fails=T05:{int(signal_)}", "--json", code=3)

    found = json.loads(killed.stdout)
    (failure,) = found["failures"]
    assert f"its process was killed by signal {int(signal_)} ({signal_.name})" in failure["error"]
    assert "the same command tries the trial again" in failure["error"]
    assert ("memory is short" in failure["error"]) == (signal_ is signal.SIGKILL)
    assert len(found["trials"]) == 2
    assert "killed by signal" in killed.stderr


def test_an_executor_that_breaks_is_told_in_one_line(call):
    with pytest.raises(PluginError, match=r"executor ended before .* OSError: no queue here; fini"):
        call(*HERE, "--set=executor.breaks=true")


def test_an_experiment_file_may_name_it_and_the_command_line_goes_before_it(call, tmp_path):
    models = 'models = ["uptake"]\ndatasets = ["tiny"]\npreset = "demo"\ndevice = "cpu"\n'
    (tmp_path / "broken.toml").write_text(
        models + 'executor = { name = "in-order", options = { breaks = true } }\n'
    )

    broken = call("run", "broken.toml", code=3)
    call("run", "broken.toml", "--executor=in-order")

    assert "no queue here" in broken.stderr


def test_a_dry_run_checks_it(call):
    with pytest.raises(OptionError, match="has no option 'loose'"):
        call(*HERE, "--dry-run", "--set=executor.loose=1")
