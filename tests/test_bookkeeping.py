"""Clocks and the records of what went wrong."""

from __future__ import annotations

import time

import pytest

from mtsbench.bookkeeping import PhaseClock, failed_trial
from mtsbench.errors import DataError
from mtsbench.splits import Split

SPLIT = Split(repeat=1, fold=2, train=("A",), validation=("B",), test=("C",))


def test_the_clock_times_each_phase_even_one_that_fails():
    clock = PhaseClock()

    def fail() -> None:
        with clock.phase("fit"):
            time.sleep(0.02)
            raise KeyError("inside")

    with pytest.raises(KeyError):
        fail()

    assert clock.seconds["fit"] >= 0.02


def test_what_is_done_for_onlookers_belongs_to_no_phase():
    clock = PhaseClock()

    with clock.phase("fit"):
        time.sleep(0.01)
        with clock.paused():
            time.sleep(0.2)
    with clock.phase("predict"):
        time.sleep(0.01)

    assert 0.01 <= clock.seconds["fit"] < 0.2
    assert 0.01 <= clock.seconds["predict"] < 0.2


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("case 'A' is broken"), "case 'A' is broken"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failed_trial_says_which_and_why(error, text):
    record = failed_trial("k" * 64, SPLIT, 3, error)

    assert (record.repeat, record.fold, record.seed, record.error) == (1, 2, 3, text)
    assert type(error).__name__ in record.traceback
