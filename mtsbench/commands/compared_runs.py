"""Which runs `mtsbench compare` puts side by side, and which have nothing to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.comparison.questions import Groups, StoredRun

RUNS = Path("runs")


@dataclass(frozen=True, kw_only=True)
class ComparedRuns:
    """The runs of each question.

    Attributes:
        groups: Runs that may be compared, a group a question.
        alone: The only run of its question.
        apart: What tells each group, then each run alone, from the others; may be empty text.
    """

    groups: Groups
    alone: tuple[FinishedRun, ...]
    apart: tuple[str, ...]

    def lines_alone(self) -> tuple[str, ...]:
        """A line for each run that has nothing to compare with."""
        from mtsbench.report.tables import title

        said = self.apart[len(self.groups) :]
        return tuple(
            f"{run.description.name} ({', '.join(filter(None, (title(run.description), text)))})"
            for run, text in zip(self.alone, said, strict=True)
        )


def find_compared(paths: Sequence[Path], *, allow_true_mask: bool) -> ComparedRuns:
    """Read the runs and sort them by question.

    Runs that are named one by one must answer the same question, but for the dataset. Those of a
    folder may answer several, which are kept apart.

    Args:
        paths: Folders of a run or of many; none means all in `runs`.
        allow_true_mask: Whether runs with the true mask may stand beside others.

    Raises:
        OptionError: Fewer than two runs.
        IncomparableRunsError: Runs that were named differ, no two runs of a folder are alike, or
            one is there twice.
        DataError: A folder holds no run, or one that is damaged.
    """
    from mtsbench.comparison.comparable import check_comparable, check_copies, read_run
    from mtsbench.comparison.questions import by_dataset, by_question, tell_apart
    from mtsbench.errors import IncomparableRunsError, OptionError
    from mtsbench.run_folders import find_runs
    from mtsbench.store import RunStore

    found = [(path, find_runs(path)) for path in paths or (RUNS,)]
    several = any(inside for _, inside in found) or not paths
    folders = [one for path, inside in found for one in (inside or [path] * bool(paths))]
    folders = list({folder.resolve(): folder for folder in folders}.values())
    if len(folders) < 2:
        raise OptionError(
            f"compare needs two or more runs, got {len(folders)}; name their folders or let "
            "`mtsbench run` finish two models first"
        )
    runs: list[StoredRun] = [(read_run(store), store) for store in map(RunStore, folders)]
    check_copies(runs)
    every = by_question(runs) if several else by_dataset(runs)
    groups = tuple(group for group in every if len(group) > 1 or not several)
    alone = tuple(group[0][0] for group in every if len(group) == 1 and several)
    apart = tell_apart([*(g[0][0].description for g in groups), *(r.description for r in alone)])
    compared = ComparedRuns(groups=groups, alone=alone, apart=apart)
    if not groups:
        raise IncomparableRunsError(
            f"no two of these {len(runs)} runs answer the same question: "
            f"{'; '.join(compared.lines_alone())}. Run two models with the same settings"
        )
    for group in groups:
        check_comparable([run for run, _ in group], allow_true_mask=allow_true_mask)
    return compared
