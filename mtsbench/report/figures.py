"""How every figure looks, and how it is put into a page or a paper."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

# Okabe and Ito's palette, told apart by the colour-blind; line styles tell the rest.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
LINES = ("-", "--", ":", "-.")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A figure with its words.

    Attributes:
        name: File name without ending.
        title: What it shows, also for those who cannot see it.
        caption: How to read it.
    """

    name: str
    title: str
    caption: str
    figure: Figure


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches."""
    return Figure(figsize=(width, height), layout="constrained")


def line_style(position: int) -> tuple[str, str]:
    """Colour and dash of the n-th model of a figure."""
    return COLOURS[position % len(COLOURS)], LINES[position // len(COLOURS) % len(LINES)]


def panels(figure: Figure, count: int, columns: int = 3) -> Sequence[Axes]:
    """That many axes in rows of up to three; what is left over stays empty."""
    rows = -(-count // columns)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    return tuple(grid[:count])


def inline_svg(picture: Picture) -> Markup:
    """The figure as SVG that stands in a page, labelled for screen readers."""
    buffer = io.StringIO()
    # The salt keeps the ids of two figures of one page apart, and the file the same each time.
    with mpl.rc_context({**STYLE, "svg.hashsalt": picture.name}):
        picture.figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    label = escape(picture.title)
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1))


def save_picture(picture: Picture, folder: Path) -> None:
    """Write `NAME.svg` and `NAME.pdf` for a paper."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({**STYLE, "svg.hashsalt": picture.name}):
        picture.figure.savefig(folder / f"{picture.name}.svg", metadata={"Date": None})
        picture.figure.savefig(
            folder / f"{picture.name}.pdf", metadata={"CreationDate": None, "ModDate": None}
        )
