from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from mtsbench.errors import DataError
from mtsbench.preprocessing import PreprocessingSettings, native_probability
from mtsbench.preprocessing.resampling import common_grid, resample_image, resample_mask
from mtsbench.volumes import Grid, Volume

SLOPE = np.array([0.7, -1.3, 2.1])


def turned(degrees_z: float, degrees_x: float) -> tuple[float, ...]:
    cz, sz = math.cos(math.radians(degrees_z)), math.sin(math.radians(degrees_z))
    cx, sx = math.cos(math.radians(degrees_x)), math.sin(math.radians(degrees_x))
    about_z = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    return tuple((about_z @ about_x).ravel().tolist())


def points_of(grid: Grid) -> np.ndarray:
    """(D, H, W, 3) the patient position of every voxel."""
    d, h, w = np.indices(grid.size)
    steps = np.stack([w, h, d], axis=-1) * np.array(grid.spacing)[::-1]
    return np.array(grid.origin) + steps @ np.reshape(grid.direction, (3, 3)).T


def ramp(grid: Grid) -> Volume:
    """A volume whose value is a linear function of the patient position."""
    array = points_of(grid) @ SLOPE + 40.0
    return Volume(array=array.astype(np.float32), grid=grid)


def ball(grid: Grid, centre: tuple[float, float, float], radius: float) -> Volume:
    inside = np.linalg.norm(points_of(grid) - np.array(centre), axis=-1) <= radius
    return Volume(array=inside.astype(np.uint8), grid=grid)


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.count_nonzero(first & second) / (first.sum(dtype=int) + second.sum(dtype=int))


def test_the_common_grid_lies_along_the_patient_axes_around_its_centre():
    settings_ = PreprocessingSettings(size=(4, 6, 9), spacing=(3.0, 2.0, 1.5))

    grid = common_grid((10.0, -20.0, 30.0), settings_)

    assert grid.centre() == pytest.approx((10.0, -20.0, 30.0))
    assert grid.size == (4, 6, 9)
    assert grid.spacing == (3.0, 2.0, 1.5)
    assert grid.direction == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@example(degrees_z=1.0, degrees_x=2e-311, spacing=(2.0, 2.0, 3.0), shift=(0.0, 0.0, 0.0))
@settings(max_examples=20, deadline=None)
@given(
    degrees_z=st.floats(-60, 60),
    degrees_x=st.floats(-60, 60),
    spacing=st.tuples(*[st.floats(1.9, 3.0)] * 3),
    shift=st.tuples(*[st.floats(-3, 3)] * 3),
)
def test_a_linear_ramp_is_reproduced_exactly_whatever_the_direction(
    degrees_z, degrees_x, spacing, shift
):
    direction = turned(degrees_z, degrees_x)
    first = Grid(size=(20, 20, 20), spacing=spacing, direction=direction)
    # Centred on the origin, so that a target of 16 mm lies well inside however it is turned.
    origin = -np.array(first.centre())
    source = Grid(size=first.size, spacing=spacing, origin=tuple(origin), direction=direction)
    target = Grid(
        size=(6, 7, 8), spacing=(2.0, 2.1, 2.0), origin=tuple(np.array(shift) - [7.0, 6.3, 5.0])
    )

    result = resample_image(ramp(source), target, outside=-999.0)

    np.testing.assert_allclose(result, ramp(target).array, atol=1e-3)


def test_a_linear_ramp_survives_smoothing_in_the_interior():
    source = Grid(size=(60, 60, 60), spacing=(1.0, 1.0, 1.0), direction=turned(20.0, 0.0))
    target = Grid(size=(4, 4, 4), spacing=(4.0, 4.0, 4.0), origin=(2.0, 30.0, 22.0))

    result = resample_image(ramp(source), target, outside=0.0)

    np.testing.assert_allclose(result, ramp(target).array, atol=1e-2)


def test_a_physical_point_keeps_its_value_on_grids_of_other_origin_and_spacing():
    pet = Grid(size=(20, 14, 14), spacing=(3.27, 5.47, 5.47), origin=(-31.0, -18.0, 4.0))
    ct = Grid(size=(22, 40, 36), spacing=(3.0, 1.95, 1.95), origin=(-27.5, -21.3, 1.7))
    target = Grid(size=(8, 8, 8), spacing=(4.0, 4.0, 4.0), origin=(-10.0, 2.0, 20.0))

    from_pet = resample_image(ramp(pet), target, outside=0.0)
    from_ct = resample_image(ramp(ct), target, outside=0.0)

    np.testing.assert_allclose(from_pet, from_ct, atol=1e-2)
    np.testing.assert_allclose(from_pet, ramp(target).array, atol=1e-3)


