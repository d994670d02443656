"""Settings, regions, cache and table of a cohort's features."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mtsbench_radiomics.features.cohort_features import extract_cohort
from mtsbench_radiomics.features.extraction import CaseFeatures
from mtsbench_radiomics.features.feature_cache import cached
from mtsbench_radiomics.features.regions import region_of
from mtsbench_radiomics.features.settings import standard_settings

from mtsbench.data import Case, Cohort
from mtsbench.errors import DataError
from mtsbench.volumes import Grid, Volume

GRID = Grid(size=(12, 12, 12), spacing=(2.0, 2.0, 2.0))


def case(case_id="A", masked=True, seed=0) -> Case:
    rng = np.random.default_rng(seed)
    pet = rng.uniform(0, 2, GRID.size).astype(np.float32)
    pet[3:8, 3:8, 3:8] += 4  # the tumour
    pet[10:, 10:, 10:] += 9  # hotter, but smaller
    mask = np.zeros(GRID.size, np.uint8)
    if masked:
        mask[4:8, 4:8, 4:8] = 1
    return Case(
        case_id=case_id,
        images={
            "ct_hu": Volume(array=rng.normal(30, 20, GRID.size).astype(np.float32), grid=GRID),
            "pet_suv": Volume(array=pet, grid=GRID),
        },
        mask=Volume(array=mask, grid=GRID),
        clinical={},
    )


def cohort(*cases: Case, folder: Path | None = None) -> Cohort:
    found = {one.case_id: one for one in cases}
    return Cohort(
        case_ids=tuple(found),
        channels=("ct_hu", "pet_suv"),
        clinical_features=(),
        read=lambda case_id: None,
        read_native=found.__getitem__,
        cache_folder=folder,
    )


def test_the_standard_settings_are_those_of_the_file_in_ibsi_terms():
    found = standard_settings()

    assert found.version == 1
    assert found.discretisation == {"ct_hu": 25.0, "pet_suv": 0.25}
    assert (found.filters.wavelet, found.filters.log_sigma) == (False, ())


def test_the_threshold_region_is_the_largest_hot_part_and_not_the_hottest():
    region = region_of(case(), "suv-threshold").array

    assert region[3:8, 3:8, 3:8].all()
    assert region.sum() == 125


def test_a_cold_scan_has_an_empty_region():
    cold = case()
    pet = Volume(array=np.ones(GRID.size, np.float32), grid=GRID)

    region = region_of(replace(cold, images={**cold.images, "pet_suv": pet}), "suv-threshold")

    assert not region.array.any()


def test_a_region_that_cannot_be_found_is_told_with_the_case():
    without = replace(case(), mask=None)
    with pytest.raises(DataError, match="case 'A' shows no tumour mask, but its features"):
        region_of(without, "given")
    only_ct = replace(case(), images={"ct_hu": case().images["ct_hu"]})
    with pytest.raises(DataError, match="case 'A' has no channel 'pet_suv' to threshold, only ct"):
        region_of(only_ct, "suv-threshold")


def test_a_cohort_has_one_row_a_case_and_a_reason_for_each_empty_mask():
    table = extract_cohort(
        cohort(case("A"), case("B", masked=False), case("C", seed=1)), "given", standard_settings()
    )

    assert table.case_ids == ("A", "B", "C")
    assert np.isfinite(table.values[[0, 2]]).all()
    assert np.isnan(table.values[1]).all()
    assert table.reasons == {"B": "the region is empty, so it has no features"}
    assert not np.array_equal(table.values[0], table.values[2])


class Counting:
    """An extraction that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, case, mask, settings) -> CaseFeatures:
        self.calls += 1
        return CaseFeatures(values={"x": float(self.calls)}, reason=None)


def test_a_feature_is_extracted_once_for_the_same_voxels_and_settings(tmp_path):
    extract, one = Counting(), case()
    settings = standard_settings()
    wider = settings.model_copy(update={"discretisation": {"ct_hu": 50.0, "pet_suv": 0.25}})
    brighter = replace(one, images={**one.images, "ct_hu": case(seed=5).images["ct_hu"]})
    moved = Volume(array=one.mask.array, grid=replace(GRID, origin=(2.0, 0.0, 0.0)))

    def values(folder=tmp_path, case=one, mask=one.mask, settings=settings):
        return cached(folder, case, mask, settings, extract).values["x"]

    assert [values(), values()] == [1.0, 1.0]
    assert values(settings=wider) == 2.0
    assert values(case=brighter) == 3.0
    assert values(mask=moved) == 4.0
    assert values(folder=None) == 5.0
    assert values() == 1.0


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-5], lambda text: text.replace("1.0", "7.0")], ids=["cut", "edit"]
)
def test_a_damaged_cache_file_is_replaced_with_a_warning(tmp_path, caplog, damage):
    extract, one = Counting(), case()
    cached(tmp_path, one, one.mask, standard_settings(), extract)
    (path,) = (tmp_path / "radiomics").iterdir()
    path.write_text(damage(path.read_text()))

    with caplog.at_level(logging.WARNING):
        found = cached(tmp_path, one, one.mask, standard_settings(), extract)

    assert found.values == {"x": 2.0}
    assert "case 'A'" in caplog.text
    assert "is damaged" in caplog.text
    assert json.loads(path.read_text())["values"] == {"x": 2.0}
    caplog.clear()
    assert cached(tmp_path, one, one.mask, standard_settings(), extract).values == {"x": 2.0}
    assert caplog.text == ""
