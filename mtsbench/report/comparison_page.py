"""`report.html` of a comparison: one file that opens offline; tables and figures lie beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined

from mtsbench.report.across_datasets import (
    across_table,
    differences_by_model,
    forest_figure,
    rank_figure,
)
from mtsbench.report.case_figures import error_figure, example_figure
from mtsbench.report.checklists import checklist
from mtsbench.report.figures import STYLE, Picture, inline_svg, save_picture
from mtsbench.report.methods_text import limits, methods_paragraph
from mtsbench.report.paper_tables import all_tables
from mtsbench.report.score_figures import (
    cost_figure,
    difference_figure,
    fold_figure,
    leaderboard_figure,
)
from mtsbench.report.survival_figures import auc_figure, calibration_figure, group_figure
from mtsbench.report.tables import difference_notes, title
from mtsbench.report.text_table import Table, write_table

if TYPE_CHECKING:
    from pathlib import Path

    from mtsbench.comparison.analysis import Analysis

PAGE = "report.html"


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """All that the page says of one dataset."""

    name: str
    title: str
    analysis: Analysis
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    methods: str
    limits: tuple[str, ...]
    checklist: Table


def write_report(analyses: Sequence[Analysis], folder: Path, *, images: bool = True) -> Path:
    """Write the page, and its tables and figures as files for a paper.

    Args:
        analyses: One a dataset.
        folder: Made if it does not exist; files of an earlier report are replaced.
        images: Whether slices of patients are shown.

    Returns:
        The page: `report.html`. Beside it, for each dataset a folder with `tables/` (CSV,
        Markdown, LaTeX), `figures/` (SVG, PDF) and `methods.md`.
    """
    with mpl.rc_context(STYLE):
        sections = [_section(analysis, images=images) for analysis in analyses]
        together = _together(analyses)
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        _write_files(section, folder / section.name)
    for table in together.tables:
        write_table(table, folder / "tables")
    for picture in together.pictures:
        save_picture(picture, folder / "figures")
    environment = Environment(
        loader=PackageLoader("mtsbench.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["svg"] = inline_svg
    page = folder / PAGE
    template = environment.get_template("comparison_page.html.j2")
    page.write_text(template.render(sections=sections, together=together), encoding="utf-8")
    return page


@dataclass(frozen=True, kw_only=True, eq=False)
class Together:
    """What several datasets say together; empty with one."""

    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    sentences: tuple[str, ...] = ()


def _together(analyses: Sequence[Analysis]) -> Together:
    reference = analyses[0].reference
    found = differences_by_model(analyses) if len(analyses) > 1 else {}
    if len(analyses) < 2 or reference is None:
        return Together()
    if not found:
        return Together(
            sentences=(
                "There is no mean over datasets, because no model has a tested difference on two "
                "or more datasets.",
            )
        )
    table, sentences = across_table(found, analyses)
    pictures = [forest_figure(found, reference.name), rank_figure(analyses)]
    return Together(
        tables=(table,),
        pictures=tuple(one for one in pictures if one is not None),
        sentences=sentences,
    )


def _section(analysis: Analysis, *, images: bool) -> Section:
    question = analysis.description.question
    name = f"{question['dataset']}-{question['endpoint']}"
    pictures = [
        leaderboard_figure(analysis),
        difference_figure(analysis),
        fold_figure(analysis),
        group_figure(analysis),
        calibration_figure(analysis),
        auc_figure(analysis),
        error_figure(analysis),
        cost_figure(analysis),
        example_figure(analysis) if images else None,
    ]
    return Section(
        name=name,
        title=title(analysis.description),
        analysis=analysis,
        tables=(*all_tables(analysis), _versions(analysis)),
        pictures=tuple(one for one in pictures if one is not None),
        notes=difference_notes(analysis),
        methods=methods_paragraph(analysis),
        limits=limits(analysis),
        checklist=checklist(analysis),
    )


def _versions(analysis: Analysis) -> Table:
    """Where each result comes from."""
    return Table(
        name="runs",
        caption="The runs, their keys, code and machine.",
        columns=("model", "run", "trials", "failed", "code", "device", "torch"),
        rows=tuple(
            (
                entry.label,
                entry.run.description.name,
                f"{len(entry.run.records)} of {entry.run.description.trials}",
                str(len(entry.run.failures)),
                (entry.run.records[0].git or "installed package")[:12],
                entry.run.records[0].device,
                entry.run.records[0].platform.get("torch", "–"),
            )
            for entry in analysis.entries
        ),
    )


def _write_files(section: Section, folder: Path) -> None:
    for table in (*section.tables, section.checklist):
        write_table(table, folder / "tables")
    for picture in section.pictures:
        save_picture(picture, folder / "figures")
    text = [section.methods, "", *(f"- {one}" for one in section.limits), ""]
    (folder / "methods.md").write_text("\n".join(text), encoding="utf-8")
