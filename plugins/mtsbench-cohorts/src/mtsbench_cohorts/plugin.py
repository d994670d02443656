"""What this package announces to mtsbench; nothing heavy is imported before a dataset is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl
from mtsbench.interfaces import Dataset


def build_npc(
    root: Path | None,
    *,
    cases: int = 150,
    cohort_seed: int = 2022,
    test_centre: Literal["field-of-view", "pet-uptake"] = "field-of-view",
) -> Dataset:
    """The user's NPC cohort in `root`, or without a root the simulated one."""
    from mtsbench_cohorts.npc import build_npc as build

    return build(root, cases=cases, cohort_seed=cohort_seed, test_centre=test_centre)


def build_hecktor(
    root: Path | None,
    *,
    form: Literal["auto", "2022", "2025", "2026"] = "auto",
    target: Literal["primary", "primary+nodes"] = "primary",
    test_centre: Literal["field-of-view", "pet-uptake"] = "field-of-view",
) -> Dataset:
    """A HECKTOR download in `root`, in the folder form of one of its years."""
    from mtsbench_cohorts.hecktor import build_hecktor as build

    return build(root, form=form, target=target, test_centre=test_centre)


@hookimpl
def mtsbench_datasets() -> Iterator[Component[Dataset]]:
    """The simulated or own NPC cohort, and HECKTOR."""
    yield Component(
        name="npc",
        summary="Nasopharyngeal carcinoma PET/CT: simulated, or your own folder",
        build=build_npc,
        reference="https://doi.org/10.1109/JBHI.2022.3181791",
    )
    yield Component(
        name="hecktor",
        summary="HECKTOR oropharyngeal PET/CT with relapse-free survival (your download)",
        build=build_hecktor,
        reference="https://hecktor.grand-challenge.org",
    )
