"""What a terminal shows of the runs in a folder: their state, their size, and what each is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from mtsbench.comparison.summary import score_names, summarise
from mtsbench.options import format_value
from mtsbench.recipe import recipe_lines
from mtsbench.report.tables import primary

if TYPE_CHECKING:
    from pydantic import JsonValue

    from mtsbench.records import RunDescription
    from mtsbench.run_folders import RunFolder

UNITS = ("kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Bytes with a decimal unit: `12.3 MB`."""
    value, unit = float(count), "B"
    for larger in UNITS:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def run_details(one: RunFolder) -> str:
    """State, last change, size and first scores; a name leaves no room for columns beside it."""
    changed = datetime.fromtimestamp(one.changed).strftime("%Y-%m-%d %H:%M")
    details = [_state(one), changed, size(one.bytes)]
    if one.run is not None:
        details += [
            f"{name} {summarise(one.run, name).mean_text()}"
            for name in primary(score_names(one.run))
        ]
    return " · ".join(details)


def facts_table(description: RunDescription) -> Table:
    """What was asked and how it is answered, a fact a row; values as `--set` takes them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    simulated = " (SIMULATED)" if description.simulated else ""
    table.add_row("cases", f"{description.cases}, {description.events} events{simulated}")
    for part in (description.question, description.method):
        for name, value in part.items():
            table.add_row(name.replace("_", " "), _fact(value))
    for line in recipe_lines(description.recipe):
        table.add_row("recipe", line)
    return table


def _state(one: RunFolder) -> str:
    if one.run is None:
        return f"damaged ({one.fault})"
    counts = {"failed": len(one.run.failures), "missing": one.missing}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    done = f"{one.state} {len(one.run.records)}/{one.run.description.trials}"
    return f"{done} ({told})" if told else done


def _fact(value: JsonValue) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={format_value(item)}" for name, item in value.items()) or "none"
    return format_value(value)
