"""Which files belong to which patient in the folder forms of the HECKTOR challenges.

2022  imagesTr/<ID>__CT.nii.gz, <ID>__PT.nii.gz; labelsTr/<ID>.nii.gz; tables in the root
      (imagesTs for the test patients, without labels)
2025  "Task 1/<ID>/<ID>__CT.nii.gz", __PT, <ID>.nii.gz; other tasks without masks, which are then
      taken from Task 1; one table a task
2026  <ID>/<ID>__CT.nii.gz, __PT, <ID>.nii.gz; one table in the root
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtsbench.errors import DataError

Form = Literal["2022", "2025", "2026"]
CT, PET, IMAGE = "__CT.nii.gz", "__PT.nii.gz", ".nii.gz"
FACTORS = "suv_conversion_tags.csv"


@dataclass(frozen=True, kw_only=True)
class CaseFiles:
    """Files of one patient; `mask` is None where no outline was drawn."""

    ct: Path
    pet: Path
    mask: Path | None

    def present(self) -> list[Path]:
        """All files of the patient."""
        return [path for path in (self.ct, self.pet, self.mask) if path is not None]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A cohort's files.

    Attributes:
        form: The folder form found.
        cases: Patient id to files, sorted by id.
        tables: CSV tables of outcomes and clinical variables; may be empty.
        factors: Table of factors from Bq/ml to SUV, or None.
    """

    form: Form
    cases: Mapping[str, CaseFiles]
    tables: tuple[Path, ...]
    factors: Path | None


def find_layout(root: Path | None, form: Literal["auto", "2022", "2025", "2026"]) -> Layout:
    """Find the patients below a folder.

    Raises:
        DataError: No folder, no patient in the form asked for (or in any), or a patient with only
            one of PET and CT.
    """
    if root is None:
        raise DataError(
            "dataset 'hecktor' needs --data-root: the folder of your HECKTOR download "
            "(register at hecktor.grand-challenge.org)"
        )
    if not root.is_dir():
        raise DataError(f"no folder {root}; give --data-root the folder of your HECKTOR download")
    finders = {"2022": _cases_2022, "2025": _cases_2025, "2026": _cases_2026}
    forms: tuple[Form, ...] = ("2022", "2025", "2026") if form == "auto" else (form,)
    for tried in forms:
        images, masks, folders = finders[tried](root)
        if images:
            return Layout(
                form=tried,
                cases=_pair(images, masks),
                tables=_tables(folders),
                factors=next((f / FACTORS for f in folders if (f / FACTORS).is_file()), None),
            )
    raise DataError(
        f"{root} has no patient in the form of HECKTOR {' or '.join(forms)}; looked for "
        f"imagesTr/ID{CT} (2022), 'Task 1/ID/ID{CT}' (2025) and ID/ID{CT} (2026)"
    )


def match_id(case_id: str) -> str:
    """How ids are compared: the organisers write CHUM-001 and CHUM_001 for one patient."""
    return case_id.strip().replace("_", "-").upper()


Found = tuple[list[Path], dict[str, Path], list[Path]]


def _cases_2022(root: Path) -> Found:
    images = [*_images(root.glob("imagesTr/*")), *_images(root.glob("imagesTs/*"))]
    return images, _masks(root.glob(f"labelsTr/*{IMAGE}")), [root]


def _cases_2025(root: Path) -> Found:
    tasks = sorted(
        folder
        for folder in root.iterdir()
        if folder.is_dir() and match_id(folder.name).replace("-", " ").startswith("TASK ")
    )
    images: dict[str, Path] = {}
    for task in tasks:
        for path in _images(task.glob("*/*")):
            images.setdefault(path.name, path)
    masks = _masks(path for task in reversed(tasks) for path in task.glob(f"*/*{IMAGE}"))
    return list(images.values()), masks, [root, *tasks]


def _cases_2026(root: Path) -> Found:
    images = [path for path in _images(root.glob("*/*")) if _id(path) == path.parent.name]
    masks = _masks(path.parent / f"{_id(path)}{IMAGE}" for path in images)
    return images, masks, [root]


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.name.endswith((CT, PET)))


def _masks(paths: Iterable[Path]) -> dict[str, Path]:
    return {
        match_id(path.name.removesuffix(IMAGE)): path
        for path in paths
        if "__" not in path.name and path.is_file()
    }


def _id(path: Path) -> str:
    return path.name.removesuffix(CT).removesuffix(PET)


def _pair(images: Sequence[Path], masks: Mapping[str, Path]) -> dict[str, CaseFiles]:
    by_case: dict[str, dict[str, Path]] = {}
    for path in images:
        by_case.setdefault(_id(path), {})[CT if path.name.endswith(CT) else PET] = path
    halves = sorted(case_id for case_id, found in by_case.items() if len(found) < 2)
    if halves:
        case_id = halves[0]
        ((kind, path),) = by_case[case_id].items()
        other = PET if kind == CT else CT
        raise DataError(
            f"case {case_id!r}: no file {path.with_name(case_id + other)}; every patient needs PET "
            f"and CT, and {len(halves)} of {len(by_case)} lack one. Add it or move the patient away"
        )
    return {
        case_id: CaseFiles(ct=found[CT], pet=found[PET], mask=masks.get(match_id(case_id)))
        for case_id, found in sorted(by_case.items())
    }


def _tables(folders: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(
        path for folder in folders for path in sorted(folder.glob("*.csv")) if path.name != FACTORS
    )
