"""What an executor promises: every trial is run once, whatever becomes of the others."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mtsbench.events import TrialEvent
from mtsbench.interfaces import Executor
from mtsbench.testing.contract import Contract, ensure

TRIALS = 4


@dataclass(frozen=True)
class _Trial:
    """Leaves a file of one line for each time it is run; it may run in another process."""

    file: Path
    fails: bool = False

    def __call__(self) -> None:
        with self.file.open("a") as file:
            file.write("run\n")
        if self.fails:
            raise RuntimeError("this trial of the conformance kit fails on purpose")


def _heard(event: TrialEvent) -> None:
    """What trials say is not checked: these say nothing."""


class ExecutorContract(Contract):
    """Checks of one executor, with trials that write a line to a file."""

    kind = "executor"

    def test_every_trial_is_run_once(self) -> None:
        """Each of four trials runs exactly once."""
        self._runs(fails=())

    def test_a_failing_trial_does_not_stop_the_others(self) -> None:
        """Where the second trial raises, the others still run."""
        self._runs(fails=(1,))

    def test_no_trial_is_no_mistake(self) -> None:
        """An empty list of trials ends at once."""
        try:
            cast("Executor", self.build()).map([], _heard)
        except Exception as error:
            ensure(False, f"an empty list of trials raised {error!r}; do nothing")

    def _runs(self, fails: tuple[int, ...]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"trial-{number}" for number in range(TRIALS)]
            trials = [_Trial(file, number in fails) for number, file in enumerate(files)]
            try:
                cast("Executor", self.build()).map(trials, _heard)
            except Exception as error:
                ensure(False, f"map raised {error!r}; a failing trial must not stop the executor")
            runs = [len(file.read_text().split()) if file.exists() else 0 for file in files]
        ensure(runs == [1] * TRIALS, f"the trials ran {runs} times; each must run once")
