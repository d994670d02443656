"""A table of text, for the page, for CSV, for Markdown and for LaTeX."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench.report.escaping import latex, markdown, one_line

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

    def markdown(self) -> str:
        """A Markdown table."""
        rule = f"| {' | '.join('---' for _ in self.columns)} |\n"
        head, *body = (f"| {line} |\n" for line in self._lines(markdown, " | "))
        return head + rule + "".join(body)

    def latex(self) -> str:
        """A table that asks for the package booktabs and for nothing else."""
        head, *body = (f"{line} \\\\\n" for line in self._lines(latex, " & "))
        return (
            "% needs \\usepackage{booktabs}\n"
            f"\\begin{{table}}\n\\caption{{{latex(self.caption)}}}\n"
            f"\\begin{{tabular}}{{{'l' * len(self.columns)}}}\n\\toprule\n{head}\\midrule\n"
            f"{''.join(body)}\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
        )

    def _lines(self, escape: Callable[[str], str], between: str) -> Sequence[str]:
        return [between.join(map(escape, line)) for line in (self.columns, *self.rows)]


def write_table(table: Table, folder: Path) -> None:
    """Write `NAME.csv`, `NAME.md` and `NAME.tex`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{table.name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [one_line(cell) for cell in line] for line in (table.columns, *table.rows)
        )
    (folder / f"{table.name}.md").write_text(table.markdown(), encoding="utf-8")
    (folder / f"{table.name}.tex").write_text(table.latex(), encoding="utf-8")
