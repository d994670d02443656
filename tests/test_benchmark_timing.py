from __future__ import annotations

import time

import pytest

from mtsbench.benchmark.records import Protocol
from mtsbench.benchmark.timing import repeat, summarise


def test_the_warm_up_is_done_and_not_timed():
    done = []

    def action() -> None:
        # Only the first two are slow.
        time.sleep(0.05 if len(done) < 2 else 0.0)
        done.append(1)

    found = repeat(action, Protocol(warm_up=2, steps=5))

    assert len(done) == 7
    assert 0 < found.median < 0.02


def test_waiting_for_the_device_is_part_of_a_repetition():
    waited = []

    def wait() -> None:
        waited.append(1)
        time.sleep(0.01)

    found = repeat(lambda: None, Protocol(warm_up=3, steps=4), wait=wait)

    assert len(waited) == 1 + 4
    assert found.median >= 0.01


def test_median_and_spread_are_quartiles():
    found = summarise([4.0, 1.0, 2.0, 3.0, 5.0])

    assert found.median == 3.0
    assert found.spread == pytest.approx(4.0 - 2.0)
