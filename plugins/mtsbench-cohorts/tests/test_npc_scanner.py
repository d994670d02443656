from __future__ import annotations

import numpy as np
import pytest
from mtsbench_cohorts.npc_canvas import blank_canvas
from mtsbench_cohorts.npc_scanner import (
    CT_FIELD,
    PET_FIELD,
    SCANNERS,
    Scanner,
    field_of_view,
    take_ct,
    take_pet,
)

GRID = field_of_view((3.0, -150.0, -700.0), 100.0, (2.0, 2.0, 2.0))
INNER = field_of_view((3.0, -150.0, -700.0), 92.0, (2.0, 2.0, 2.0))
QUIET = Scanner(
    ct_spacing=(2.0, 2.0, 2.0),
    pet_spacing=(2.0, 2.0, 2.0),
    pet_resolution=6.0,
    pet_noise=0.0,
    ct_noise=0.0,
)


def loud(**changes):
    values = dict(ct_spacing=(2.0,) * 3, pet_spacing=(2.0,) * 3, pet_resolution=6.0)
    return Scanner(**(values | dict(pet_noise=0.2, ct_noise=15.0) | changes))


def test_a_field_of_view_has_its_middle_and_extent():
    grid = field_of_view((3.0, -150.0, -700.0), 204.0, (4.0, 4.07, 3.27))

    assert grid.centre() == pytest.approx((3.0, -150.0, -700.0))
    assert np.multiply(grid.size, grid.spacing) == pytest.approx([204] * 3, abs=2.1)


@pytest.mark.parametrize("name", sorted(SCANNERS))
def test_the_pet_lies_inside_the_ct_however_they_are_shifted(name):
    scanner = SCANNERS[name]
    ct = field_of_view((0.0, 0.0, 0.0), CT_FIELD, scanner.ct_spacing)
    pet = field_of_view((1.0, -1.0, 1.0), PET_FIELD, scanner.pet_spacing)

    assert np.greater(pet.origin, ct.origin).all()
    last = [tuple(count - 1 for count in grid.size) for grid in (pet, ct)]
    assert np.less(pet.to_patient(last[0]), ct.to_patient(last[1])).all()


def test_a_point_is_blurred_to_the_resolution_without_losing_uptake():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)
    canvas.suv[:] = 0
    canvas.suv[25, 25, 25] = 1000

    pet = take_pet(canvas, GRID, INNER, QUIET, np.random.default_rng(0)).array

    assert pet.sum() == pytest.approx(1000, rel=1e-3)
    for axis in range(3):
        profile = pet.sum(axis=tuple(other for other in range(3) if other != axis))
        offsets = 2.0 * (np.arange(46) - 23)
        sd = np.sqrt((profile * offsets**2).sum() / profile.sum())
        assert 2.355 * sd == pytest.approx(6.0, rel=0.02)


def test_pet_on_another_grid_lies_at_the_same_place():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)
    canvas.suv[:] = (2 * canvas.z + 3 * canvas.y + 5 * canvas.x) / 100 + 20
    grid = field_of_view((4.0, -149.0, -702.0), 60.0, (3.27, 3.65, 4.1))

    pet = take_pet(canvas, GRID, grid, QUIET, np.random.default_rng(0)).array

    index = (7, 3, 5)
    x, y, z = np.subtract(grid.to_patient(index), GRID.centre())
    assert pet[index] == pytest.approx((2 * z + 3 * y + 5 * x) / 100 + 20, rel=1e-4)


def test_pet_noise_grows_with_the_root_of_the_uptake():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)
    canvas.suv[:] = 2.0
    canvas.suv[:, :, 25:] = 8.0

    pet = take_pet(canvas, GRID, INNER, loud(), np.random.default_rng(0))

    assert pet.array.dtype == np.float32
    assert pet.array.min() >= 0
    assert pet.array[:, :, 3:18].std() == pytest.approx(0.2 * np.sqrt(2), rel=0.1)
    assert pet.array[:, :, 28:43].std() == pytest.approx(0.2 * np.sqrt(8), rel=0.1)


def test_ct_is_whole_hounsfield_units_with_noise_on_the_canvas_grid():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)
    canvas.hu[:] = 50.0
    canvas.hu[:, :, :5] = 9000.0

    ct = take_ct(canvas, GRID, loud(), np.random.default_rng(0))

    assert ct.array.dtype == np.int16
    assert ct.grid is GRID
    assert ct.array.max() == 3071
    assert ct.array[:, :, 10:].mean() == pytest.approx(50, abs=1)
    assert ct.array[:, :, 10:].std() == pytest.approx(15, rel=0.05)
    assert canvas.hu[0, 0, 10] == 50
