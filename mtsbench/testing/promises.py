"""What `mtsbench plugins check` prints: a table of promises, and the same as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from mtsbench.testing.checking import Checked, Status

STYLES: dict[Status, str] = {
    "kept": "green",
    "broken": "bold red",
    "not applicable": "dim",
    "not run": "yellow",
}
ORDER: tuple[Status, ...] = ("kept", "broken", "not applicable", "not run")
REASONED: tuple[Status, ...] = ("not applicable", "not run")
UNKEPT: tuple[Status, ...] = ("broken", "not run")


def all_kept(checked: Sequence[Checked]) -> bool:
    """Whether no promise is broken and none was left out for lack of time."""
    return not any(one.status in UNKEPT for one in checked)


def promise_table(checked: Sequence[Checked], *, every: bool = False) -> Table:
    """For each component a row of what is kept, and one for each broken promise and reason.

    Args:
        checked: In the order they were checked.
        every: A row for each promise, the kept ones too.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for header in ("COMPONENT", "STATUS", "PROMISE"):
        table.add_column(header, overflow="fold")
    for source in dict.fromkeys((one.kind, one.component) for one in checked):
        name = " ".join(source)
        mine = [one for one in checked if (one.kind, one.component) == source]
        kept = [one for one in mine if one.status == "kept"]
        if every:
            for one in mine:
                text = f"{one.promise}: {one.reason}" if one.reason else one.promise
                table.add_row(name, Text(one.status, STYLES[one.status]), text)
            continue
        if kept:
            table.add_row(
                name, Text("kept", STYLES["kept"]), f"{len(kept)} of {len(mine)} promises"
            )
        for one in mine:
            if one.status == "broken":
                table.add_row(
                    name, Text("broken", STYLES["broken"]), f"{one.promise}: {one.reason}"
                )
        for status in REASONED:
            reasons = dict.fromkeys(one.reason for one in mine if one.status == status)
            for reason in reasons:
                table.add_row(name, Text(status, STYLES[status]), reason)
    return table


def summary(checked: Sequence[Checked]) -> str:
    """One line, e.g. `52 kept, 1 broken, 3 not applicable`."""
    counts = Counter(one.status for one in checked)
    return ", ".join(f"{counts[status]} {status}" for status in ORDER if counts[status])


def promises_json(plugin: str, checked: Sequence[Checked]) -> dict[str, object]:
    """The same for other programs."""
    return {
        "plugin": plugin,
        "kept": all_kept(checked),
        "counts": dict(Counter(one.status for one in checked)),
        "promises": [asdict(one) for one in checked],
    }
