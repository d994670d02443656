"""What an executor promises: every trial is run once, whatever becomes of the others."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import cast

from mtsbench.events import TrialEvent
from mtsbench.executors.practice import PracticeTrial
from mtsbench.interfaces import Executor
from mtsbench.testing.contract import Contract, ensure

TRIALS = 4


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

    def test_no_two_trials_run_at_once_in_one_process(self) -> None:
        """Trials seed the random numbers of their process, so each needs it for itself."""
        runs = sorted(line.split() for lines in self._map(fails=()) for line in lines)
        for (process, _, end), (other, start, _) in pairwise(runs):
            ensure(
                process != other or float(start) >= float(end),
                f"two trials ran at once in process {process}, where they share torch's random "
                "numbers; use processes and not threads",
            )

    def _runs(self, fails: tuple[int, ...]) -> None:
        runs = [len(lines) for lines in self._map(fails)]
        ensure(runs == [1] * TRIALS, f"the trials ran {runs} times; each must run once")

    def _map(self, fails: tuple[int, ...]) -> list[list[str]]:
        """What each of four trials left, a line for each time it ran."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"trial-{number}" for number in range(TRIALS)]
            trials = [PracticeTrial(file, number in fails) for number, file in enumerate(files)]
            try:
                cast("Executor", self.build()).map(trials, _heard)
            except Exception as error:
                ensure(False, f"map raised {error!r}; a failing trial must not stop the executor")
            return [file.read_text().splitlines() if file.exists() else [] for file in files]
