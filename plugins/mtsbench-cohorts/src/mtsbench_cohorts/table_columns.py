"""What a column of a table holds: numbers, categories, or something that must not be taken."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from mtsbench.errors import DataError

Kind = Literal["numeric", "categorical"]
LARGEST_CODE = 9  # whole numbers up to here may be codes of categories, as of stages
NUMBER_WITH_COMMA = re.compile(r"[-+]?\d+,\d+")
LETTERS_LIKE_DIGITS = str.maketrans("OoIl", "0011")
# Names of a day on which a patient came under observation, without case and punctuation; also
# with the name of an endpoint before or after.
ENTRY = frozenset(
    {"entry", "entrytime", "entryday", "entrydays", "timeentry", "delayedentry"}
    | {"start", "starttime", "startday", "tstart", "time0", "timestart"}
    | {"left", "lefttruncation", "lefttruncationtime", "truncation", "truncationtime"}
)


def number(cell: str) -> float | None:
    """The finite number that a cell holds, if it does; Python's `1_000` is none."""
    try:
        found = float(cell)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in cell else None


def column_kind(column: str, cells: Mapping[str, str], source: str) -> Kind:
    """Whether a column holds numbers or categories.

    A column that is nearly one of numbers is refused: taken for categories, it would have one
    level for nearly every patient. It is nearly one of numbers where

    - every other cell becomes a number once a decimal comma is a point and the letters O, I and l
      beside digits are 0 and 1; or
    - at least half of the cells are numbers, and these are no codes: some are not whole, negative
      or above 9. `1, 2, 3, 4a` stay categories, and so do `0, 1, unknown`.

    Args:
        column: Its name.
        cells: Case id to the cell, without the missing ones.
        source: Name of the file, for messages.

    Raises:
        DataError: The column is nearly one of numbers. Names file, column, case and cell.
    """
    found = {case_id: number(cell) for case_id, cell in cells.items()}
    numbers = {case_id: one for case_id, one in found.items() if one is not None}
    others = {case_id: cell for case_id, cell in cells.items() if case_id not in numbers}
    if not others:
        return "numeric" if numbers else "categorical"
    misspelt = _all_misspelt(others.values(), beside_numbers=bool(numbers))
    if misspelt or (2 * len(numbers) >= len(cells) and not _codes(numbers.values())):
        raise _no_number(column, others, len(numbers), len(cells), source)
    return "categorical"


def check_column(column: str, cells: Mapping[str, str], kind: Kind, source: str) -> None:
    """Refuse a column that does not hold what it is declared to hold.

    Args:
        column: Its name.
        cells: Case id to the cell, without the missing ones.
        kind: As declared. A categorical column may hold numbers, which are then codes.
        source: Name of the file, for messages.

    Raises:
        DataError: A numeric column holds something else; or the cells of a categorical one that
            are no numbers are all misspelt ones, see `column_kind`. Names file, column, case and
            cell.
    """
    others = {case_id: cell for case_id, cell in cells.items() if number(cell) is None}
    misspelt = _all_misspelt(others.values(), beside_numbers=len(others) < len(cells))
    if others and (kind == "numeric" or misspelt):
        raise _no_number(column, others, len(cells) - len(others), len(cells), source)


def check_no_entry(
    columns: Mapping[str, Iterable[str]], endpoints: Sequence[str], source: str
) -> None:
    """Refuse the day on which patients came under observation: it would count from day 0.

    Args:
        columns: Name of each column to its cells. One that holds no number but 0 and 1 is no
            such day, whatever its name: `left` may be a side.
        endpoints: Their names.
        source: Name of the file, for messages.

    Raises:
        DataError: There is such a column.
    """
    for column, cells in columns.items():
        if not _names_entry(column, endpoints):
            continue
        if any(number(cell) not in (None, 0.0, 1.0) for cell in cells):
            raise DataError(
                f"{source} has a column {column!r}, which reads as the day on which a patient came "
                "under observation. Delayed entry (left truncation) is not supported yet: every "
                "patient counts as followed from day 0, and who died before entry is missing. "
                "Remove the column if that is right for this cohort, or rename it if it is "
                "something else"
            )


def _names_entry(column: str, endpoints: Sequence[str]) -> bool:
    name = _plain(column)
    ends = [_plain(endpoint) for endpoint in endpoints]
    bare = {
        name,
        *(name.removeprefix(end) for end in ends),
        *(name.removesuffix(end) for end in ends),
    }
    return not bare.isdisjoint(ENTRY)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _codes(numbers: Iterable[float]) -> bool:
    return all(one.is_integer() and 0 <= one <= LARGEST_CODE for one in numbers)


def _all_misspelt(cells: Iterable[str], *, beside_numbers: bool) -> bool:
    return all(_misspelt(cell, beside_numbers=beside_numbers) for cell in cells)


def _misspelt(cell: str, *, beside_numbers: bool) -> bool:
    """Whether a number was meant."""
    if NUMBER_WITH_COMMA.fullmatch(cell):
        return True
    if not any(mark.isdigit() for mark in cell) and not (beside_numbers and cell in "Oo"):
        return False
    return number(cell.translate(LETTERS_LIKE_DIGITS)) is not None


def _no_number(
    column: str, others: Mapping[str, str], numbers: int, known: int, source: str
) -> DataError:
    case_id, cell = next(iter(others.items()))
    more = f" ({len(others) - 1} more such cells)" if len(others) > 1 else ""
    return DataError(
        f"{source}: case {case_id!r} has {column} {cell!r}; expected a number, as {numbers} of "
        f"{known} values of {column} are{more}. Write numbers with a point and without a unit, "
        "and leave the cell empty where the value is not known; if these are categories, begin "
        "each with a letter"
    )
