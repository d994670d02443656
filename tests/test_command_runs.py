"""`mtsbench runs` on finished runs made in milliseconds."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import DataError, OptionError

A, B = "npc-pfs-a-demo-0123abcd", "npc-pfs-b-demo-0123abcd"


@pytest.fixture
def out(stored, monkeypatch):
    """The folder of runs `a`, finished, and `b`, of which one trial failed and one is missing."""
    monkeypatch.setenv("COLUMNS", "80")
    stored(label="a", curves=False)
    store = stored(label="b", masks=False, curves=False)
    for record in store.records()[:2]:
        shutil.rmtree(store.trial_folder(record))
    return store.folder.parent


@pytest.fixture
def failed(out, make_failure):
    """The folder in which `b` also has a failed trial."""
    from mtsbench.store import RunStore

    store = RunStore(out / B)
    store.save_failure(make_failure().model_copy(update={"key": store.expected()[0]}))
    return out


def call(out, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["runs", *arguments, "--out", str(out)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def in_terminal(*arguments: str, answer: str) -> tuple[int, str]:
    """The command in a process whose input is a terminal, where somebody answers."""
    controller, terminal = pty.openpty()
    os.write(controller, f"{answer}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "mtsbench", "runs", *arguments],
        stdin=terminal,
        capture_output=True,
        text=True,
    )
    os.close(controller)
    os.close(terminal)
    return done.returncode, done.stdout + done.stderr


def test_the_list_tells_state_trials_date_size_and_scores(failed):
    lines = call(failed, "list").splitlines()

    assert [line for line in lines if not line.startswith(" ")] == [A, B]
    details = [" ".join(line.split()) for line in lines if line.startswith(" ")]
    assert details[0].startswith("finished 3/3 · 20")
    assert "kB · harrell-c 0." in details[0]
    assert " · dice 0." in details[0]
    assert details[1].startswith("unfinished 1/3 (1 failed, 1 missing) · 20")
    assert re.search(r"harrell-c 0\.\d+ \(1/3\)$", " ".join(details[1:]))
    assert max(map(len, lines)) <= 80


def test_a_damaged_run_is_listed_with_what_is_damaged(out):
    (out / B / "run.json").write_text("{}")

    lines = " ".join(call(out, "list").split())

    assert f"{B} damaged (" in lines
    assert "run.json is damaged" in lines


def test_an_empty_folder_is_told(tmp_path):
    assert call(tmp_path, "list") == f"no run in {tmp_path}\n"


def test_the_list_is_json_for_programs(failed):
    found = json.loads(call(failed, "list", "--json"))

    assert [one["run"] for one in found] == [A, B]
    assert [one["state"] for one in found] == ["finished", "unfinished"]
    assert [(one["trials"], one["done"], one["failed"], one["missing"]) for one in found] == [
        (3, 3, 0, 0),
        (3, 1, 1, 1),
    ]
    assert found[0]["bytes"] > 1000
    assert 0 < found[0]["scores"]["harrell-c"] < 1
    assert found[0]["fault"] is None


def test_a_run_is_shown_with_its_description_trials_scores_and_failures(failed):
    said = call(failed, "show", B)

    assert re.search(r"^cases +90, \d+ events \(SIMULATED\)", said, re.MULTILINE)
    assert re.search(r"^protocol +repeats=1, folds=3, seeds=0", said, re.MULTILINE)
    assert re.search(r"^options +width=8", said, re.MULTILINE)
    assert "harrell-c" in said
    assert "failed: repeat 0 fold 0 seed 0: the training loss became nan" in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_a_run_is_shown_as_json(failed):
    found = json.loads(call(failed, "show", B, "--json"))

    assert found["run"]["name"] == B
    assert (len(found["trials"]), len(found["failures"]), found["report"]) == (1, 1, None)


def test_a_name_that_is_not_there_is_refused(out):
    with pytest.raises(DataError, match=r"is called 'npc'.*`mtsbench runs list` names them"):
        call(out, "show", "npc")


def test_nothing_is_removed_where_nobody_can_be_asked(out):
    with pytest.raises(
        OptionError, match=r"nothing was removed, because nobody can be asked here; add --yes"
    ):
        call(out, "remove", A)
    assert (out / A).is_dir()


def test_runs_are_removed_without_a_question_if_so_wished(out):
    said = call(out, "remove", A, B, A, "--yes")

    assert f"removed: {out / A}" in said
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, [B]), ("n", 1, [A, B])])
def test_somebody_who_can_be_asked_decides(out, answer, code, left):
    done, said = in_terminal("remove", A, "--out", str(out), answer=answer)

    assert done == code, said
    assert "finished 3/3" in said
    assert "Remove" in said
    assert sorted(path.name for path in out.iterdir()) == left


@pytest.mark.parametrize("name", ["..", "../stored", f"../stored/{A}", "/etc", "."])
def test_nothing_outside_the_folder_of_runs_is_removed(out, name):
    with pytest.raises(OptionError, match="is no name of a run"):
        call(out, "remove", A, name, "--yes")
    assert (out / A).is_dir(), "one wrong name, and nothing is removed"


def test_nothing_behind_a_link_is_removed(out, tmp_path):
    shutil.move(out / B, tmp_path / "outside")
    (out / B).symlink_to(tmp_path / "outside")

    with pytest.raises(DataError, match="is a link to"):
        call(out, "remove", B, "--yes")
    assert (tmp_path / "outside" / "run.json").is_file()


def test_a_folder_that_is_no_run_is_not_removed(out):
    (out / "notes").mkdir()
    with pytest.raises(DataError, match="is not the folder of a run"):
        call(out, "remove", "notes", "--yes")

    (out / "notes" / "run.json").write_text('{"speed": 3}')
    with pytest.raises(DataError, match="may hold something other than a run"):
        call(out, "remove", "notes", "--yes")
    assert (out / "notes" / "run.json").is_file()
