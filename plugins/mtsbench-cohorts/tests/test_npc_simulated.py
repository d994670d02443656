from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mtsbench_cohorts.npc_simulated import SimulatedNpc
from scipy.ndimage import distance_transform_edt

from mtsbench.errors import DataError, OptionError
from mtsbench.interfaces import KnownHazard, KnownMasks

COUNT = 36


@pytest.fixture(scope="module")
def cohort():
    return SimulatedNpc(cases=COUNT, cohort_seed=2022)


@pytest.fixture(scope="module")
def cases(cohort):
    return [cohort.load(case_id) for case_id in cohort.case_ids]


def digest(case):
    content = hashlib.sha256(repr(sorted(case.clinical.items())).encode())
    for volume in (*(case.images[name] for name in sorted(case.images)), case.mask):
        content.update(repr(volume.grid).encode())
        content.update(volume.array.tobytes())
    return content.hexdigest()


def correlation(first, second):
    return float(np.corrcoef(first, second)[0, 1])


def on_pet_grid(case):
    """The mask at the PET's voxels, by nearest neighbour."""
    grid, mask = case.images["pet_suv"].grid, case.mask
    picks = []
    for axis in range(3):
        offset = grid.origin[2 - axis] - mask.grid.origin[2 - axis]
        place = offset + grid.spacing[axis] * np.arange(grid.size[axis])
        picks.append(np.rint(place / mask.grid.spacing[axis]).astype(int))
    return mask.array[np.ix_(*picks)] > 0


def test_every_case_has_a_mask_and_that_is_known_without_painting_it(cohort, cases):
    assert isinstance(cohort, KnownMasks)
    assert all(cohort.has_mask(case.case_id) and case.mask is not None for case in cases)
    with pytest.raises(DataError, match="no case 'npc-9999'"):
        cohort.has_mask("npc-9999")


def test_a_case_is_the_same_in_any_order_and_cohort(cohort, cases):
    other = SimulatedNpc(cases=9, cohort_seed=2022)

    for position in (7, 2):
        again = other.load(other.case_ids[position])
        assert again.case_id == cases[position].case_id == f"npc-{position + 1:04d}"
        assert digest(again) == digest(cases[position])
    assert digest(cases[2]) != digest(cases[7])
    assert digest(SimulatedNpc(cases=9, cohort_seed=1).load("npc-0003")) != digest(cases[2])


def test_a_case_is_the_same_in_another_process(cases):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_npc_simulated import SimulatedNpc, digest\n"
        "print(digest(SimulatedNpc(cases=150, cohort_seed=2022).load('npc-0005')))"
    )

    found = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
    )

    assert found.stdout.strip() == digest(cases[4])


def test_outcomes_and_risk_of_a_case_do_not_depend_on_the_size_of_the_cohort(cohort):
    large = SimulatedNpc(cases=150, cohort_seed=2022)
    first = cohort.outcomes("pfs")

    same = large.outcomes("pfs").subset(cohort.case_ids)

    assert (same.time == first.time).all()
    assert (same.event == first.event).all()
    picked = ("npc-0009", "npc-0002")
    assert (large.oracle_risk(picked) == cohort.oracle_risk(cohort.case_ids)[[8, 1]]).all()


def test_a_known_hazard_names_its_factors(cohort):
    assert isinstance(cohort, KnownHazard)
    factors = cohort.factors(cohort.case_ids[:3])
    assert list(factors) == [
        "log_volume",
        "uptake_heterogeneity",
        "invasion",
        "nodal_burden",
        "age",
        "stage",
    ]
    assert all(values.shape == (3,) for values in factors.values())


def test_volumes_are_as_the_contract_says(cases):
    for case in cases:
        pet, ct, mask = case.images["pet_suv"], case.images["ct_hu"], case.mask
        assert pet.array.dtype == np.float32
        assert np.isfinite(pet.array).all()
        assert pet.array.min() >= 0
        assert 5 < pet.array.max() < 60
        assert ct.array.dtype == np.int16
        assert mask.array.dtype == np.uint8
        assert set(np.unique(mask.array)) == {0, 1}
        assert mask.grid.same_space(ct.grid)
        assert not pet.grid.same_space(ct.grid)
        assert pet.grid.spacing != ct.grid.spacing
        assert pet.grid.origin != ct.grid.origin


def test_the_volume_factor_is_the_volume_of_the_mask(cohort, cases):
    volumes = [case.mask.array.sum() * np.prod(case.mask.grid.spacing) / 1000 for case in cases]

    assert np.log(volumes) == pytest.approx(cohort.factors(cohort.case_ids)["log_volume"], abs=2e-3)


def test_the_heterogeneity_factor_shows_in_the_pet(cohort, cases):
    measured = []
    for case in cases:
        uptake = case.images["pet_suv"].array[on_pet_grid(case)]
        measured.append(uptake.std() / uptake.mean())

    known = cohort.factors(cohort.case_ids)["uptake_heterogeneity"]
    assert correlation(measured, known) > 0.75


