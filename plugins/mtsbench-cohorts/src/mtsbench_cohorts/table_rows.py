"""Rows of a CSV table: every row has exactly the cells that the header has."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table.

    Attributes:
        line: Of the file, counted from 1; the last one of a row that goes over several lines.
        cells: Without blanks around them, as many as the table has columns.
    """

    line: int
    cells: tuple[str, ...]


def read_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    """Names of the columns, and the rows that are not blank.

    Raises:
        DataError: The file cannot be read, or a row has more or fewer cells than the header, so
            that its values would stand under the columns of others. Names file and line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [
                Row(line=reader.line_num, cells=tuple(cell.strip() for cell in cells))
                for cells in reader
            ]
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(
            f"cannot read {path}: {error}; expected a comma-separated UTF-8 table, see the README "
            "of mtsbench-cohorts"
        ) from error
    columns = lines[0].cells if lines else ()
    rows = [row for row in lines[1:] if any(row.cells)]
    for row in rows:
        if len(row.cells) != len(columns):
            raise DataError(
                f"{path}, line {row.line} has {len(row.cells)} cells, expected {len(columns)} as "
                "the header has; quote cells that hold a comma, and leave a cell empty where a "
                "value is missing"
            )
    return columns, rows
