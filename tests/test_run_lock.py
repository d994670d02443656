"""Who holds a run, who waits for it, and when a note is of nobody any more."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import signal
import threading
import time

import pytest

from mtsbench import run_lock
from mtsbench.errors import DataError
from mtsbench.run_lock import GUARD, NOTE, check_free, hold


def hold_until_killed(folder, told):
    with hold(folder, told.put):
        told.put("held")
        time.sleep(60)


@pytest.fixture
def start(tmp_path):
    """Starts processes that hold a run until they are killed."""
    context, started = multiprocessing.get_context("fork"), []

    def start():
        told = context.Queue()
        process = context.Process(target=hold_until_killed, args=(tmp_path, told))
        process.start()
        started.append(process)
        return process, told

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(run_lock, "POLL_SECONDS", 0.01)


def note(folder, **changes):
    """The note of a process on another machine."""
    facts = {
        "host": "elsewhere",
        "machine": "another",
        "process": 7,
        "since": "2026-01-01 12:00:00",
        "command": "mtsbench run",
        "mark": "m",
    }
    (folder / NOTE).write_text(json.dumps({**facts, **changes}))


def age(path, seconds):
    os.utime(path, (time.time() - seconds,) * 2)


def test_a_run_that_nobody_holds_is_held_at_once_and_left_free(tmp_path):
    with hold(tmp_path / "run", pytest.fail):
        told = json.loads((tmp_path / "run" / NOTE).read_text())
        assert told["process"] == os.getpid()

    assert not (tmp_path / "run" / NOTE).exists()
    check_free(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == [GUARD]


def test_a_run_is_left_free_by_what_fails(tmp_path):
    with pytest.raises(ValueError, match="inside"), hold(tmp_path, pytest.fail):
        raise ValueError("inside")

    check_free(tmp_path)


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGTERM])
def test_another_process_is_named_waited_for_and_followed_however_it_ends(
    start, tmp_path, quick, ends
):
    process, told = start()
    assert told.get(timeout=30) == "held"
    with pytest.raises(DataError, match=rf"carried out by process {process.pid} on .* wait until"):
        check_free(tmp_path)
    lines = []

    def tell(line):
        lines.append(line)
        os.kill(process.pid, ends)

    with hold(tmp_path, tell):
        assert not process.is_alive() or process.join(5) is None

    assert len(lines) == 1
    assert f"is being carried out by process {process.pid} on" in lines[0]
    assert "waiting until that ends, then doing what is left. Ctrl-C stops waiting" in lines[0]


def test_of_three_only_one_holds_a_run_and_the_others_follow_one_after_another(start, tmp_path):
    processes = dict(start() for _ in range(3))
    for _ in range(3):
        held = None
        while held is None:
            for process, told in processes.items():
                while not told.empty():
                    if told.get() == "held":
                        held = process
        time.sleep(0.7)
        others = [told.get() for one, told in processes.items() if one != held and not told.empty()]
        assert "held" not in others
        held.kill()
        held.join()
        del processes[held]


def test_a_note_of_another_machine_is_honoured_until_it_is_old(tmp_path, quick):
    note(tmp_path)
    (tmp_path / GUARD).touch()
    lines = []
    with pytest.raises(DataError, match="process 7 on elsewhere since 2026-01-01"):
        check_free(tmp_path)
    age(tmp_path / NOTE, 590)

    def tell(line):
        lines.append(line)
        age(tmp_path / NOTE, 610)

    with hold(tmp_path, tell):
        assert json.loads((tmp_path / NOTE).read_text())["process"] == os.getpid()

    assert "process 7 on elsewhere" in lines[0]


def test_a_note_of_this_machine_whose_process_let_go_is_of_nobody(tmp_path):
    note(tmp_path, machine=run_lock._machine())
    with hold(tmp_path, pytest.fail):
        pass
    (tmp_path / NOTE).write_text("half a no")
    with hold(tmp_path, pytest.fail):
        pass
    check_free(tmp_path)


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with (
        pytest.raises(DataError, match=r"nothing can be written into .*Permission denied.*--out"),
        hold(tmp_path, pytest.fail),
    ):
        pass


def test_where_the_file_system_has_no_locks_the_note_alone_decides(tmp_path, monkeypatch, quick):
    def refuse(file, how):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    order = []

    def second():
        with hold(tmp_path, order.append):
            order.append("second")

    with hold(tmp_path, pytest.fail):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first ends")
    thread.join()

    assert order[1:] == ["first ends", "second"]
    assert "is being carried out by" in order[0]


def test_where_there_are_no_links_the_note_is_written_in_place(tmp_path, monkeypatch):
    def refuse(draft, path):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with hold(tmp_path, pytest.fail):
        assert json.loads((tmp_path / NOTE).read_text())["process"] == os.getpid()
    assert [path.name for path in tmp_path.iterdir()] == [GUARD]


def test_the_note_is_touched_while_the_run_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "BEAT_SECONDS", 0.02)
    with hold(tmp_path, pytest.fail):
        age(tmp_path / NOTE, 1000)
        end = time.monotonic() + 20
        while time.time() - (tmp_path / NOTE).stat().st_mtime > 500:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_holder_that_was_given_up_leaves_the_note_of_its_follower_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "BEAT_SECONDS", 0.01)
    with hold(tmp_path, pytest.fail):
        note(tmp_path, mark="follower")
        age(tmp_path / NOTE, 300)
        time.sleep(0.1)

    assert json.loads((tmp_path / NOTE).read_text())["mark"] == "follower"
    assert time.time() - (tmp_path / NOTE).stat().st_mtime > 200


def test_a_note_that_changed_hands_meanwhile_is_put_back(tmp_path):
    note(tmp_path, mark="new")

    run_lock._remove(tmp_path, "old")

    assert json.loads((tmp_path / NOTE).read_text())["mark"] == "new"
    assert [path.name for path in tmp_path.iterdir()] == [NOTE]
