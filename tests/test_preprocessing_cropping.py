from __future__ import annotations

import numpy as np
import pytest

from mtsbench.data import Case
from mtsbench.errors import DataError
from mtsbench.preprocessing import PreprocessingSettings
from mtsbench.preprocessing.cropping import check_case, crop
from mtsbench.volumes import Grid, Volume

CHANNELS = ("pet_suv", "ct_hu")
GRID = Grid(size=(8, 8, 8), spacing=(2.0, 2.0, 2.0))
SETTINGS = PreprocessingSettings(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0))
CUBE = np.pad(np.ones((2, 2, 2), np.uint8), 3)


def case_with(
    pet: np.ndarray | None = None,
    ct_grid: Grid = GRID,
    mask: np.ndarray | None = CUBE,
    mask_grid: Grid = GRID,
) -> Case:
    pet = np.full(GRID.size, 2.5, np.float32) if pet is None else pet
    return Case(
        case_id="P01",
        images={
            "ct_hu": Volume(array=np.full(ct_grid.size, 40, np.int16), grid=ct_grid),
            "pet_suv": Volume(array=pet, grid=GRID),
        },
        mask=None if mask is None else Volume(array=mask, grid=mask_grid),
        clinical={"age": 61.0},
    )


def test_a_crop_has_physical_units_in_the_channel_order_asked_for():
    cropped = crop(case_with(), CHANNELS, "tumour", SETTINGS)

    assert cropped.images.dtype == np.float32
    assert cropped.images.shape == (2, 4, 4, 4)
    assert (cropped.images[0] == 2.5).all()
    assert (cropped.images[1] == 40).all()
    assert cropped.mask is not None
    assert cropped.mask.shape == (1, 4, 4, 4)
    assert cropped.mask.sum() == 8
    assert cropped.grid.centre() == pytest.approx((7.0, 7.0, 7.0))
    assert cropped.clinical == {"age": 61.0}


def test_outside_the_scan_pet_is_zero_and_ct_is_air():
    wide = PreprocessingSettings(size=(20, 4, 4), spacing=(2.0, 2.0, 2.0))

    cropped = crop(case_with(), CHANNELS, "field-of-view", wide)

    assert (cropped.images[0, 0] == 0.0).all()
    assert (cropped.images[1, 0] == -1024.0).all()


def test_a_case_without_mask_gives_a_crop_without_mask():
    assert crop(case_with(mask=None), CHANNELS, "field-of-view", SETTINGS).mask is None


def test_an_empty_mask_stays_an_empty_mask():
    empty = case_with(mask=np.zeros(GRID.size, np.uint8))

    check_case(empty, CHANNELS)
    cropped = crop(empty, CHANNELS, "field-of-view", SETTINGS)

    assert cropped.mask is not None
    assert not cropped.mask.any()


def test_a_sound_case_passes_the_check():
    check_case(case_with(mask=CUBE.astype(bool)), CHANNELS)


def test_a_missing_channel_is_named():
    with pytest.raises(DataError, match=r"'P01', channel 'mr_t2': missing; .* ct_hu, pet_suv"):
        check_case(case_with(), ("pet_suv", "mr_t2"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_not_finite_is_refused_with_case_and_channel(value):
    pet = np.zeros(GRID.size, np.float32)
    pet[3, 4, 5] = value

    with pytest.raises(DataError, match="'P01', channel 'pet_suv': 1 voxels are NaN or Inf"):
        check_case(case_with(pet), CHANNELS)


def test_a_ct_beside_the_pet_is_refused():
    away = Grid(size=(8, 8, 8), spacing=(2.0, 2.0, 2.0), origin=(0.0, 0.0, 700.0))

    with pytest.raises(DataError, match=r"'P01', channel 'ct_hu': no overlap .* 699\.\.715"):
        check_case(case_with(ct_grid=away), CHANNELS)


def test_a_tumour_beside_the_images_is_refused_although_the_mask_grid_overlaps():
    wide = Grid(size=(8, 8, 60), spacing=(2.0, 2.0, 2.0))
    mask = np.zeros(wide.size, np.uint8)
    mask[4, 4, 50] = 1

    with pytest.raises(DataError, match=r"'P01', channel 'mask': no overlap .* 99\.\.101"):
        check_case(case_with(mask=mask, mask_grid=wide), CHANNELS)


def test_a_mask_with_several_labels_is_refused():
    with pytest.raises(DataError, match="'P01', channel 'mask': 8 voxels hold 2 or another value"):
        check_case(case_with(mask=CUBE * 2), CHANNELS)
