"""What this package announces to mtsbench; nothing heavy is imported before a dataset is built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl
from mtsbench.interfaces import Dataset

KALBFLEISCH = "https://doi.org/10.1002/9781118032985"
HOSMER = "https://doi.org/10.1002/9780470258019"
SCHUMACHER = "https://doi.org/10.1200/JCO.1994.12.10.2086"


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


class _Bundled:
    """Builds one of the tables that come with scikit-survival."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, root: Path | None) -> Dataset:
        """The table; `root` has nothing to say."""
        from mtsbench_cohorts.tabular_files import read_bundled

        return read_bundled(self.name)


class _Downloaded:
    """Builds one of the tables that pycox downloads."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, root: Path | None) -> Dataset:
        """The table in `root`, or where pycox keeps it."""
        from mtsbench_cohorts.tabular_files import read_downloaded

        return read_downloaded(self.name, root)


@hookimpl
def mtsbench_datasets() -> Iterator[Component[Dataset]]:
    """The simulated or own NPC cohort, HECKTOR, and tables without images."""
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
    for name, summary, reference in (
        ("veteran", "Lung cancer trial, 137 patients, table only", KALBFLEISCH),
        ("whas500", "Myocardial infarction, 500 patients, table only", HOSMER),
        ("gbsg2", "Breast cancer trial, 686 patients, table only", SCHUMACHER),
    ):
        yield Component(name=name, summary=summary, build=_Bundled(name), reference=reference)
    for name, summary in (
        ("metabric", "Breast cancer, 1904 patients, table that pycox downloads"),
        ("support", "Seriously ill in hospital, 8873 patients, table that pycox downloads"),
        ("gbsg", "Breast cancer, 2232 patients, table that pycox downloads"),
    ):
        yield Component(
            name=name,
            summary=summary,
            build=_Downloaded(name),
            reference="https://doi.org/10.1186/s12874-018-0482-1",
        )
