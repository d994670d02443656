"""A HECKTOR download as a dataset: PET/CT, tumour masks, and relapse-free survival."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from mtsbench.data import Case, ClinicalVariable, Outcomes
from mtsbench.errors import DataError
from mtsbench.volumes import Volume
from mtsbench_cohorts.file_fingerprint import fingerprint_files
from mtsbench_cohorts.hecktor_layout import FACTORS, CaseFiles, find_layout, match_id
from mtsbench_cohorts.hecktor_tables import read_factors, read_tables
from mtsbench_cohorts.nifti import read_mask, read_volume, share_space

Target = Literal["primary", "primary+nodes"]
TestCentre = Literal["field-of-view", "pet-uptake"]
PRIMARY, NODE = 1, 2
# No patient's SUV is above 100 in half a per cent of the field of view; Bq/ml are thousands.
LARGEST_SUV, SUV_PERCENTILE = 100.0, 99.5


class Hecktor:
    """Implements `mtsbench.interfaces.Dataset`.

    Args:
        root: Folder of the download.
        form: Folder form; `auto` takes the first that fits.
        target: Which labels are tumour: GTVp alone, or GTVp and GTVn.
        test_centre: Rule for the crop centre of a held-out case. `field-of-view` suits cropped
            scans; whole-body scans need `pet-uptake`.

    Raises:
        DataError: See `find_layout`, `read_tables` and `read_factors`.
    """

    def __init__(
        self,
        root: Path | None,
        *,
        form: Literal["auto", "2022", "2025", "2026"],
        target: Target,
        test_centre: TestCentre,
    ) -> None:
        layout = find_layout(root, form)
        assert root is not None  # find_layout refuses None
        self.root = root
        self.target = target
        self._layout = layout
        self._tables = read_tables(layout.tables, tuple(layout.cases))
        self._factors = read_factors(layout.factors) if layout.factors else {}
        self.case_ids = tuple(layout.cases)
        self.channels: tuple[str, ...] = ("pet_suv", "ct_hu")
        self.clinical_variables: tuple[ClinicalVariable, ...] = self._tables.variables
        self.endpoints = tuple(name for name, known in self._tables.outcomes.items() if len(known))
        self.simulated = False
        self.natural_spacing = (2.0, 2.0, 2.0)
        self.natural_size = (96, 96, 96)
        self.test_centre: str = test_centre

    def load(self, case_id: str) -> Case:
        """Read one case; a mask without the target's label is legal and all zero.

        Raises:
            DataError: No such case; a file is unreadable or not finite; PET or mask lie beside the
                CT; or the PET is in Bq/ml without a factor. Names case and file.
        """
        files = self._files(case_id)
        ct = read_volume(files.ct, case_id)
        pet = self._suv(case_id, files.pet)
        mask = None
        if files.mask is not None:
            labels = (PRIMARY, NODE) if self.target == "primary+nodes" else (PRIMARY,)
            mask = read_mask(files.mask, case_id, tumour=labels, background=(0, PRIMARY, NODE))
        for path, volume in ((files.pet, pet), (files.mask, mask)):
            if volume is not None and not share_space(volume.grid, ct.grid):
                raise DataError(
                    f"case {case_id!r}: {path} lies beside the CT {files.ct} in patient space; "
                    "check that both headers hold the same patient coordinates"
                )
        return Case(
            case_id=case_id,
            images={"pet_suv": pet, "ct_hu": ct},
            mask=mask,
            clinical=self._tables.clinical[case_id],
        )

    def has_mask(self, case_id: str) -> bool:
        """Whether the case has a label file, in form 2025 that of Task 1."""
        return self._files(case_id).mask is not None

    def outcomes(self, endpoint: str) -> Outcomes:
        """Outcomes of the cases that have them.

        Raises:
            DataError: The tables hold no such endpoint.
        """
        if endpoint not in self.endpoints:
            raise DataError(
                f"{self.root} has no endpoint {endpoint!r}, only "
                f"{', '.join(self.endpoints) or 'none'}; the table needs columns like Relapse and "
                "RFS (days)"
            )
        return self._tables.outcomes[endpoint]

    def centres(self) -> Mapping[str, str]:
        """Case id to CenterID."""
        return self._tables.centres

    def case_fingerprint(self, case_id: str) -> str:
        """Of the case's files, clinical values, PET factor and target."""
        parts = (
            case_id,
            fingerprint_files(self.root, self._files(case_id).present()),
            json.dumps(dict(self._tables.clinical[case_id]), sort_keys=True),
            str(self._factors.get(match_id(case_id))),
            self.target,
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def fingerprint(self) -> str:
        """Of all files, tables and the target."""
        files = [path for case in self._layout.cases.values() for path in case.present()]
        files.extend(self._layout.tables)
        if self._layout.factors is not None:
            files.append(self._layout.factors)
        whole = f"{self.target}\n{fingerprint_files(self.root, files)}"
        return hashlib.sha256(whole.encode()).hexdigest()

    def _files(self, case_id: str) -> CaseFiles:
        try:
            return self._layout.cases[case_id]
        except KeyError:
            raise DataError(
                f"no case {case_id!r} in {self.root}; it has {len(self.case_ids)} cases, "
                f"{self.case_ids[0]} to {self.case_ids[-1]}"
            ) from None

    def _suv(self, case_id: str, path: Path) -> Volume:
        pet = read_volume(path, case_id)
        factor = self._factors.get(match_id(case_id))
        if factor is not None:
            return Volume(array=pet.array.astype(np.float32) * np.float32(factor), grid=pet.grid)
        high = float(np.percentile(pet.array.astype(np.float32), SUV_PERCENTILE))
        if high > LARGEST_SUV:
            raise DataError(
                f"case {case_id!r}: {path} reaches {high:.0f} in {100 - SUV_PERCENTILE:g} % of its "
                f"voxels, which is no SUV but likely Bq/ml; list the case in {FACTORS} "
                "(columns pid, bqml_to_suvbw_factor)"
            )
        return pet


def build_hecktor(
    root: Path | None,
    *,
    form: Literal["auto", "2022", "2025", "2026"] = "auto",
    target: Target = "primary",
    test_centre: TestCentre = "field-of-view",
) -> Hecktor:
    """A HECKTOR cohort on disk."""
    return Hecktor(root, form=form, target=target, test_centre=test_centre)
