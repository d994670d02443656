"""Patients who are in a dataset twice, and rows that are equal by coincidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtsbench.audit.altered import AlteredDataset, Twin, disturb
from mtsbench.audit.twins import ROW, Pair, apart, find_twins
from mtsbench.data import Case, ClinicalVariable
from mtsbench.splits import Split


class Table:
    """Patients of two stages, with as many ages and follow-up times as are asked for."""

    channels = ()
    clinical_variables = (
        ClinicalVariable(name="stage", kind="categorical"),
        ClinicalVariable(name="age", kind="numeric"),
    )
    endpoints = ("os",)
    simulated = True
    natural_spacing, natural_size, test_centre = (1.0,) * 3, (16,) * 3, "field-of-view"

    def __init__(self, outcomes, values: int) -> None:
        self.values = values
        self.case_ids = outcomes.case_ids
        self.known = replace(outcomes, time=1.0 + np.arange(len(outcomes)) % values)

    def load(self, case_id):
        number = int(case_id[1:])
        row = {"stage": "III" if number % 5 else "IV", "age": float(number * self.values // 40)}
        return Case(case_id=case_id, images={}, mask=None, clinical=row)

    def outcomes(self, endpoint):
        return self.known


@pytest.fixture
def table(tiny):
    return lambda values: Table(tiny.TinyDataset(40).outcomes("os"), values)


def test_equal_rows_of_a_coarse_table_are_coincidence(table):
    dataset = table(3)

    found = find_twins(dataset, dataset.outcomes("os"), workers=1)

    assert len(found.pairs) > 5
    assert found.coincidences == pytest.approx(len(found.pairs), rel=0.5)
    assert found.beyond_coincidence() == ()
    assert (found.images, found.rows) == (0, 40)


def test_an_equal_row_is_no_coincidence_of_a_fine_table(table):
    dataset = AlteredDataset(table(40), twins={"T98": Twin(of="T07", image=True, row=True)})

    found = find_twins(dataset, dataset.outcomes("os"), workers=1)

    assert found.beyond_coincidence() == (Pair(first="T07", second="T98", alike=ROW),)


def test_equal_images_are_never_coincidence_and_constant_ones_never_equal(tiny):
    dataset = AlteredDataset(
        tiny.TinyDataset(12), twins={"T98": Twin(of="T07", image=True, row=False)}
    )

    found = find_twins(dataset, dataset.outcomes("pfs"), workers=2)

    # Every CT of the tiny dataset is 0 everywhere.
    assert found.beyond_coincidence() == (Pair(first="T07", second="T98", alike="pet_suv"),)


def test_a_single_case_has_no_twin(tiny):
    dataset = tiny.TinyDataset(1)

    assert find_twins(dataset, dataset.outcomes("pfs"), workers=1).pairs == ()


def test_twins_are_apart_when_one_of_them_alone_is_tested():
    split = Split(repeat=0, fold=0, train=("a",), validation=("b",), test=("c", "d"))

    assert apart([split], Pair(first="a", second="c", alike=ROW))
    assert not apart([split], Pair(first="c", second="d", alike=ROW))
    assert not apart([split], Pair(first="a", second="b", alike=ROW))


def test_a_disturbed_case_differs_in_all_that_a_model_can_see(tiny):
    dataset = tiny.TinyDataset(3)
    case = dataset.load("T01")

    other = disturb(case, dataset)

    assert other.case_id == "T01"
    assert other.clinical["age"] != case.clinical["age"]
    assert not np.array_equal(other.images["pet_suv"].array, case.images["pet_suv"].array)
    assert other.images["pet_suv"].grid == case.images["pet_suv"].grid
    assert np.isfinite(other.images["pet_suv"].array).all()


def test_a_twin_has_its_patients_hospital_and_a_fingerprint_of_its_own(tiny):
    class Hospitals(tiny.TinyDataset):
        def centres(self):
            return {"T01": "A"}

    twin = Twin(of="T01", image=True, row=True)
    dataset = AlteredDataset(Hospitals(3), twins={"T98": twin}, disturbed=frozenset({"T02"}))

    assert dataset.centres() == {"T01": "A", "T98": "A"}
    prints = {dataset.case_fingerprint(one) for one in dataset.case_ids}
    assert len(prints) == 4
    assert dataset.case_fingerprint("T02") != dataset.dataset.case_fingerprint("T02")
    assert dataset.fingerprint() == dataset.dataset.fingerprint()