def test_outside_of_the_volume_is_the_outside_value():
    source = Volume(
        array=np.full((4, 4, 4), 50, np.int16), grid=Grid(size=(4,) * 3, spacing=(1,) * 3)
    )
    target = Grid(size=(1, 1, 8), spacing=(1.0, 1.0, 1.0), origin=(-2.0, 1.0, 1.0))

    result = resample_image(source, target, outside=-1024.0)

    assert result[0, 0].tolist() == [-1024, -1024, 50, 50, 50, 50, -1024, -1024]


def test_a_target_beside_the_volume_is_all_outside():
    source = Volume(array=np.ones((4, 4, 4)), grid=Grid(size=(4,) * 3, spacing=(1.0,) * 3))
    target = Grid(size=(2, 2, 2), spacing=(1.0, 1.0, 1.0), origin=(500.0, 0.0, 0.0))

    assert (resample_image(source, target, outside=-1024.0) == -1024.0).all()


def test_only_the_needed_part_is_read_yet_the_result_is_that_of_the_whole():
    rng = np.random.default_rng(3)
    grid = Grid(size=(64, 64, 64), spacing=(1.0, 1.0, 1.0))
    array = rng.normal(size=grid.size)
    target = Grid(size=(3, 3, 3), spacing=(4.0, 1.2, 2.0), origin=(30.0, 31.0, 28.0))

    result = resample_image(Volume(array=array, grid=grid), target, outside=0.0)

    whole = array
    for axis, sigma in ((0, 2.0), (2, 1.0)):
        whole = gaussian_filter1d(whole, sigma, axis=axis, mode="nearest", truncate=4.0)
    heights = [31.0, 32.2, 33.4]
    for row, height in enumerate(heights):
        below, share = int(height), height - int(height)
        expected = (1 - share) * whole[[28, 32, 36], below] + share * whole[[28, 32, 36], below + 1]
        np.testing.assert_allclose(result[:, row], expected[:, [30, 32, 34]], atol=1e-5)


@pytest.mark.parametrize(("factor", "smooths"), [(1.5, False), (1.6, True)])
def test_smoothing_starts_above_one_and_a_half(factor, smooths):
    array = np.zeros((9, 9, 9), dtype=np.float32)
    array[4, 4, 4] = 1.0
    source = Volume(array=array, grid=Grid(size=(9, 9, 9), spacing=(2.0, 2.0, 2.0)))
    step = 2.0 * factor
    target = Grid(size=(1, 1, 1), spacing=(step, step, step), origin=(8.0, 8.0, 8.0))

    centre_value = resample_image(source, target, outside=0.0)[0, 0, 0]

    assert (centre_value < 0.99) == smooths


def test_a_fine_checkerboard_becomes_grey_instead_of_aliasing():
    indices = np.indices((40, 40, 40)).sum(axis=0)
    source = Volume(
        array=(indices % 2).astype(np.float32), grid=Grid(size=(40, 40, 40), spacing=(1.0,) * 3)
    )
    target = Grid(size=(4, 4, 4), spacing=(4.0, 4.0, 4.0), origin=(14.0, 14.0, 14.0))

    result = resample_image(source, target, outside=0.0)

    np.testing.assert_allclose(result, 0.5, atol=0.01)


@pytest.mark.parametrize(
    ("axis", "coarse"), [(0, (1.0, 1.0, 4.0)), (1, (4.0, 1.0, 1.0)), (2, (1.0, 4.0, 1.0))]
)
def test_smoothing_follows_the_axes_of_a_turned_volume(axis, coarse):
    # The source's D, H, W axes are the patient's x, z, y axes: a sheet across one of them is
    # blurred by a target that is coarse (D, H, W = z, y, x) along that patient axis only.
    array = np.zeros((21, 21, 21), dtype=np.float32)
    np.moveaxis(array, axis, 0)[10] = 1.0
    direction = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    grid = Grid(size=(21, 21, 21), spacing=(1.0, 1.0, 1.0), direction=direction)
    source = Volume(array=array, grid=grid)

    for spacing in ((1.0, 1.0, 4.0), (4.0, 1.0, 1.0), (1.0, 4.0, 1.0)):
        target = Grid(size=(1, 1, 1), spacing=spacing, origin=(10.0, 10.0, 10.0))
        middle = resample_image(source, target, outside=0.0).item()
        assert middle == pytest.approx(1.0) if spacing != coarse else middle < 0.5


