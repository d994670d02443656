"""`mtsbench run` with an experiment file, and `--dry-run`, on a dataset in memory."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import DataError, OptionError, UnknownComponentError

TWO = """
preset = "demo"
device = "cpu"
out = "results"
datasets = ["tiny"]

[protocol]
folds = 3

[[models]]
name = "uptake"
preprocessing = { size = [8, 8, 8] }

[[models]]
name = "uptake"
preprocessing = { size = [8, 8, 8] }
training = { epochs = 3 }
"""
FIRST = 'name = "uptake"'


@pytest.fixture
def folder(tiny_installed, tmp_path, monkeypatch):
    """The current folder, with an experiment file in `study`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MTSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "two.toml").write_text(TWO)
    return tmp_path


def call(*arguments: str, code: int = 0):
    """What the command prints on stdout; anything mtsbench raises for the user is raised here."""
    done = CliRunner().invoke(app, ["run", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def write(text: str) -> str:
    Path("experiment.toml").write_text(text)
    return "experiment.toml"


def files(folder: Path) -> list[tuple[str, int]]:
    return sorted(
        (str(path), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    )


def test_every_run_of_a_file_is_carried_out_and_has_a_row(folder):
    said = call("study/two.toml")

    runs = sorted((folder / "study" / "results").iterdir())
    assert [len(list((run / "trials").iterdir())) for run in runs] == [3, 3]
    assert all((run / "report.html").is_file() for run in runs)
    rows = [line for line in said.splitlines() if "tiny pfs" in line]
    assert len(rows) == 2
    assert all("1.000 ± 0.000" in row and "3/3" in row for row in rows)
    assert f"mtsbench compare study/results/{runs[0].name}" in said or runs[0].name in said
    assert "--reference MODEL --out report" in said
    assert max(len(line) for line in said.splitlines() if "compare them" not in line) <= 80


def test_a_run_of_a_file_is_the_run_of_the_command_line(folder):
    call("study/two.toml")

    found = json.loads(
        call(
            *("--model=uptake", "--dataset=tiny", "--preset=demo", "--folds=3", "--device=cpu"),
            *("--set=training.epochs=3", "--set=preprocessing.size=8,8,8"),
            *("--out=study/results", "--dry-run", "--json"),
        )
    )

    assert [run["to_do"] for run in found["runs"]] == [0]


def test_a_finished_file_is_not_done_again(folder):
    call("study/two.toml")
    before = [one for one in files(folder / "study") if one[0].endswith("record.json")]

    call("study/two.toml")

    assert [one for one in files(folder / "study") if one[0].endswith("record.json")] == before
    assert len(before) == 6


def test_the_json_of_a_file_holds_every_run(folder):
    found = json.loads(call("study/two.toml", "--json"))

    assert [len(run["trials"]) for run in found["runs"]] == [3, 3]
    assert {run["model"] for run in found["runs"]} == {"uptake"}
    assert all(Path(run["report"]).is_file() for run in found["runs"])


def test_without_out_in_the_file_runs_go_where_those_of_the_command_line_go(folder):
    call(write(TWO.replace('out = "results"', "")))

    assert len(list((folder / "runs").iterdir())) == 2


def test_out_and_device_of_the_command_line_go_before_those_of_the_file(folder):
    path = write(TWO.replace('"cpu"', '"cuda:7"'))

    call(path, "--out", "elsewhere", "--device", "cpu")

    assert len(list((folder / "elsewhere").iterdir())) == 2


def test_masks_are_saved_if_the_file_says_so(folder):
    call(write("save_masks = true\n" + TWO.replace("folds = 3", "folds = 2")))

    assert len(list((folder / "results").rglob("*.nii.gz"))) == 48


def test_failed_trials_do_not_stop_other_runs_and_give_exit_code_3(folder):
    path = write(TWO.replace(FIRST, FIRST + '\noptions = { fails = "T05" }', 1))

    said = call(path, code=3)

    rows = [line for line in said.splitlines() if "tiny pfs" in line]
    assert "3/3" not in rows[0]
    assert "3/3" in rows[1]
    assert "failed: tiny-pfs-uptake-demo-" in said
    assert ", repeat 0 fold" in said
    assert "RuntimeError: cannot learn from T05" in said
    assert "compare them" not in said


def test_a_cohort_that_cannot_be_read_does_not_stop_other_runs_and_gives_exit_code_3(folder):
    broken = '[{ name = "tiny", options = { broken = "T03" } }, "tiny"]'
    path = write(TWO.replace('["tiny"]', broken))

    said = call(path, code=3)

    rows = [line for line in said.splitlines() if "tiny pfs" in line]
    assert ["3/3" in row for row in rows] == [False, False, True, True]
    assert said.count(": case 'T03'") == 2
    found = json.loads(call(path, "--json", code=3))
    assert ["case 'T03'" in (run["error"] or "") for run in found["runs"]] == [
        *(True, True),
        *(False, False),
    ]


def test_a_fault_of_the_program_gives_exit_code_1_and_its_traceback_on_request(folder):
    (folder / "cache").write_text("a file where a folder is needed")

    said = call("study/two.toml", code=1)
    debugged = CliRunner().invoke(app, ["--debug", "run", "study/two.toml"])

    assert "FileExistsError" in said
    assert "run again with mtsbench --debug run ... and report it" in said
    assert "Traceback (most recent call last)" in debugged.stderr


def test_a_mistake_in_the_last_run_is_found_before_the_first(folder):
    path = write(TWO.replace("epochs = 3", "epoch = 3"))

    with pytest.raises(
        OptionError,
        match=r"experiment.toml: model 'uptake' on dataset 'tiny': training has no option 'epoch'",
    ):
        call(path)
    assert not (folder / "results").exists()


def test_an_unknown_model_is_named_with_the_file(folder):
    with pytest.raises(UnknownComponentError, match=r"experiment.toml: model 'uptak' on .*uptake"):
        call(write(TWO.replace(FIRST, 'name = "uptak"')))


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        (("--model", "uptake"), "--model"),
        (("--data-root", "x", "--folds", "3"), "--data-root, --folds"),
        (("--preset", "auto"), "--preset"),
        (("--set", "a=1", "--seeds", "1"), "--seeds, --set"),
    ],
)
def test_what_the_file_says_cannot_be_said_again(folder, beside, named):
    with pytest.raises(
        OptionError,
        match=rf"study/two.toml says what is run, so {named} cannot stand beside it; change the f",
    ):
        call("study/two.toml", *beside)


@pytest.mark.parametrize(
    ("given", "missing"),
    [(("--model", "a"), "--dataset"), (("--dataset", "a"), "--model"), ((), "-")],
)
def test_without_a_file_model_and_dataset_are_needed(folder, given, missing):
    with pytest.raises(
        OptionError, match=rf"{missing}.* is missing: `mtsbench run --model NAME .* `mtsbench run F"
    ):
        call(*given)


def test_a_dry_run_shows_the_trials_to_come_and_writes_nothing(folder):
    before = files(folder)

    said = call("study/two.toml", "--dry-run")

    assert files(folder) == before
    rows = [line.split() for line in said.splitlines() if "tiny pfs" in line]
    assert [row[-8:-1] for row in rows] == [["3", "│", "0", "│", "3", "│", "unknown"]] * 2
    assert "preset demo on cpu: 6 trials to do, 2 of 2 runs of unknown time" in said
    assert "- not in the time: 24 cases to be prepared first" in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_a_dry_run_counts_what_is_done_and_knows_the_time_of_the_rest(folder):
    call(
        *("--model=uptake", "--dataset=tiny", "--preset=demo", "--folds=3"),
        *("--set=preprocessing.size=8,8,8", "--out=study/results"),
    )

    text = call("study/two.toml", "--dry-run")
    found = json.loads(call("study/two.toml", "--dry-run", "--json"))

    assert [(run["done"], run["to_do"]) for run in found["runs"]] == [(3, 0), (0, 3)]
    assert [run["source"] for run in found["runs"]] == ["done", "trials"]
    assert found["seconds"] == found["runs"][1]["seconds"] > 0
    assert (found["unknown"], found["cases_to_prepare"]) == (0, 0)
    (other,) = re.findall(r"- 3 trials with other training, fit scaled: uptake (\w+) on tiny", text)
    assert found["runs"][1]["run"].endswith(other)
    assert "3 trials to do, " in text


def test_a_dry_run_of_one_model_needs_no_file(folder):
    before = files(folder)

    said = call("--model", "uptake", "--dataset", "tiny", "--dry-run")

    assert "trials to come" in said
    assert files(folder) == before


def test_a_dry_run_finds_what_a_run_would_refuse(folder):
    with pytest.raises(DataError, match=r"cannot fill 12 folds"):
        call("--model", "uptake", "--dataset", "tiny", "--folds", "12", "--dry-run")


def test_trackers_of_the_file_and_of_the_command_line_hear_of_every_run(folder):
    pytest.importorskip("tensorboard")
    pytest.importorskip("mlflow")
    tracked = 'trackers = [{ name = "tensorboard", options = { images = false } }]\n'

    call(write(tracked + TWO), "--track", "mlflow")

    shown = folder / "results" / "tensorboard"
    assert len(list(shown.glob("tiny-pfs-uptake-demo-*/repeat-0-fold-0-seed-0"))) == 2
    assert (folder / "results" / "mlflow.db").is_file()


def test_a_dry_run_makes_no_tracker_and_refuses_one_that_does_not_exist(folder):
    write('trackers = ["mlflow"]\n' + TWO)
    before = files(folder)

    call("experiment.toml", "--dry-run")

    assert files(folder) == before
    with pytest.raises(UnknownComponentError, match="no tracker is called 'mlflo'"):
        call("experiment.toml", "--dry-run", "--track", "mlflo")
    with pytest.raises(OptionError, match="tracker 'mlflow' has no option 'stor'"):
        call(
            *("--model=uptake", "--dataset=tiny", "--dry-run"),
            *("--track=mlflow", "--set=tracker.mlflow.stor=x"),
        )
