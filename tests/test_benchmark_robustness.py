"""The scripts that try to make a run tell a wrong number: they find none, and would see one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mtsbench_cohorts")
pytest.importorskip("mtsbench_radiomics")
FOLDER = Path(__file__).parents[1] / "benchmarks" / "robustness"


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / name), *arguments], capture_output=True, text=True
    )


@pytest.fixture
def modules(monkeypatch):
    """`mutations` and `changes`, as the script itself finds them."""
    monkeypatch.syspath_prepend(FOLDER)
    import changes
    import mutations

    return mutations, changes


@pytest.fixture
def bench(modules, tmp_path):
    return modules[0].Bench(tmp_path)


def test_every_kind_of_change_is_withstood(bench, modules):
    for number, change in enumerate(modules[1].CHANGES):
        bench.reset()
        did = change(bench.run_folder, random.Random(number))
        verdict = bench.judge(did)
        assert verdict.good, verdict


def test_a_number_that_changes_in_silence_would_be_seen(bench, modules, monkeypatch):
    monkeypatch.setattr("mtsbench.stored_files.read_checked", lambda path: path.read_bytes())
    monkeypatch.setattr("mtsbench.trial_folders.check_folder", lambda *_, **__: None)
    record = next(bench.run_folder.glob("trials/*/record.json"))
    found = json.loads(record.read_text())
    found["scores"]["harrell-c"]["value"] = 0.99
    record.write_text(json.dumps(found))

    verdict = bench.judge("a score was edited")

    assert (verdict.compared, verdict.listed, verdict.again) == ("SILENT", "SILENT", "WRONG")


@pytest.mark.parametrize("more", [(), ("--kill",), ("--no-lock",)])
def test_a_race_of_two_commands_leaves_one_complete_run(more):
    done = script("races.py", "--races=1", "--processes=2", *more)

    assert done.returncode == 0, done.stderr
    assert "1 races of 2 commands (table" in done.stdout
    assert "): 1 with one complete run and the right numbers" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--kill", "--seed=1"),
        ("--no-lock", "--seed=2"),
        ("--command=network", "--races=5", "--seed=3"),
        ("--command=jobs", "--kill", "--races=5", "--seed=4"),
    ],
    ids=" ".join,
)
def test_every_race_leaves_one_complete_run(arguments):
    done = script("races.py", *arguments)

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_changed_folder_tells_another_number_in_silence():
    done = script("mutations.py")

    assert done.returncode == 0, done.stderr
    assert "470 changed run folders, 0 with a number changed in silence" in done.stdout
