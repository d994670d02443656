"""Trials in other processes: done, reported, failing, dying, and ending with their run."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from mtsbench.events import TrialEvent
from mtsbench.executors.local import LocalProcesses, send, threads_for

OFTEN = 200


def test_every_trial_is_done_and_what_it_says_arrives(tmp_path):
    heard = []
    events = [TrialEvent(trial=str(number), done=number) for number in range(3)]
    trials = [partial(os.mkdir, tmp_path / str(number)) for number in range(3)]

    LocalProcesses(jobs=2, threads=1).map(
        [*trials, *(partial(send, event) for event in events)], heard.append
    )

    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]
    assert sorted(heard, key=lambda event: event.trial) == events


@pytest.mark.timeout(60)
def test_all_that_trials_say_is_heard_however_slow_the_listener_is():
    """A process does not end before its pipe is read, and is not waited for before it ends."""
    heard = []
    event = TrialEvent(trial="long" * 1000)

    def listen(said):
        time.sleep(0.001)
        heard.append(said)

    LocalProcesses(jobs=1, threads=1).map([partial(_say_often, event)], listen)

    assert heard == [event] * OFTEN


def test_without_trials_no_process_is_started():
    LocalProcesses(jobs=2, threads=1).map([], print)


def test_a_trial_that_fails_or_dies_is_told_and_the_others_are_done(tmp_path):
    deadly = [partial(os._exit, 3), partial(_kill_itself)]
    others = [partial(os.mkdir, tmp_path / str(number)) for number in range(3)]

    ends = LocalProcesses(jobs=2, threads=1).map([*deadly, partial(int, "x"), *others], print)

    assert ends[0] == "its process ended with exit code 3; the same command tries the trial again"
    assert ends[1] == (
        "its process was killed by signal 9 (SIGKILL), as the system does when memory is short; "
        "use fewer --jobs or a smaller batch; the same command tries the trial again"
    )
    assert ends[2].startswith("ValueError: invalid literal")
    assert ends[3:] == (None, None, None)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_trial_that_cannot_be_sent_stops_the_run_and_no_process_is_left():
    with pytest.raises((AttributeError, pickle.PicklingError), match="pickle"):
        LocalProcesses(jobs=1, threads=1).map([lambda: None], print)

    assert multiprocessing.active_children() == []


def test_nothing_is_sent_from_a_process_that_nobody_waits_for():
    send(TrialEvent(trial="alone"))


def test_trials_end_with_a_run_that_is_killed(tmp_path):
    note = tmp_path / "pid"
    code = (
        "import subprocess\nfrom functools import partial\n"
        "from mtsbench.executors.local import LocalProcesses\n"
        "if __name__ == '__main__':\n"
        f"    shell = ['sh', '-c', 'echo $PPID > {note}; sleep 20']\n"
        "    LocalProcesses(jobs=1, threads=1).map([partial(subprocess.run, shell)], print)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)

    with subprocess.Popen([sys.executable, str(script)]) as run:
        worker = _soon(lambda: note.exists() and note.read_text().strip())
        run.send_signal(signal.SIGKILL)

    assert _soon(lambda: _gone(int(worker)))


def _kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _say_often(event: TrialEvent) -> None:
    for _ in range(OFTEN):
        send(event)


def _soon(condition, seconds: float = 20):
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _gone(process: int) -> bool:
    """Ended, or a zombie that nobody has asked for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(("jobs", "processors", "threads"), [(1, 8, 8), (3, 8, 2), (3, 2, 1)])
def test_each_trial_has_its_part_of_the_processors(jobs, processors, threads):
    assert threads_for(jobs, processors) == threads
