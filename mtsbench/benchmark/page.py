"""The page that compares records, in Markdown; a function of the records alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.benchmark.records import read_record
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtsbench.benchmark.records import BenchmarkRecord, ItemResult

PAGE = "README.md"
BUSY = 0.1  # share of the processors that others may use before a figure is marked
SHOWN_VERSIONS = ("mtsbench", "torch", "cuda", "threads")
INTRODUCTION = """\
# Benchmark records

```
mtsbench benchmark --out benchmarks/records        # measure this machine
mtsbench benchmark --compare benchmarks/records    # write this page anew
```

Each item runs alone in a process: warm-up, then repetitions that are timed one by one; the table
gives median (interquartile range). The size is in every item's name: processors get 32 voxels along
each axis, GPUs 128. `(2.0x)` is the speed beside the first record that has the item. An asterisk
marks what was measured while other programs used over 10 % of the processors: such times are too
long by an unknown amount, and only ratios within one run count. Patients are simulated.
"""


def read_folder(folder: Path) -> tuple[BenchmarkRecord, ...]:
    """All records of a folder, by machine and date.

    Raises:
        DataError: The folder holds no record, or one that cannot be read.
    """
    found = [read_record(path) for path in sorted(folder.glob("*.json"))]
    if not found:
        raise DataError(
            f"{folder} holds no benchmark record; measure one with "
            f"`mtsbench benchmark --out {folder}`"
        )
    return tuple(found)


def write_page(folder: Path) -> Path:
    """Write the page of a folder into it."""
    page = folder / PAGE
    page.write_text(page_text(read_folder(folder)))
    return page


def page_text(records: Sequence[BenchmarkRecord]) -> str:
    """The whole page."""
    lines = [INTRODUCTION, *_machines(records), "", "## Items", "", *_items(records)]
    notes = _not_measured(records)
    if notes:
        lines += ["", "Not measured:", "", *notes]
    return "\n".join([*lines, "", "## Where a training step goes", "", *_phases(records)]) + "\n"


def seconds_text(seconds: float) -> str:
    """Three digits in s, ms or us."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def _machines(records: Sequence[BenchmarkRecord]) -> list[str]:
    lines = [
        f"| | device | processor | date | {' | '.join(SHOWN_VERSIONS)} | commit | protocol |",
        "|---|---|---|---|" + "---|" * len(SHOWN_VERSIONS) + "---|---|",
    ]
    for letter, record in _lettered(records):
        machine, protocol = record.machine, record.protocol
        memory = machine.device_memory_gib
        device = machine.device if memory is None else f"{machine.device}, {memory:g} GiB"
        versions = " | ".join(record.versions.get(name, "–") for name in SHOWN_VERSIONS)
        lines.append(
            f"| {letter} | {device} | {machine.processor}, {machine.cores} cores | {record.date} | "
            f"{versions} | {_commit(record.git)} | {protocol.warm_up} + {protocol.steps} |"
        )
    return lines


def _items(records: Sequence[BenchmarkRecord]) -> list[str]:
    rows: dict[str, ItemResult] = {}
    for record in records:
        for shown in record.items:
            rows.setdefault(shown.name, shown)
    letters = " | ".join(letter for letter, _ in _lettered(records))
    lines = [
        f"| item | one repetition | data | {letters} |",
        "|---|---|---|" + "---|" * len(records),
    ]
    for name, row in rows.items():
        cells, first = [], None
        for record in records:
            item = _item(record, name)
            cells.append(_cell(item, first))
            if first is None and item is not None and item.found is not None:
                first = item.found.median
        lines.append(f"| {name} | {row.what} | {row.data} | {' | '.join(cells)} |")
    return lines


def _cell(item: ItemResult | None, first: float | None) -> str:
    if item is None or item.found is None:
        return "–"
    text = f"{seconds_text(item.found.median)} ({seconds_text(item.found.spread)})"
    if item.others is not None and item.others > BUSY:
        text += " \\*"
    return text if first is None else f"{text} ({first / item.found.median:.1f}x)"


def _not_measured(records: Sequence[BenchmarkRecord]) -> list[str]:
    return [
        f"- {letter}, {item.name}: {item.reason}"
        for letter, record in _lettered(records)
        for item in record.items
        if item.reason is not None
    ]


def _phases(records: Sequence[BenchmarkRecord]) -> list[str]:
    """Shares of the phases of each training item, which need no quiet machine."""
    measured = [
        (letter, item.name, item.found.details)
        for letter, record in _lettered(records)
        for item in record.items
        if item.found is not None and any(key.endswith("_seconds") for key in item.found.details)
    ]
    names = dict.fromkeys(
        key.removesuffix("_seconds")
        for _, _, details in measured
        for key in details
        if key.endswith("_seconds")
    )
    if not measured:
        return ["No training step was measured."]
    lines = [
        f"| | item | {' | '.join(names)} | cases a second | memory |",
        "|---|---|" + "---|" * (len(names) + 2),
    ]
    for letter, item, details in measured:
        spent = {name: details.get(f"{name}_seconds", 0.0) for name in names}
        total = sum(spent.values())
        shares = " | ".join(f"{seconds / total:.1%}" for seconds in spent.values())
        lines.append(
            f"| {letter} | {item} | {shares} | {details['cases_per_second']:.3g} | "
            f"{details['memory_mib']:.0f} MiB |"
        )
    return lines


def _lettered(records: Sequence[BenchmarkRecord]) -> list[tuple[str, BenchmarkRecord]]:
    return [(f"R{number}", record) for number, record in enumerate(records, 1)]


def _item(record: BenchmarkRecord, name: str) -> ItemResult | None:
    return next((item for item in record.items if item.name == name), None)


def _commit(git: str | None) -> str:
    if git is None:
        return "–"
    commit, plus, _ = git.partition("+")
    return commit[:8] + (" and changes" if plus else "")
