"""Measures item after item and keeps what is done."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from mtsbench.benchmark.isolation import measure_alone
from mtsbench.benchmark.records import (
    NOT_REACHED,
    BenchmarkRecord,
    ItemResult,
    Protocol,
    read_record,
    write_record,
)
from mtsbench.benchmark.this_machine import describe_machine, versions
from mtsbench.errors import DataError
from mtsbench.machine import git_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mtsbench.benchmark.items import Item
    from mtsbench.plugins import Components


def run_benchmark(
    items: Sequence[Item],
    protocol: Protocol,
    components: Components,
    device: str,
    *,
    folder: Path | None,
    report: Callable[[ItemResult], None],
) -> BenchmarkRecord:
    """Measure each item that the day's record does not hold yet.

    The record is written after every item, so a benchmark that was cut off goes on with the same
    command, and one that cannot be measured is tried again.

    Args:
        items: What to measure.
        protocol: How often.
        components: What is installed.
        device: cpu or cuda[:N].
        folder: Of records; None keeps none.
        report: Takes every result that is new.

    Raises:
        DataError: The folder holds a record of this machine and day, but made by another version,
            commit or protocol.
    """
    record = BenchmarkRecord(
        date=datetime.datetime.now(datetime.UTC).date(),
        machine=describe_machine(device),
        versions=versions(components),
        git=git_state(),
        protocol=protocol,
        items=(),
    )
    done: dict[str, ItemResult] = {}
    if folder is not None:
        done = {item.name: item for item in _kept(folder, record)}
    for item in items:
        if item.name in done and done[item.name].found is not None:
            continue
        done[item.name] = measure_alone(item, protocol, components)
        report(done[item.name])
        record = record.model_copy(update={"items": _with_those_to_come(done, items)})
        if folder is not None:
            write_record(record, folder)
    return record.model_copy(update={"items": tuple(done.values())})


def _kept(folder: Path, record: BenchmarkRecord) -> tuple[ItemResult, ...]:
    """What was measured today under the same circumstances."""
    path = folder / record.file_name()
    if not path.exists():
        return ()
    kept = read_record(path)
    before, now = kept.circumstances(), record.circumstances()
    for name, value in now.items():
        if before[name] != value:
            raise DataError(
                f"{path} was made with {name} {before[name]}, and this benchmark has {value}; "
                "choose another --out or remove the file"
            )
    return kept.items


def _with_those_to_come(
    done: dict[str, ItemResult], items: Sequence[Item]
) -> tuple[ItemResult, ...]:
    waiting = [
        ItemResult(
            name=item.name,
            what=item.what,
            data=item.data,
            device=item.device,
            reason=NOT_REACHED,
        )
        for item in items
        if item.name not in done
    ]
    return (*done.values(), *waiting)
