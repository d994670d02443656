"""The main job as a user runs it: the program in a process of its own, on the simulated cohort."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk

from mtsbench.cli import app, run_application

TINY = (
    "--set=dataset.cases=18",
    "--set=training.epochs=2",
    "--set=training.steps_per_epoch=2",
    "--set=training.batch_size=4",
    "--folds=2",
    "--preset=demo",
    "--device=cpu",
)


def command(folder: Path, *arguments: str) -> list[str]:
    program = [sys.executable, "-W", "error", "-m", "mtsbench", *arguments]
    if arguments[0] in ("run", "predict"):
        program.append(f"--cache={folder / 'cache'}")
    return program


def mtsbench(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(folder, *arguments), cwd=folder, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done


def run_tiny(folder: Path, out: str, *more: str, model: str = "deepmts") -> Path:
    done = mtsbench(
        folder, "run", f"--model={model}", "--dataset=npc", *TINY, f"--out={out}", "--json", *more
    )
    return folder / out / json.loads(done.stdout)["run"]["name"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workplace")


@pytest.fixture(scope="module")
def finished(workplace: Path) -> Path:
    return run_tiny(workplace, "runs", "--save-masks")


def trials(run: Path) -> dict[str, Path]:
    return {path.name: path for path in (run / "trials").iterdir()}


def test_a_run_leaves_a_complete_record_of_every_trial(finished: Path) -> None:
    description = json.loads((finished / "run.json").read_text())

    records = [json.loads((p / "record.json").read_text()) for p in trials(finished).values()]

    assert description["simulated"] is True
    assert description["trials"] == len(records) == 2
    assert description["method"]["versions"]["head deepmts-cox"] == "mtsbench-deepmts 0.1.0"
    for record in records:
        assert set(record["scores"]) >= {"harrell-c", "dice"}
        assert set(record["oracle"]) >= {"harrell-c"}
        assert set(record["phase_seconds"]) == {
            *("prepare", "fit", "predict", "predict training", "score")
        }
        assert record["peak_memory_mib"] > 0
        assert sum(record["cases"].values()) == 18


def test_every_patient_is_tested_once_with_a_finite_risk_and_a_dice(finished: Path) -> None:
    tables = [pd.read_parquet(p / "predictions.parquet") for p in trials(finished).values()]

    table = pd.concat(tables)

    assert sorted(table["case_id"]) == [f"npc-{number:04d}" for number in range(1, 19)]
    assert table["risk"].notna().all()
    assert table["dice"].between(0, 1).all()


def test_saved_masks_lie_in_the_geometry_of_the_patients_ct(finished: Path) -> None:
    from mtsbench.plugins import load_components
    from mtsbench.volumes import from_sitk

    dataset = load_components().build("dataset", "npc", None, options={"cases": "18"})
    paths = sorted(finished.glob("trials/*/masks/*.nii.gz"))

    case_id = paths[0].name.removesuffix(".nii.gz")
    written = from_sitk(sitk.ReadImage(paths[0]))

    assert len(paths) == 18
    assert written.grid.same_space(dataset.load(case_id).images["ct_hu"].grid)
    assert set(pd.unique(written.array.ravel())) <= {0, 1}


def test_the_report_opens_offline_and_says_that_the_data_is_simulated(finished: Path) -> None:
    page = (finished / "report.html").read_text()

    assert "Simulated data" in page
    assert "<svg" in page
    assert "src=" not in page
    assert 'href="http' not in page


def test_the_same_command_finds_its_finished_trials(workplace: Path, finished: Path) -> None:
    before = {name: (p / "record.json").stat().st_mtime_ns for name, p in trials(finished).items()}

    again = run_tiny(workplace, "runs", "--save-masks")

    after = {name: (p / "record.json").stat().st_mtime_ns for name, p in trials(again).items()}
    assert again == finished
    assert after == before


def test_a_killed_run_continues_to_the_very_same_predictions(
    workplace: Path, finished: Path
) -> None:
    arguments = ("run", "--model=deepmts", "--dataset=npc", *TINY, "--out=killed", "--json")
    run = workplace / "killed" / finished.name
    process = subprocess.Popen(
        command(workplace, *arguments),
        cwd=workplace,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(run.glob("trials/[!.]*/record.json")):
        assert time.monotonic() < deadline, "the first trial never finished"
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert len(list(run.glob("trials/[!.]*/record.json"))) == 1

    mtsbench(workplace, *arguments)

    assert trials(run).keys() == trials(finished).keys()
    for name, folder in trials(run).items():
        for file in ("predictions.parquet", "checkpoint.safetensors", "log.jsonl"):
            expected = (trials(finished)[name] / file).read_bytes()
            assert (folder / file).read_bytes() == expected, file
        record = json.loads((folder / "record.json").read_text())
        expected_record = json.loads((trials(finished)[name] / "record.json").read_text())
        assert record["key"] == expected_record["key"]
        assert record["scores"] == expected_record["scores"]


def test_a_checkpoint_predicts_new_patients_as_the_trial_did(
    workplace: Path, finished: Path
) -> None:
    trial = next(iter(trials(finished).values()))

    done = mtsbench(
        workplace,
        "predict",
        f"--checkpoint={trial}",
        "--set=dataset.cases=18",
        "--out=predictions",
        "--device=cpu",
    )

    table = pd.read_csv(workplace / "predictions" / "risk.csv").set_index("case_id")
    of_trial = pd.read_parquet(trial / "predictions.parquet").set_index("case_id")
    assert "risk.csv" in done.stdout
    assert len(table) == 18
    assert table["risk"].is_monotonic_decreasing
    pd.testing.assert_series_equal(
        table.loc[of_trial.index, "risk"], of_trial["risk"], rtol=1e-5, check_exact=False
    )
    assert len(list((workplace / "predictions" / "masks").glob("*.nii.gz"))) == 18


def test_predict_cannot_change_what_was_trained(workplace: Path, finished: Path) -> None:
    trial = next(iter(trials(finished).values()))

    done = mtsbench(workplace, "predict", f"--checkpoint={trial}", "--set=dropout=0.1", status=2)

    assert "'dropout' was settled when the model was trained" in done.stderr


def test_runs_of_two_models_are_compared_in_one_table(workplace: Path, finished: Path) -> None:
    other = run_tiny(workplace, "runs", "--set=ridge=0.1", model="clinical-cox")

    done = mtsbench(workplace, "compare", str(finished), str(other))

    assert "clinical-cox" in done.stdout
    assert "oracle" in done.stdout
    assert "Spearman correlation of risk and factor" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_folds_side_by_side_are_the_same_trials(workplace: Path, finished: Path) -> None:
    beside = run_tiny(workplace, "beside", "--jobs=2")

    assert trials(beside).keys() == trials(finished).keys()
    for folder in trials(beside).values():
        assert (folder / "checkpoint.safetensors").is_file()
        assert len((folder / "log.jsonl").read_text().splitlines()) > 0


def test_runs_on_other_patients_are_not_compared(workplace: Path, finished: Path) -> None:
    other = run_tiny(workplace, "runs", "--set=dataset.cohort_seed=5", model="km")

    done = mtsbench(workplace, "compare", str(finished), str(other), status=2)

    assert "differ in fingerprint" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_checkpoint_is_refused_by_name(workplace: Path, finished: Path) -> None:
    import shutil

    trial = workplace / "damaged"
    shutil.copytree(next(iter(trials(finished).values())), trial)
    weights = bytearray((trial / "checkpoint.safetensors").read_bytes())
    weights[-100] ^= 0xFF
    (trial / "checkpoint.safetensors").write_bytes(weights)

    done = mtsbench(workplace, "predict", f"--checkpoint={trial}", status=2)

    assert "checkpoint.safetensors is damaged" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model=deepmst", "--dataset=npc"), "Did you mean 'deepmts'?"),
        (("--model=deepmts", "--dataset=ncp"), "Did you mean 'npc'?"),
        (("--model=deepmts", "--dataset=npc", "--set=dropot=0.1"), "Did you mean 'dropout'?"),
        (("--model=deepmts", "--dataset=npc", "--set=dropout=2"), "must be float in [0, 1)"),
        (("--model=deepmts", "--dataset=npc", "--set=trainig.epochs=2"), "expected one of"),
        (("--model=deepmts", "--dataset=npc", "--endpoint=rfs"), "has no endpoint 'rfs'"),
        (("--model=deepmts", "--dataset=npc", "--preset=fast"), "preset must be auto, demo"),
        (("--model=deepmts", "--dataset=npc", "--device=tpu"), "device must be auto, cpu"),
        (("--model=deepmts", "--dataset=npc", "--seeds=a"), "seeds must be whole numbers"),
        (("--model=deepmts", "--dataset=npc", "--folds=1"), "folds must be at least 2"),
        (("--model=deepmts", "--dataset=npc", "--track=tensorbord"), "Did you mean 'tensorboard'?"),
        (
            ("--model=deepmts", "--dataset=npc", "--set=dataset.cases=12", "--folds=9"),
            "cannot fill 9 folds",
        ),
        (
            ("--model=deepmts", "--dataset=hecktor", "--data-root=nowhere"),
            "nowhere",
        ),
    ],
)
def test_a_wrong_request_is_answered_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match="2"):
        run_application(app, ["run", *arguments])

    said = capsys.readouterr()
    assert message in said.err
    assert said.err.startswith("mtsbench: error: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_request_ends_the_process_with_exit_code_2(tmp_path: Path) -> None:
    done = mtsbench(tmp_path, "run", "--model=deepmst", "--dataset=npc", status=2)

    assert done.stderr.startswith("mtsbench: error: ")
    assert done.stderr.count("\n") == 1
