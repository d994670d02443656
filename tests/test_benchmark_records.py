from __future__ import annotations

import datetime
import json

import pytest

from mtsbench.benchmark.records import (
    BenchmarkRecord,
    ItemResult,
    Machine,
    Measurement,
    Protocol,
    read_record,
    write_record,
)
from mtsbench.errors import DataError

GPU = Machine(device="NVIDIA H100 80GB HBM3", processor="Xeon(R)", cores=16)
CPU = Machine(device="cpu", processor="Intel(R) Xeon(R) Processor @ 2.60GHz", cores=2)


def item(**changes) -> ItemResult:
    facts = {"name": "a", "what": "b", "data": "c", "device": "cpu"}
    return ItemResult(**{**facts, "found": Measurement(median=1.0, spread=0.1), **changes})


def record(machine: Machine = CPU, *items: ItemResult) -> BenchmarkRecord:
    return BenchmarkRecord(
        date=datetime.date(2026, 11, 25),
        machine=machine,
        versions={"torch": "2.13.0"},
        git=None,
        protocol=Protocol(),
        items=items,
    )


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (GPU, "nvidia-h100-80gb-hbm3-2026-11-25.json"),
        (CPU, "intel-xeon-processor-2-60ghz-2-cores-2026-11-25.json"),
    ],
)
def test_a_file_is_named_for_the_device_and_the_day(machine, name):
    assert record(machine).file_name() == name


def test_what_is_written_is_read_again_and_nothing_else_lies_in_the_folder(tmp_path):
    kept = record(CPU, item(), item(name="b", found=None, reason="out of memory", others=0.25))

    path = write_record(kept, tmp_path / "new")

    assert read_record(path) == kept
    assert [one.name for one in path.parent.iterdir()] == [kept.file_name()]


@pytest.mark.parametrize("changes", [{"found": None}, {"reason": "why"}], ids=["neither", "both"])
def test_an_item_has_either_a_measurement_or_a_reason(changes):
    with pytest.raises(ValueError, match="either a measurement or a reason"):
        item(**changes)


def test_a_record_of_another_schema_is_refused_with_the_field(tmp_path):
    path = write_record(record(), tmp_path)
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "schema_version": 2}))

    with pytest.raises(DataError, match=r"no benchmark record of schema 1 \(schema_version: "):
        read_record(path)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{")

    with pytest.raises(DataError, match=r"no benchmark record of schema 1 \(the file: "):
        read_record(tmp_path / "a.json")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*No such file or directory; check the path"):
        read_record(tmp_path / "a.json")
