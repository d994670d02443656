"""What `mtsbench run` tells of a plan, and the validation share, on a dataset in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import OptionError

FILE = 'preset = "demo"\ndevice = "cpu"\ndatasets = ["tiny"]\nmodels = ["uptake"]\n'


@pytest.fixture
def folder(tiny_installed, tmp_path, monkeypatch):
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTSBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def call(*arguments: str):
    """What the command prints on stdout; anything mtsbench raises for the user is raised here."""
    done = CliRunner().invoke(app, ["run", *arguments])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def write(text: str) -> str:
    Path("experiment.toml").write_text(text)
    return "experiment.toml"


SHORT = ("--model=uptake", "--dataset=tiny", "--preset=demo", "--device=cpu")
TWELVE = (*SHORT, "--set=preprocessing.size=8,8,8", "--set=dataset.cases=12")
TOLD = "pfs: the last follow-up is day 120, so the times look like months or years"


def test_a_run_says_what_it_warns_of_and_which_columns_are_clinical(folder):
    done = CliRunner().invoke(app, ["run", *TWELVE])

    assert done.exit_code == 0
    said = " ".join(done.stderr.split())
    assert f"warning: {TOLD}" in said
    assert "clinical variables: age (numeric)" in said


def test_warnings_are_in_the_json_of_a_run_and_of_a_file(folder):
    found = json.loads(call(*TWELVE, "--json"))
    file = FILE.replace('["tiny"]', '[{ name = "tiny", options = { cases = 12 } }]')
    both = json.loads(call(write(file), "--json"))

    assert [one[: len(TOLD)] for one in found["warnings"]] == [TOLD]
    assert [[one[: len(TOLD)] for one in run["warnings"]] for run in both["runs"]] == [[TOLD]]


def test_a_dry_run_tells_warnings_and_the_size_of_every_part(folder):
    said = call(*TWELVE, "--dry-run")
    found = json.loads(call(*TWELVE, "--dry-run", "--json"))["runs"][0]

    assert f"warning: uptake on tiny: {TOLD}" in said
    assert [one[: len(TOLD)] for one in found["warnings"]] == [TOLD]
    assert [one["fold"] for one in found["folds"]] == [0, 1, 2]
    assert all(sum(one["cases"].values()) == 12 for one in found["folds"])
    assert all(sum(one["events"].values()) == 8 for one in found["folds"])


def test_the_validation_share_of_the_command_line_is_that_of_a_file_and_another_question(folder):
    def of(*arguments):
        return json.loads(call(*arguments, "--dry-run", "--json"))["runs"][0]

    default, third = of(*SHORT), of(*SHORT, "--validation-share=0.4")
    in_file = of(write(f"{FILE}[protocol]\nvalidation_share = 0.4\n"))

    assert default["run"] != third["run"] == in_file["run"]
    assert of(*SHORT, "--validation-share=0.2")["run"] == default["run"]
    assert [one["cases"]["validation"] for one in default["folds"]] == [4, 4, 4]
    assert [one["cases"]["validation"] for one in third["folds"]] == [7, 7, 7]


def test_a_validation_share_that_cannot_be_is_refused(folder):
    with pytest.raises(OptionError, match=r"validation_share must be in \(0, 0.5\], got 0.7"):
        call(*SHORT, "--validation-share=0.7")
    with pytest.raises(
        OptionError,
        match=r"'validation_share' in \[protocol\] must be a number above 0 and at most 0.5, "
        "got 0.7",
    ):
        call(write(f"{FILE}[protocol]\nvalidation_share = 0.7\n"))
    with pytest.raises(OptionError, match=r"so --validation-share cannot stand beside it"):
        call(write(FILE), "--validation-share", "0.3")
