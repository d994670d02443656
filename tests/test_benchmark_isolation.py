"""An item's end is not the benchmark's end."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

import pytest

from mtsbench.benchmark import isolation, table_items
from mtsbench.benchmark.isolation import in_a_process, measure_alone, processor_seconds
from mtsbench.benchmark.items import Item
from mtsbench.benchmark.records import Protocol
from mtsbench.plugins import Components, load_components

QUICK = Protocol(warm_up=0, steps=2)


class DiesInTheOtherProcess:
    """Unpickling it ends the process that does so."""

    def __init__(self, end, code: int) -> None:
        self.end = end, (code,)

    def __reduce__(self):
        return self.end


def item(measure, *needs) -> Item:
    return Item(name="a", what="b", data="c", device="cpu", needs=needs, measure=measure)


def test_a_measurement_comes_back_with_what_others_used():
    found = measure_alone(
        item(partial(table_items.harrell, patients=50)), QUICK, load_components(strict=False)
    )

    assert found.reason is None
    assert found.found.median > 0
    assert (found.others is None) == (processor_seconds() is None)


def test_an_item_that_is_out_of_memory_says_so():
    found = in_a_process(partial(table_items.harrell, patients=10**15), QUICK)

    assert found.startswith("out of memory: Unable to allocate")


def test_an_error_is_told_in_one_line():
    found = in_a_process(partial(table_items.harrell, patients=-1), QUICK)

    assert found == "ValueError: negative dimensions are not allowed"


@pytest.mark.parametrize(
    ("end", "code", "reason"),
    [
        (os._exit, 3, "the process ended with code 3 and no result"),
        (
            signal.raise_signal,
            signal.SIGKILL,
            "the process was ended by signal 9, as a system does that is short of memory",
        ),
    ],
)
def test_a_process_that_dies_is_a_reason(end, code, reason):
    assert in_a_process(DiesInTheOtherProcess(end, code), QUICK) == reason


def test_a_missing_plugin_is_a_reason_and_starts_no_process():
    never = item(None, ("dataset", "npc"), ("model", "deepmts"))

    found = measure_alone(never, QUICK, Components(plugins=()))

    assert found.reason == "dataset npc is not installed"
    assert found.others is None


def test_others_are_what_the_system_counts_less_what_this_process_used(tmp_path, monkeypatch):
    statistics = tmp_path / "stat"
    monkeypatch.setattr(isolation, "STATISTICS", statistics)
    tick = 1 / os.sysconf("SC_CLK_TCK")

    statistics.write_text("cpu  100 0 50 1000 20 0 0 0 0 0\ncpu0 1 1 1 1\n")
    before, start = processor_seconds(), time.process_time()
    while time.process_time() - start < 0.3:
        sum(range(1000))
    own = time.process_time() - start
    # 400 ticks more in work of every kind, 500 more of idling and of waiting for a disk.
    statistics.write_text("cpu  200 50 100 1400 120 50 50 100 0 0\n")

    assert processor_seconds() - before == pytest.approx(400 * tick - own, abs=0.05)


def test_a_system_that_does_not_tell_gives_none(tmp_path, monkeypatch):
    monkeypatch.setattr(isolation, "STATISTICS", tmp_path / "none")

    assert processor_seconds() is None
