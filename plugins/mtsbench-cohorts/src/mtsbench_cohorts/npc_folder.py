"""A user's NPC cohort: one folder per case, and `clinical.csv`.

<root>/clinical.csv
<root>/<case id>/pet.nii.gz     standardised uptake values
<root>/<case id>/ct.nii.gz      Hounsfield units
<root>/<case id>/mask.nii.gz    1 = primary tumour, 0 = all else; may be absent
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from mtsbench.data import Case
from mtsbench.errors import DataError
from mtsbench_cohorts.file_fingerprint import fingerprint_files
from mtsbench_cohorts.nifti import read_mask, read_volume, share_space
from mtsbench_cohorts.npc_table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mtsbench.data import ClinicalValue, Outcomes
    from mtsbench.volumes import Volume

TABLE = "clinical.csv"
PET, CT, MASK = "pet.nii.gz", "ct.nii.gz", "mask.nii.gz"


class NpcFolder:
    """A cohort on disk; every folder in `root` is a case, with or without a row in the table.

    Args:
        root: The cohort's folder.
        test_centre: Rule for the crop centre of a held-out case.

    Raises:
        DataError: No such folder, no case, a case without PET or CT, or an unusable table.
    """

    def __init__(self, root: Path, *, test_centre: str = "field-of-view") -> None:
        if not root.is_dir():
            raise DataError(
                f"no folder {root}; give --data-root the folder that holds {TABLE} and one "
                "folder per case, or leave it out to use the simulated cohort"
            )
        self.root = root
        self._table = read_table(root / TABLE)
        self.case_ids = _find_cases(root, self._table.case_ids)
        self.channels: tuple[str, ...] = ("pet_suv", "ct_hu")
        self.clinical_variables = self._table.variables
        self.endpoints = tuple(self._table.outcomes)
        self.simulated = False
        self.natural_spacing = (2.0, 2.0, 2.0)
        self.natural_size = (96, 96, 96)
        self.test_centre = test_centre

    def load(self, case_id: str) -> Case:
        """Read one case.

        Raises:
            DataError: No such case; or a file is missing, unreadable or not finite, the mask is
                empty, holds other labels or lies beside the CT. Names case and file.
        """
        folder = self._folder(case_id)
        ct = read_volume(folder / CT, case_id)
        mask = folder / MASK
        return Case(
            case_id=case_id,
            images={"pet_suv": read_volume(folder / PET, case_id), "ct_hu": ct},
            mask=_read_primary(mask, case_id, ct) if mask.exists() else None,
            clinical=self._clinical(case_id),
        )

    def has_mask(self, case_id: str) -> bool:
        """Whether the case has a `mask.nii.gz`. DataError for an unknown case."""
        return (self._folder(case_id) / MASK).exists()

    def outcomes(self, endpoint: str) -> Outcomes:
        """Outcomes of the cases that have them.

        Raises:
            DataError: The table has no such endpoint.
        """
        if endpoint not in self.endpoints:
            raise DataError(
                f"{self.root / TABLE} has no endpoint {endpoint!r}, only "
                f"{', '.join(self.endpoints) or 'none'}; add the columns {endpoint}_time (days) "
                f"and {endpoint}_event (0 or 1)"
            )
        known = self._table.outcomes[endpoint]
        return known.subset(sorted(known.case_ids))

    def centres(self) -> Mapping[str, str]:
        """Case id to hospital, where the table has a column `centre`."""
        return self._table.centres

    def case_fingerprint(self, case_id: str) -> str:
        """Of the case's files and clinical values.

        Raises:
            DataError: No such case, or a file cannot be read.
        """
        files = fingerprint_files(self.root, _files(self._folder(case_id)))
        clinical = json.dumps(dict(self._clinical(case_id)), sort_keys=True)
        return hashlib.sha256(f"{case_id}\n{files}\n{clinical}".encode()).hexdigest()

    def fingerprint(self) -> str:
        """Of the table's bytes and every case's files.

        Raises:
            DataError: A file cannot be read.
        """
        files = [path for case_id in self.case_ids for path in _files(self.root / case_id)]
        return fingerprint_files(self.root, [self.root / TABLE, *files])

    def _folder(self, case_id: str) -> Path:
        if case_id not in self.case_ids:
            raise DataError(
                f"no case {case_id!r} in {self.root}; it has {len(self.case_ids)} cases, "
                f"{self.case_ids[0]} to {self.case_ids[-1]}"
            )
        return self.root / case_id

    def _clinical(self, case_id: str) -> Mapping[str, ClinicalValue]:
        missing = dict.fromkeys(variable.name for variable in self.clinical_variables)
        return self._table.clinical.get(case_id, missing)


def _find_cases(root: Path, rows: tuple[str, ...]) -> tuple[str, ...]:
    """Every case folder, sorted; each must have PET and CT, and each row must have a folder."""
    folders = sorted(
        path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    for case_id in sorted({*folders, *rows}):
        for name in (PET, CT):
            if not (root / case_id / name).is_file():
                raise DataError(
                    f"case {case_id!r}: no file {root / case_id / name}; every folder in {root} "
                    f"and every row of {TABLE} needs {PET} and {CT}. Add it, or move the folder "
                    "away and delete the row"
                )
    if not folders:
        raise DataError(f"{root} holds no case folder; expected <case id>/{PET} and {CT}")
    return tuple(folders)


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in (PET, CT, MASK) if (folder / name).exists()]


def _read_primary(path: Path, case_id: str, ct: Volume) -> Volume:
    mask = read_mask(path, case_id)
    if not mask.array.any():
        raise DataError(
            f"case {case_id!r}: the mask {path} is empty; mark the primary tumour with 1, "
            "or remove the file where its outline is unknown"
        )
    if not share_space(mask.grid, ct.grid):
        raise DataError(
            f"case {case_id!r}: the mask {path} lies beside the CT {path.parent / CT} in patient "
            "space; check that both headers hold the same patient coordinates"
        )
    return mask
