"""Items of TRIPOD+AI and CLAIM that finished runs can answer, and who answers the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis


def checklist(analysis: Analysis) -> Table:
    """One row an item: `run` where this report answers it, `authors` where only people can.

    Source: Collins et al., BMJ 385 (2024) e078378 (TRIPOD+AI); Tejani et al., Radiol Artif Intell 6
    (2024) e240300 (CLAIM 2024). Item numbers as in those papers.
    """
    about = analysis.description
    record = analysis.entries[0].run.records[0]
    events = about.events / max(1, about.cases)
    rows = [
        ("TRIPOD+AI 7, 9a", "data preparation, predictors", "run", "preprocessing in run.json"),
        (
            "TRIPOD+AI 10",
            "sample size",
            "run",
            f"{about.cases} cases, {about.events} events ({events:.0%})",
        ),
        (
            "TRIPOD+AI 11",
            "missing data",
            "run",
            f"{about.without_outcome} cases without outcome left out; clinical values imputed "
            "inside the training fold",
        ),
        ("TRIPOD+AI 12a-c", "partition, handling, tuning", "run", "section Methods"),
        ("TRIPOD+AI 12e", "measures and comparison", "run", "leaderboard, differences"),
        ("TRIPOD+AI 18f", "code", "run", "commit and versions: table of runs"),
        ("TRIPOD+AI 22", "model specification", "run", "options and weights in the run folders"),
        ("TRIPOD+AI 23a", "performance with intervals", "run", "leaderboard"),
        ("CLAIM partitions", "data partitions", "run", f"splits {about.splits_sha256[:12]}"),
        ("CLAIM software", "software and settings", "run", _versions(record.platform)),
        ("CLAIM metrics", "metrics with uncertainty", "run", "leaderboard, calibration"),
        ("CLAIM failures", "failure cases", "run", "example patients: worst by either endpoint"),
        ("TRIPOD+AI 5, 6, 8", "source of data, participants, outcome", "authors", ""),
        ("TRIPOD+AI 14", "fairness of subgroups", "authors", ""),
        ("TRIPOD+AI 1-4, 18a-d, 19, 24-27", "title, aims, funding, discussion", "authors", ""),
        ("CLAIM reference standard", "annotators and their agreement", "authors", ""),
        ("CLAIM external testing", "another cohort", "authors", "not part of cross-validation"),
    ]
    return Table(
        name="checklist",
        caption="What this run answers of TRIPOD+AI and CLAIM, and what its authors must.",
        columns=("item", "what", "answered by", "answer"),
        rows=tuple(rows),
    )


def _versions(platform: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in platform.items())
