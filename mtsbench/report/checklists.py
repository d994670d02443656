"""Items of TRIPOD+AI and CLAIM that finished runs can answer, and who answers the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from mtsbench.comparison.analysis import Analysis
    from mtsbench.records import TrialRecord

METHODS = "methods"


@dataclass(frozen=True, kw_only=True)
class Item:
    """An item of a checklist.

    Attributes:
        shown: Tables, figures or sections that answer it; it is claimed only where the report has
            one of them.
        answer: What they say of it.
    """

    number: str
    what: str
    shown: tuple[str, ...] = ()
    answer: str = ""


AUTHORS = tuple(
    Item(number=number, what=what, answer=answer)
    for number, what, answer in (
        ("TRIPOD+AI 5, 6, 8, 9", "source of data, participants, outcome, predictors", ""),
        ("TRIPOD+AI 12b, 12d", "analysis of predictors, heterogeneity between clusters", ""),
        ("TRIPOD+AI 14", "fairness of subgroups", ""),
        ("TRIPOD+AI, all others", "title, aims, ethics, funding, discussion", ""),
        ("CLAIM reference standard", "annotators and their agreement", ""),
        ("CLAIM external testing", "another cohort", "not part of cross-validation"),
        ("CLAIM, all others", "title, aims, data, discussion", ""),
    )
)


def checklist(analysis: Analysis, shown: Collection[str]) -> Table:
    """One row an item: `run` where this report answers it, `authors` where only people can.

    Args:
        analysis: The runs.
        shown: Names of the tables, figures and sections that the report has of them.

    Source: Collins et al., BMJ 385 (2024) e078378 (TRIPOD+AI); Tejani et al., Radiol Artif Intell 6
    (2024) e240300 (CLAIM 2024). Item numbers as in those papers.
    """
    return Table(
        name="checklist",
        caption="What this report answers of TRIPOD+AI and CLAIM, and what its authors must.",
        columns=("item", "what", "answered by", "where", "answer"),
        rows=tuple(_row(item, shown) for item in (*_answered(analysis), *AUTHORS)),
    )


def _row(item: Item, shown: Collection[str]) -> tuple[str, str, str, str, str]:
    where = ", ".join(name for name in item.shown if name in shown)
    if where:
        return item.number, item.what, "run", where, item.answer
    lacking = f"not in this report: {', '.join(item.shown)}" if item.shown else item.answer
    return item.number, item.what, "authors", "", lacking


def _answered(analysis: Analysis) -> tuple[Item, ...]:
    about = analysis.description
    record = analysis.entries[0].run.records[0]
    events = f"{about.events} events ({about.events / max(1, about.cases):.0%})"
    facts = (
        ("TRIPOD+AI 7", "data preparation", ("settings", METHODS), "grid and intensities"),
        ("TRIPOD+AI 10", "sample size", (METHODS,), f"{about.cases} cases, {events}"),
        (
            "TRIPOD+AI 11",
            "missing data",
            (METHODS,),
            f"{about.without_outcome} cases without outcome left out; a missing clinical number "
            "becomes the mean of the training part, and that it is missing a feature of its own",
        ),
        (
            "TRIPOD+AI 12a, 12c",
            "use of data, model building",
            (METHODS, "settings"),
            "parts, options",
        ),
        (
            "TRIPOD+AI 12e",
            "measures",
            ("leaderboard", "calibration"),
            "captions say how to read them",
        ),
        ("TRIPOD+AI 12e", "model comparison", ("differences",), "against the declared reference"),
        ("TRIPOD+AI 18f", "code", ("runs",), "commit, or installed package; machine"),
        ("TRIPOD+AI 22", "model specification", ("settings",), "weights lie in the run folders"),
        ("TRIPOD+AI 23a", "performance with intervals", ("leaderboard",), "C-index"),
        ("CLAIM partitions", "data partitions", (METHODS,), f"splits {about.splits_sha256[:12]}"),
        ("CLAIM software", "software and settings", ("settings", "runs"), _versions(record)),
        ("CLAIM metrics", "metrics with uncertainty", ("leaderboard",), "interval of the C-index"),
        ("CLAIM failures", "failure cases", ("examples",), "worst patient by Dice and by survival"),
    )
    return tuple(Item(number=n, what=w, shown=s, answer=a) for n, w, s, a in facts)


def _versions(record: TrialRecord) -> str:
    return ", ".join(f"{name} {version}" for name, version in record.platform.items())
