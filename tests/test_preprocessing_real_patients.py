"""Prepared crops of three real patients keep what a clinician would look for."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from counting_dataset import Phantoms, prepare

from mtsbench.data import Case
from mtsbench.preprocessing import CaseCache, Preprocessing, PreprocessingSettings
from mtsbench.volumes import Volume, from_sitk

REAL_CASES = Path(__file__).resolve().parents[2] / "shared" / "data" / "sts_hecktor_layout"


class RealCases(Phantoms):
    """Three of the staged soft-tissue sarcoma patients."""

    clinical_variables = ()

    def __init__(self) -> None:
        super().__init__()
        self.case_ids = ("STS-001", "STS-017", "STS-035")
        with (REAL_CASES / "STS_Training.csv").open(encoding="utf-8") as file:
            self.rows = {row["PatientID"]: row for row in csv.DictReader(file)}

    def load(self, case_id):
        import SimpleITK as sitk

        def volume(suffix: str) -> Volume:
            path = REAL_CASES / case_id / f"{case_id}{suffix}.nii.gz"
            return from_sitk(sitk.ReadImage(str(path)))

        return Case(
            case_id=case_id,
            images={"pet_suv": volume("__PT"), "ct_hu": volume("__CT")},
            mask=volume(""),
            clinical={"age": float(self.rows[case_id]["Age"])},
        )

    def case_fingerprint(self, case_id):
        return case_id


@pytest.mark.data
@pytest.mark.skipif(not REAL_CASES.is_dir(), reason="the shared folder with real data is absent")
def test_real_patients_keep_uptake_tissue_and_tumour_volume(tmp_path):
    dataset = RealCases()
    settings = PreprocessingSettings(size=(96, 96, 96), spacing=(3.0, 3.0, 3.0))
    cache = CaseCache(tmp_path, dataset, settings)

    prepare(cache, Preprocessing.requests(dataset, dataset.case_ids, settings))

    for case_id in dataset.case_ids:
        case = dataset.load(case_id)
        assert case.mask is not None
        millilitres = np.prod(case.mask.grid.spacing) * case.mask.array.sum(dtype=int) / 1000
        for rule in ("tumour", "field-of-view"):
            cropped = cache.read(case_id, rule)
            assert cropped.mask is not None
            assert cropped.mask.sum() * 0.027 == pytest.approx(millilitres, rel=0.03)
            suv = case.images["pet_suv"].array
            assert 0.6 * suv.max() < cropped.images[0].max() <= suv.max()
            in_tumour = cropped.images[1][cropped.mask[0] == 1]
            native_tumour = case.images["ct_hu"].array[case.mask.array == 1]
            assert np.median(in_tumour) == pytest.approx(np.median(native_tumour), abs=10)
        middle = cache.read(case_id, "tumour").mask[0]
        assert np.argwhere(middle).mean(axis=0) == pytest.approx([47.5] * 3, abs=0.3)