@pytest.mark.parametrize("spacing", [1.0, 2.0, 3.0])
def test_a_mask_comes_back_from_the_common_grid_almost_unchanged(spacing):
    native = Grid(
        size=(40, 50, 50), spacing=(3.0, 1.5, 1.5), origin=(-40, -30, 7), direction=turned(10, 5)
    )
    centre = native.to_patient((20, 25, 25))
    mask = ball(native, centre, radius=22.0)
    count = int(64 / spacing)
    target = common_grid(centre, PreprocessingSettings(size=(count,) * 3, spacing=(spacing,) * 3))

    cropped = resample_mask(mask, target)
    back = native_probability(cropped.astype(np.float32), target, native) > 0.5

    assert cropped.dtype == np.uint8
    assert set(np.unique(cropped)) == {0, 1}
    assert dice(back, mask.array.astype(bool)) > 0.95


def test_a_coarse_mask_keeps_its_volume():
    native = Grid(size=(60, 60, 60), spacing=(1.0, 1.0, 1.0))
    mask = ball(native, (29.5, 29.5, 29.5), radius=15.0)
    volumes = []
    for shift in range(6):
        target = Grid(size=(10,) * 3, spacing=(6.0,) * 3, origin=(float(shift),) * 3)
        volumes.append(6.0**3 * resample_mask(mask, target).sum())

    assert np.mean(volumes) == pytest.approx(mask.array.sum(), rel=0.1)


def test_a_native_probability_is_linear_inside_and_zero_outside():
    grid = Grid(size=(10, 10, 10), spacing=(2.0, 2.0, 2.0), origin=(10.0, 10.0, 10.0))
    probability = np.broadcast_to(np.arange(10, dtype=np.float32) / 10, grid.size).copy()
    native = Grid(size=(3, 50, 50), spacing=(5.0, 1.0, 1.0), origin=(0.0, 0.0, 15.0))

    result = native_probability(probability, grid, native)

    assert result.dtype == np.float32
    assert result.shape == native.size
    np.testing.assert_allclose(result[0, 20, 10:29], np.arange(19) / 20, atol=1e-6)
    assert (result[0, :9] == 0).all()
    assert (result[0, 30:] == 0).all()
    assert (result[:, :, :9] == 0).all()


def test_an_oblique_native_grid_gets_one_inside_and_zero_outside():
    grid = Grid(size=(8, 8, 8), spacing=(2.0, 2.0, 2.0))
    native = Grid(
        size=(12, 30, 30), spacing=(1.5, 1.0, 1.0), origin=(8, -12, -3), direction=turned(40, 20)
    )

    result = native_probability(np.ones(grid.size, np.float32), grid, native)

    points = points_of(native)
    inside = ((points > -0.999) & (points < 14.999)).all(axis=-1)
    outside = ((points < -1.001) | (points > 15.001)).any(axis=-1)
    assert (result[inside] == 1.0).all()
    assert (result[outside] == 0.0).all()
    assert inside.sum() > 1000
    assert outside.sum() > 1000


def test_a_native_grid_elsewhere_gets_probability_zero():
    grid = Grid(size=(4, 4, 4), spacing=(1.0, 1.0, 1.0))
    native = Grid(size=(2, 3, 4), spacing=(1.0, 1.0, 1.0), origin=(900.0, 0.0, 0.0))

    result = native_probability(np.ones((4, 4, 4), np.float32), grid, native)

    assert result.shape == (2, 3, 4)
    assert not result.any()


def test_a_probability_of_another_size_is_refused():
    grid = Grid(size=(4, 4, 4), spacing=(1.0, 1.0, 1.0))

    with pytest.raises(DataError, match=r"shape \(2, 2, 2\) but its grid has size \(4, 4, 4\)"):
        native_probability(np.ones((2, 2, 2), np.float32), grid, grid)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (25.0, -25.0, 25.0), (-30.0, 4.0, 11.0)])
@pytest.mark.parametrize("degrees", [0.0, 20.0])
def test_a_mask_is_resampled_like_an_image(centre, degrees):
    grid = Grid(
        size=(26, 30, 28),
        spacing=(2.5, 2.0, 2.0),
        origin=(-27.0, -29.0, -31.0),
        direction=turned(degrees, degrees / 2),
    )
    mask = ball(grid, centre, 9.0)
    target = Grid(size=(12, 12, 12), spacing=(6.0, 6.0, 6.0), origin=(-33.0, -33.0, -33.0))

    found = resample_mask(mask, target)

    assert mask.array.any()
    np.testing.assert_array_equal(found, resample_image(mask, target, outside=0.0) >= 0.5)
