"""The tumour's volume as a model of its own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mtsbench_radiomics.models.build import volume_model
from mtsbench_radiomics.models.network_source import without_masks
from mtsbench_radiomics.models.storage import STATE
from mtsbench_radiomics.models.volume import tumour_volume

from mtsbench.errors import DataError


@pytest.fixture(scope="module")
def patients(make_patients):
    return make_patients(60)


def test_volume_is_the_logarithm_of_millilitres_and_an_empty_mask_has_none(
    make_patients, context, tmp_path
):
    patients = make_patients(40)
    patients.masks["P003"] = np.zeros((16, 16, 16), dtype=bool)
    model = volume_model("given", 0.0)

    model.fit(patients.labelled(0, 30), patients.labelled(30, 40), context())
    model.save(tmp_path)

    state = json.loads((tmp_path / STATE).read_text())
    others = [case_id for case_id in patients.case_ids if case_id != "P003"]
    volumes = [patients.tumour(case_id).sum() * 3.0 * 2.0 * 2.5 / 1000 for case_id in others]
    assert state["preparation"]["medians"] == pytest.approx([np.median(np.log(volumes))])
    assert state["missing"] == {"P003": "the tumour region is empty, so it has no volume"}
    assert state["fit"]["coefficients"][0] > 0


def test_the_volume_of_a_fixed_suv_region_needs_no_mask(patients, context):
    model = volume_model("suv-threshold", 0.0)
    model.fit(patients.labelled(0, 32), patients.labelled(32, 40), context())

    risk = model.predict(without_masks(patients.cohort(40))).risk

    assert np.corrcoef(risk, np.log(patients.radius[40:]))[0, 1] > 0.99


def test_volume_without_a_mask_is_refused(patients):
    hidden = without_masks(patients.cohort(40))

    with pytest.raises(DataError, match=r"case 'P040' shows no tumour mask"):
        tumour_volume(hidden, "given")
