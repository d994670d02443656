"""The page that compares records is a function of the records."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

import pytest

from mtsbench.benchmark.items import all_items
from mtsbench.benchmark.page import PAGE, page_text, read_folder, seconds_text, write_page
from mtsbench.benchmark.records import (
    BenchmarkRecord,
    ItemResult,
    Machine,
    Measurement,
    Protocol,
    write_record,
)
from mtsbench.errors import DataError

RECORDS = Path(__file__).parents[1] / "benchmarks" / "records"


def item(name: str, median: float | None, others: float | None = None, **details) -> ItemResult:
    found = None if median is None else Measurement(median=median, spread=0.01, details=details)
    reason = "out of memory" if median is None else None
    return ItemResult(
        name=name,
        what="one step",
        data="random numbers",
        device="cpu",
        found=found,
        reason=reason,
        others=others,
    )


def record(*items: ItemResult, machine: str = "cpu", day: int = 1, git=None) -> BenchmarkRecord:
    return BenchmarkRecord(
        date=datetime.date(2026, 11, day),
        machine=Machine(device=machine, processor="Fast", cores=4),
        versions={"mtsbench": "0.1.0", "torch": "2.13.0", "threads": "4"},
        git=git,
        protocol=Protocol(warm_up=1, steps=7),
        items=items,
    )


def row(text: str, beginning: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {beginning} |")]
    return [cell.strip() for cell in found.strip("|").split(" | ")]


def test_records_stand_side_by_side_with_their_speed_beside_the_first():
    text = page_text([record(item("a", 0.2)), record(item("a", 0.05), item("b", 3.0), day=2)])

    assert row(text, "a")[3:] == ["200 ms (10 ms)", "50 ms (10 ms) (4.0x)"]
    assert row(text, "b")[3:] == ["–", "3 s (10 ms)"]


def test_what_was_measured_beside_busy_programs_is_marked():
    text = page_text([record(item("a", 1.0, others=0.5), item("b", 1.0, others=0.05))])

    assert row(text, "a")[3].endswith("\\*")
    assert not row(text, "b")[3].endswith("\\*")


def test_what_could_not_be_measured_has_its_reason():
    text = page_text([record(item("a", None))])

    assert row(text, "a")[3] == "–"
    assert "- R1, a: out of memory" in text


def test_machines_have_versions_commit_and_protocol():
    git = "0123456789abcdef" + "+changes"
    text = page_text([record(item("a", 1.0), git=git)])

    (line,) = [line for line in text.splitlines() if line.startswith("| R1 | cpu")]
    for part in ("Fast, 4 cores", "2026-11-01", "2.13.0", "01234567 and changes", "1 + 7"):
        assert part in line


def test_phases_are_shares_of_a_training_step():
    details = {"cases_per_second": 8.0, "memory_mib": 100.0}
    trained = item("t", 1.0, data_seconds=0.25, forward_seconds=0.75, **details)

    text = page_text([record(trained)])

    assert "| R1 | t | 25.0% | 75.0% | 8 | 100 MiB |" in text
    assert "No training step was measured." in page_text([record(item("a", 1.0))])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.34, "12.3 s"), (0.01234, "12.3 ms"), (0.0001234, "123 us"), (0.0, "0 us")],
)
def test_seconds_have_three_digits_and_a_unit(seconds, text):
    assert seconds_text(seconds) == text


def test_a_folder_without_records_says_how_to_make_one(tmp_path):
    with pytest.raises(DataError, match=r"no benchmark record; measure one with `mtsbench bench"):
        read_folder(tmp_path)


def test_the_page_is_written_beside_the_records(tmp_path):
    write_record(record(item("a", 1.0)), tmp_path)

    assert write_page(tmp_path) == tmp_path / PAGE
    assert (tmp_path / PAGE).read_text() == page_text(read_folder(tmp_path))


def test_the_committed_page_is_what_the_committed_records_make():
    assert (RECORDS / PAGE).read_text() == page_text(read_folder(RECORDS))


def test_committed_records_keep_the_protocol_and_name_no_machine():
    for path in RECORDS.glob("*.json"):
        kept = BenchmarkRecord.model_validate_json(path.read_bytes())
        assert path.name == kept.file_name()
        assert kept.protocol == Protocol(warm_up=10, steps=70)
        assert kept.git is not None
        assert not kept.git.endswith("+changes")
        assert platform.node() not in path.read_text()
        assert os.path.expanduser("~") not in path.read_text()


def test_some_committed_record_tells_of_every_item_of_a_processor():
    records = [one for one in read_folder(RECORDS) if one.machine.device == "cpu"]
    wanted = {item.name for item in all_items("cpu")}

    assert any(wanted <= {item.name for item in one.items} for one in records)
