from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import OptionError

QUICK = ("--device", "cpu", "--only", "harrell-c-20000", "--steps", "2", "--warm-up", "0")


def call(*arguments: str):
    done = CliRunner().invoke(app, ["benchmark", *arguments])
    if done.exception:
        raise done.exception
    return done


def test_a_record_is_kept_and_printed_for_people_and_for_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    text = call(*QUICK, "--out", str(tmp_path)).stdout
    # What is done already is not measured again.
    done = call(*QUICK, "--out", str(tmp_path), "--json")

    assert "harrell-c-20000" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("record:")) <= 80
    found = json.loads(done.stdout)
    (path,) = tmp_path.iterdir()
    assert found == json.loads(path.read_text())
    assert f"{path}" in done.stderr
    assert found["protocol"] == {"warm_up": 0, "steps": 2}


def test_the_page_of_a_folder_is_written(tmp_path):
    call(*QUICK, "--out", str(tmp_path))

    text = call("--compare", str(tmp_path)).stdout

    assert text.strip() == f"page: {tmp_path / 'README.md'}"
    assert "| harrell-c-20000 |" in (tmp_path / "README.md").read_text()


def test_an_unknown_item_is_refused():
    with pytest.raises(OptionError, match="no item is called 'nothing' on this device"):
        call("--device", "cpu", "--only", "nothing")
