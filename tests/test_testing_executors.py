"""One broken executor for each check, and the check that names its fault."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from mtsbench.testing import BrokenPromise, ExecutorContract


class Right:
    def map(self, trials, report):
        for trial in trials:
            with contextlib.suppress(Exception):
                trial()


class Forgets(Right):
    def map(self, trials, report):
        super().map(trials[1:], report)


class Repeats(Right):
    def map(self, trials, report):
        super().map([*trials, trials[0]], report)


class Stops:
    def map(self, trials, report):
        for trial in trials:
            trial()


class StopsQuietly:
    def map(self, trials, report):
        with contextlib.suppress(RuntimeError):
            Stops().map(trials, report)


class InThreads(Right):
    def map(self, trials, report):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda trial: super(InThreads, self).map([trial], report), trials))


class NeedsOne(Right):
    def map(self, trials, report):
        trials[0]
        super().map(trials, report)


FAULTS = [
    ("every_trial_is_run_once", Forgets, r"ran \[0, 1, 1, 1\] times"),
    ("every_trial_is_run_once", Repeats, r"ran \[2, 1, 1, 1\] times"),
    ("a_failing_trial_does_not_stop_the_others", Stops, "map raised RuntimeError"),
    ("a_failing_trial_does_not_stop_the_others", StopsQuietly, r"ran \[1, 1, 0, 0\] times"),
    ("no_two_trials_run_at_once_in_one_process", InThreads, "two trials ran at once in process"),
    ("no_trial_is_no_mistake", NeedsOne, "an empty list of trials raised IndexError"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(ExecutorContract, lambda: fault())

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def test_a_right_executor_keeps_every_promise(contract_of, verdicts):
    found = verdicts(contract_of(ExecutorContract, lambda: Right()))

    assert {status for status, _ in found.values()} == {"kept"}
