"""Writing what a simulation found: a JSON file, and its tables in the page beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent


PAGE = HERE / "README.md"


def write_results(name: str, results: Mapping[str, object]) -> None:
    """Write what was found to the file `name`."""
    (HERE / name).write_text(json.dumps(results, indent=1) + "\n")


def write_tables(tables: Mapping[str, Sequence[str]], page: Path = PAGE) -> None:
    """Write each table between its two marks in the page."""
    text = page.read_text()
    for table, lines in tables.items():
        text = replaced(text, table, lines)
    page.write_text(text)


def replaced(text: str, table: str, lines: Sequence[str]) -> str:
    """The page with the lines between the marks of this table.

    Raises:
        ValueError: The page has no such marks.
    """
    begin, end = f"<!-- {table} -->\n", f"<!-- end of {table} -->"
    before, found, rest = text.partition(begin)
    if not found or end not in rest:
        raise ValueError(f"the page has no marks of the table {table!r}")
    return before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]
