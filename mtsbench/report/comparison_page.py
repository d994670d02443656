"""`report.html` of a comparison: one file that opens offline; tables and figures lie beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined

from mtsbench.comparison.questions import section_names, tell_apart
from mtsbench.report.all_datasets import all_datasets
from mtsbench.report.case_figures import error_figure, example_figure
from mtsbench.report.checklists import METHODS, checklist
from mtsbench.report.figures import STYLE, Picture, inline_svg, save_picture
from mtsbench.report.methods_text import limits, methods_paragraph
from mtsbench.report.missing_text import absent_text, left_out_lines, left_out_table
from mtsbench.report.paper_tables import all_tables
from mtsbench.report.recipe_text import settings_table
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
    """All that the page says of one question.

    Attributes:
        apart: What tells it from the other questions beside its title; may be empty.
        notes: What is left out or not tested at all.
        difference_notes: What stands beside the tests.
    """

    name: str
    title: str
    apart: str
    notes: tuple[str, ...]
    analysis: Analysis
    tables: tuple[Table, ...]
    pictures: tuple[Picture, ...]
    difference_notes: tuple[str, ...]
    methods: str
    limits: tuple[str, ...]
    checklist: Table


def write_report(
    analyses: Sequence[Analysis],
    folder: Path,
    *,
    images: bool = True,
    alone: Sequence[str] = (),
) -> Path:
    """Write the page, and its tables and figures as files for a paper.

    Args:
        analyses: One a question.
        folder: Made if it does not exist; files of an earlier report are replaced.
        images: Whether slices of patients are shown.
        alone: A line for each run that has nothing to compare with.

    Returns:
        The page: `report.html`. Beside it, for each question a folder with `tables/` (CSV,
        Markdown, LaTeX), `figures/` (SVG, PDF) and `methods.md`.
    """
    questions = [analysis.description for analysis in analyses]
    with mpl.rc_context(STYLE):
        sections = [
            _section(analysis, name, apart, images=images)
            for analysis, name, apart in zip(
                analyses, section_names(questions), tell_apart(questions), strict=True
            )
        ]
        together = all_datasets(analyses)
    folder.mkdir(parents=True, exist_ok=True)
    for section in sections:
        _write_files(section, folder / section.name)
    for one in together:
        for table in one.tables:
            write_table(table, folder / one.folder / "tables")
        for picture in one.pictures:
            save_picture(picture, folder / one.folder / "figures")
    environment = Environment(
        loader=PackageLoader("mtsbench.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["svg"] = inline_svg
    page = folder / PAGE
    template = environment.get_template("comparison_page.html.j2")
    page.write_text(
        template.render(sections=sections, together=together, alone=alone), encoding="utf-8"
    )
    return page


def _section(analysis: Analysis, name: str, apart: str, *, images: bool) -> Section:
    drawn = [
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
    pictures = tuple(one for one in drawn if one is not None)
    every = (*all_tables(analysis), left_out_table(analysis), settings_table(analysis))
    tables = tuple(table for table in (*every, _versions(analysis)) if table.rows)
    shown = {METHODS, *(table.name for table in tables), *(one.name for one in pictures)}
    return Section(
        name=name,
        title=title(analysis.description),
        apart=apart,
        notes=(*left_out_lines(analysis), *absent_text(analysis)),
        analysis=analysis,
        tables=tables,
        pictures=pictures,
        difference_notes=difference_notes(analysis),
        methods=methods_paragraph(analysis),
        limits=limits(analysis),
        checklist=checklist(analysis, shown),
    )


def _versions(analysis: Analysis) -> Table:
    """Where each result comes from."""
    return Table(
        name="runs",
        caption="The runs, their keys, code and machine.",
        columns=("model", "run", "trials used", "failed", "code", "device", "torch"),
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
