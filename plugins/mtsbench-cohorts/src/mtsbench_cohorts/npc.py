"""`--dataset npc`: the user's cohort where a folder is given, else the simulated one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path

    from mtsbench.interfaces import Dataset

DEFAULT_CASES, DEFAULT_SEED = 150, 2022


def build_npc(
    root: Path | None,
    *,
    cases: int = DEFAULT_CASES,
    cohort_seed: int = DEFAULT_SEED,
    test_centre: str = "field-of-view",
) -> Dataset:
    """The cohort in the folder `root`, or without one the simulated cohort.

    Args:
        root: Folder as in the README of mtsbench-cohorts; None simulates.
        cases: Size of the simulated cohort.
        cohort_seed: Another seed simulates other patients.
        test_centre: What a held-out case is cropped around: `field-of-view` or `pet-uptake`.

    Raises:
        OptionError: Options of the simulation were set although a folder was given, or are out
            of range.
        DataError: The folder cannot be used.
    """
    if root is None:
        from mtsbench_cohorts.npc_simulated import SimulatedNpc

        return SimulatedNpc(cases=cases, cohort_seed=cohort_seed, test_centre=test_centre)
    if (cases, cohort_seed) != (DEFAULT_CASES, DEFAULT_SEED):
        raise OptionError(
            f"cases={cases} and cohort_seed={cohort_seed} belong to the simulated cohort, but "
            f"--data-root {root} gives patients; leave out either the options or the folder"
        )
    from mtsbench_cohorts.npc_folder import NpcFolder

    return NpcFolder(root, test_centre=test_centre)
