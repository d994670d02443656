"""What a comparison leaves out, in words and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.comparison.common_trials import left_out_text
from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis


def left_out_lines(analysis: Analysis) -> tuple[str, ...]:
    """The sentence on trials left out; none where every run has every trial."""
    text = left_out_text(analysis.left_out, analysis.description)
    return (text,) if text else ()


def absent_text(analysis: Analysis) -> tuple[str, ...]:
    """Why nothing is tested where the declared reference is not among the runs."""
    if analysis.absent is None:
        return ()
    return (f"Reference {analysis.absent} is not among these runs: no difference is tested here.",)


def left_out_table(analysis: Analysis) -> Table:
    """One row for each run that lacks a trial."""
    return Table(
        name="left-out",
        caption=(
            "Trials that no table, test or figure uses, because not every run has a result there, "
            "and why each run that lacks one does."
        ),
        columns=("trial", "run", "why"),
        rows=tuple(
            (one.label, run, why) for one in analysis.left_out for run, why in one.reasons.items()
        ),
    )