def test_the_invasion_factor_shows_in_the_mask(cohort, cases):
    measured = []
    for case in cases:
        places = np.argwhere(case.mask.array) * case.mask.grid.spacing
        distance = np.linalg.norm(places - places.mean(axis=0), axis=1)
        volume = len(places) * np.prod(case.mask.grid.spacing)
        measured.append(np.percentile(distance, 99) / (0.75 / np.pi * volume) ** (1 / 3))

    assert correlation(measured, cohort.factors(cohort.case_ids)["invasion"]) > 0.65


def test_the_nodal_factor_shows_as_uptake_in_the_neck_outside_the_mask(cohort, cases):
    measured = []
    for case in cases:
        pet, inside = case.images["pet_suv"], on_pet_grid(case)
        away = distance_transform_edt(~inside, sampling=pet.grid.spacing) > 10
        # Below the primary: the brain is hotter than any node.
        level = np.argwhere(inside)[:, 0].mean() - 20 / pet.grid.spacing[0]
        neck = (np.arange(pet.grid.size[0]) < level)[:, None, None]
        hot = away & neck & (pet.array > 2.8)
        measured.append(np.log1p(pet.array[hot].sum() * np.prod(pet.grid.spacing) / 1000))

    assert correlation(measured, cohort.factors(cohort.case_ids)["nodal_burden"]) > 0.75


def test_hospitals_are_two_and_their_pet_differs_in_noise_and_grid(cohort, cases):
    centres = cohort.centres()
    assert list(centres) == list(cohort.case_ids)
    spacings = {
        name: {
            case.images["pet_suv"].grid.spacing for case in cases if centres[case.case_id] == name
        }
        for name in ("A", "B")
    }

    assert set(centres.values()) == {"A", "B"}
    assert all(len(found) == 1 for found in spacings.values())
    assert spacings["A"] != spacings["B"]


def test_clinical_values_hold_every_variable_and_no_outcome(cohort, cases):
    names = [variable.name for variable in cohort.clinical_variables]
    kinds = {variable.name: variable.kind for variable in cohort.clinical_variables}

    assert names == ["age", "sex", "stage", "t_stage", "n_stage"]
    for case in cases:
        assert list(case.clinical) == names
        for name, value in case.clinical.items():
            assert isinstance(value, float if kinds[name] == "numeric" else str)
    assert {case.clinical["stage"] for case in cases} == {"III", "IVA"}


def test_clinical_values_agree_with_the_factors(cohort, cases):
    factors = cohort.factors(cohort.case_ids)

    assert [case.clinical["age"] for case in cases] == factors["age"].tolist()
    iva = [float(case.clinical["stage"] == "IVA") for case in cases]
    assert iva == factors["stage"].tolist()


def test_geometry_is_the_one_of_the_presets(cohort):
    assert cohort.simulated
    assert cohort.channels == ("pet_suv", "ct_hu")
    assert cohort.natural_spacing == (3.0, 3.0, 3.0)
    assert cohort.natural_size == (64, 64, 64)
    assert cohort.test_centre == "field-of-view"
    assert cohort.endpoints == ("pfs",)


def test_a_case_fingerprint_knows_seed_and_number_only():
    small = SimulatedNpc(cases=10, cohort_seed=2022)
    large = SimulatedNpc(cases=150, cohort_seed=2022)
    other = SimulatedNpc(cases=10, cohort_seed=2023)

    marks = [small.case_fingerprint(case_id) for case_id in small.case_ids]

    assert len(set(marks)) == 10
    assert marks == [large.case_fingerprint(case_id) for case_id in small.case_ids]
    assert not set(marks) & {other.case_fingerprint(case_id) for case_id in other.case_ids}


def test_a_cohort_fingerprint_knows_size_and_seed():
    marks = {
        SimulatedNpc(cases=cases, cohort_seed=seed).fingerprint()
        for cases, seed in ((10, 2022), (150, 2022), (10, 2023))
    }

    assert len(marks) == 3
    assert SimulatedNpc(cases=10, cohort_seed=2022).fingerprint() in marks


def test_the_dataset_travels_to_another_process(cohort):
    assert pickle.loads(pickle.dumps(cohort)).fingerprint() == cohort.fingerprint()


@pytest.mark.parametrize(
    "case_id", ["npc-0000", "npc-0037", "npc-1", "npc-00001", "../x", "npc-9999999999", "CHUM-001"]
)
def test_an_unknown_case_is_refused(cohort, case_id):
    for ask in (cohort.load, cohort.case_fingerprint, lambda one: cohort.oracle_risk([one])):
        with pytest.raises(DataError, match=rf"no case '{case_id}'; it has npc-0001 to npc-0036"):
            ask(case_id)


def test_an_unknown_endpoint_is_refused(cohort):
    with pytest.raises(DataError, match=r"simulated NPC cohort has no endpoint 'os'; it has pfs"):
        cohort.outcomes("os")


@pytest.mark.parametrize("cases", [0, -3])
def test_a_cohort_without_cases_is_refused(cases):
    with pytest.raises(OptionError, match=rf"cases must be at least 1, got {cases}"):
        SimulatedNpc(cases=cases, cohort_seed=2022)


def test_a_negative_seed_is_refused():
    with pytest.raises(OptionError, match=r"cohort_seed must be 0 or more, got -1"):
        SimulatedNpc(cases=3, cohort_seed=-1)
