"""What the audit found: one row a check, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

Status = Literal["passed", "failed", "undecided"]
STYLES: dict[Status, str] = {"passed": "green", "failed": "bold red", "undecided": "yellow"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check and what came out.

    Attributes:
        check: What must hold.
        status: `undecided` where the check could not be carried out, which is no pass.
        measured: What was found, in a sentence.
        seconds: Wall-clock time.
    """

    check: str
    status: Status
    measured: str
    seconds: float = 0.0


def all_passed(findings: Sequence[Finding]) -> bool:
    """Whether every check was carried out and found no leak."""
    return all(one.status == "passed" for one in findings)


def audit_table(title: str, findings: Sequence[Finding]) -> Table:
    """One row a check, in the order they were carried out."""
    table = Table(title=title, title_justify="left")
    table.add_column("check", overflow="fold", ratio=2)
    table.add_column("result")
    table.add_column("measured", overflow="fold", ratio=3)
    table.add_column("s", justify="right")
    for one in findings:
        status = Text(one.status, STYLES[one.status])
        table.add_row(one.check, status, one.measured, f"{one.seconds:.0f}")
    return table


def summary(findings: Sequence[Finding]) -> str:
    """One line, e.g. `8 passed, 1 failed in 12 s`."""
    counts = Counter(one.status for one in findings)
    told = ", ".join(f"{counts[status]} {status}" for status in STYLES if counts[status])
    return f"{told} in {sum(one.seconds for one in findings):.0f} s"


def findings_json(findings: Sequence[Finding]) -> dict[str, object]:
    """The same for other programs."""
    return {"passed": all_passed(findings), "checks": [asdict(one) for one in findings]}
