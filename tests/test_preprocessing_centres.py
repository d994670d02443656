from __future__ import annotations

import numpy as np
import pytest

from mtsbench.data import Case
from mtsbench.errors import DataError
from mtsbench.preprocessing.centres import crop_centre, tumour_missing
from mtsbench.volumes import Grid, Volume

CHANNELS = ("pet_suv", "ct_hu")
PET_GRID = Grid(size=(20, 20, 20), spacing=(4.0, 4.0, 4.0), origin=(-10.0, 0.0, 100.0))
CT_GRID = Grid(size=(40, 40, 40), spacing=(2.0, 2.0, 2.0), origin=(0.0, 0.0, 110.0))


def case_with(pet: np.ndarray | None = None, mask: Volume | None = None) -> Case:
    pet = np.zeros(PET_GRID.size, np.float32) if pet is None else pet
    ct = np.zeros(CT_GRID.size, np.int16)
    return Case(
        case_id="P01",
        images={
            "pet_suv": Volume(array=pet, grid=PET_GRID),
            "ct_hu": Volume(array=ct, grid=CT_GRID),
        },
        mask=mask,
        clinical={},
    )


def mask_of(*voxels: tuple[int, int, int]) -> Volume:
    array = np.zeros(CT_GRID.size, np.uint8)
    for voxel in voxels:
        array[voxel] = 1
    return Volume(array=array, grid=CT_GRID)


def test_the_tumour_centre_is_the_centroid_of_the_mask():
    case = case_with(mask=mask_of((10, 20, 30), (10, 22, 30), (13, 24, 30)))

    assert crop_centre(case, CHANNELS, "tumour") == pytest.approx((60.0, 44.0, 132.0))


@pytest.mark.parametrize(("mask", "reason"), [(None, "no mask"), (mask_of(), "an empty mask")])
def test_a_case_without_tumour_is_refused_by_name(mask, reason):
    case = case_with(mask=mask)

    assert tumour_missing(case) == reason
    with pytest.raises(DataError, match=rf"case 'P01' has {reason}, so it cannot be centred"):
        crop_centre(case, CHANNELS, "tumour")


def test_a_case_with_tumour_misses_none():
    assert tumour_missing(case_with(mask=mask_of((1, 1, 1)))) is None


def test_the_field_of_view_centre_is_the_middle_of_what_all_channels_share():
    # x: PET -12..68, CT -1..79; y: PET -2..78, CT -1..79; z: PET 98..178, CT 109..189.
    assert crop_centre(case_with(), CHANNELS, "field-of-view") == pytest.approx((33.5, 38.5, 143.5))


def test_channels_that_share_nothing_are_refused():
    case = case_with()
    far = Grid(size=CT_GRID.size, spacing=CT_GRID.spacing, origin=(5000.0, 0.0, 0.0))
    moved = Case(
        case_id="P01",
        images={**case.images, "ct_hu": Volume(array=case.images["ct_hu"].array, grid=far)},
        mask=None,
        clinical={},
    )

    with pytest.raises(DataError, match="case 'P01': the channels pet_suv, ct_hu share no volume"):
        crop_centre(moved, CHANNELS, "field-of-view")


def test_the_uptake_centre_is_the_weighted_middle_of_the_largest_hot_region():
    pet = np.zeros(PET_GRID.size, np.float32)
    pet[8, 8:10, 10:14] = 10.0
    pet[8, 8:10, 14:18] = 8.0
    pet[15, 15, 15:17] = 11.0  # hotter and nearby, but smaller

    centre = crop_centre(case_with(pet), CHANNELS, "pet-uptake")

    column = (10.0 * (10 + 11 + 12 + 13) + 8.0 * (14 + 15 + 16 + 17)) / 72.0
    assert centre == pytest.approx((-10.0 + 4 * column, 34.0, 132.0))


def test_one_noisy_voxel_does_not_move_the_uptake_centre():
    pet = np.zeros(PET_GRID.size, np.float32)
    pet[8:12, 8:12, 8:12] = 5.0
    quiet = crop_centre(case_with(pet), CHANNELS, "pet-uptake")
    pet[17, 17, 17] = 500.0

    assert crop_centre(case_with(pet), CHANNELS, "pet-uptake") == pytest.approx(quiet)


def test_uptake_outside_the_ct_does_not_count():
    pet = np.zeros(PET_GRID.size, np.float32)
    pet[8:11, 8:11, 8:11] = 5.0
    pet[0:2, 5:18, 5:18] = 50.0  # z 100..104, and the CT begins at 109

    centre = crop_centre(case_with(pet), CHANNELS, "pet-uptake")

    assert centre == pytest.approx(PET_GRID.to_patient((9, 9, 9)))


def test_a_pet_without_uptake_is_refused():
    with pytest.raises(DataError, match="case 'P01', channel 'pet_suv': no cm3 with uptake > 0"):
        crop_centre(case_with(), CHANNELS, "pet-uptake")


def test_the_uptake_rule_needs_a_pet_channel():
    case = case_with()
    ct_only = Case(case_id="P01", images={"ct_hu": case.images["ct_hu"]}, mask=None, clinical={})

    with pytest.raises(DataError, match=r"'P01': centre rule 'pet-uptake' needs .* found ct_hu"):
        crop_centre(ct_only, ("ct_hu",), "pet-uptake")
