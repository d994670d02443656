"""A table of text, for the page, for CSV, for Markdown and for LaTeX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Table:
    """Text cells; the first column names the row.

    Attributes:
        name: File name without ending.
        caption: What the table says and how to read it.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def frame(self) -> pd.DataFrame:
        """The same as a data frame."""
        return pd.DataFrame(list(self.rows), columns=list(self.columns))

    def markdown(self) -> str:
        """A Markdown table."""
        lines = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "".join(
            f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines
        )

    def latex(self) -> str:
        """A booktabs table."""
        return self.frame().to_latex(index=False, escape=True, caption=self.caption)


def write_table(table: Table, folder: Path) -> None:
    """Write `NAME.csv`, `NAME.md` and `NAME.tex`."""
    folder.mkdir(parents=True, exist_ok=True)
    table.frame().to_csv(folder / f"{table.name}.csv", index=False)
    (folder / f"{table.name}.md").write_text(table.markdown())
    (folder / f"{table.name}.tex").write_text(table.latex())
