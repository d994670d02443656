"""Results are kept as they come, and a benchmark that was cut off goes on."""

from __future__ import annotations

from functools import partial

import pytest

from mtsbench.benchmark import table_items
from mtsbench.benchmark.items import Item
from mtsbench.benchmark.records import NOT_REACHED, Protocol, read_record
from mtsbench.benchmark.running import run_benchmark
from mtsbench.errors import DataError
from mtsbench.plugins import Components

QUICK = Protocol(warm_up=0, steps=2)
NOTHING = Components(plugins=())


def item(name: str, *, missing: bool = False) -> Item:
    return Item(
        name=name,
        what="b",
        data="c",
        device="cpu",
        needs=(("model", "absent"),) if missing else (),
        measure=partial(table_items.harrell, patients=50),
    )


def run(items, folder=None, report=lambda item: None, protocol=QUICK):
    return run_benchmark(items, protocol, NOTHING, "cpu", folder=folder, report=report)


def test_an_item_that_cannot_run_is_recorded_and_the_others_go_on(tmp_path):
    said = []

    found = run([item("first", missing=True), item("second")], tmp_path, said.append)

    assert [one.name for one in found.items] == ["first", "second"]
    assert found.items[0].reason == "model absent is not installed"
    assert found.items[1].found.median > 0
    assert list(found.items) == said
    assert read_record(tmp_path / found.file_name()) == found


def test_what_was_not_reached_is_said_in_the_record(tmp_path):
    class CutOffError(Exception):
        pass

    def cut_off(result) -> None:
        if result.name == "b":
            raise CutOffError

    items = [item(name, missing=True) for name in "abc"]
    with pytest.raises(CutOffError):
        run(items, tmp_path, cut_off)

    (path,) = tmp_path.iterdir()
    reasons = {one.name: one.reason for one in read_record(path).items}
    assert reasons["a"] == "model absent is not installed"
    assert reasons["c"] == NOT_REACHED


def test_the_same_command_measures_only_what_is_missing(tmp_path):
    first = run([item("a"), item("b", missing=True)], tmp_path)
    said = []

    second = run([item("a"), item("b", missing=True), item("c")], tmp_path, said.append)

    assert [one.name for one in said] == ["b", "c"]
    assert second.items[0] == first.items[0]
    assert second.items[2].found is not None


def test_another_protocol_does_not_mix_with_a_record_of_the_day(tmp_path):
    run([item("a", missing=True)], tmp_path)

    with pytest.raises(DataError, match=r"was made with protocol .*'steps': 2.* has .*'steps': 3"):
        run([item("a")], tmp_path, protocol=Protocol(warm_up=0, steps=3))


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    found = run([item("a", missing=True)])

    assert found.items[0].reason is not None
    assert list(tmp_path.iterdir()) == []
