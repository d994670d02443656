from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mtsbench.errors import DataError
from mtsbench.volumes import Grid, Volume, bounding_box, from_sitk, to_sitk

lengths = st.floats(0.5, 5.0)
places = st.floats(-200.0, 200.0)


@st.composite
def grids(draw) -> Grid:
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    return Grid(
        size=draw(st.tuples(*[st.integers(1, 6)] * 3)),
        spacing=draw(st.tuples(lengths, lengths, lengths)),
        origin=draw(st.tuples(places, places, places)),
        direction=tuple(Rotation.from_euler("xyz", angles, degrees=True).as_matrix().ravel()),
    )


def volume(grid: Grid) -> Volume:
    return Volume(
        array=np.arange(np.prod(grid.size), dtype=np.float32).reshape(grid.size), grid=grid
    )


def test_an_array_of_another_shape_than_its_grid_is_refused():
    with pytest.raises(DataError, match=r"shape \(4, 3, 2\) but its grid has size \(2, 3, 4\)"):
        Volume(array=np.zeros((4, 3, 2)), grid=Grid(size=(2, 3, 4), spacing=(1.0, 1.0, 1.0)))


@settings(deadline=None)
@given(grid=grids())
def test_a_volume_survives_the_way_through_simpleitk(grid):
    back = from_sitk(to_sitk(volume(grid)))

    assert back.grid.size == grid.size
    assert back.grid.same_space(grid, tolerance=1e-9)
    np.testing.assert_array_equal(back.array, volume(grid).array)


@settings(deadline=None)
@given(grid=grids(), index=st.tuples(*[st.floats(-3, 9)] * 3))
def test_patient_coordinates_are_those_of_simpleitk(grid, index):
    expected = to_sitk(volume(grid)).TransformContinuousIndexToPhysicalPoint(index[::-1])

    np.testing.assert_allclose(grid.to_patient(index), expected, atol=1e-6)


def test_the_centre_lies_between_the_middle_voxels():
    grid = Grid(size=(2, 3, 5), spacing=(4.0, 2.0, 1.0), origin=(10.0, 20.0, 30.0))

    assert grid.centre() == (12.0, 22.0, 32.0)


def test_a_mask_of_bool_becomes_uint8_in_simpleitk():
    grid = Grid(size=(2, 2, 2), spacing=(1.0, 1.0, 1.0))
    mask = np.zeros(grid.size, np.bool_)
    mask[1, 0, 1] = True

    back = from_sitk(to_sitk(Volume(array=mask, grid=grid)))

    assert back.array.dtype == np.uint8
    np.testing.assert_array_equal(back.array, mask)


@pytest.mark.parametrize(
    "other",
    [
        Grid(size=(2, 3, 5), spacing=(3.0, 2.0, 1.0)),
        Grid(size=(2, 3, 4), spacing=(3.0, 2.0, 1.1)),
        Grid(size=(2, 3, 4), spacing=(3.0, 2.0, 1.0), origin=(0.0, 0.0, 0.5)),
        Grid(
            size=(2, 3, 4),
            spacing=(3.0, 2.0, 1.0),
            direction=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        ),
    ],
)
def test_grids_that_differ_in_one_thing_are_not_the_same_space(other):
    grid = Grid(size=(2, 3, 4), spacing=(3.0, 2.0, 1.0))

    assert not grid.same_space(other)
    assert grid.same_space(Grid(size=(2, 3, 4), spacing=(3.0, 2.0, 1.0), origin=(1e-5, 0.0, 0.0)))


@pytest.mark.parametrize("kind", [np.bool_, np.uint8])
def test_a_bounding_box_is_the_smallest_that_holds_the_mask(kind):
    mask = np.zeros((5, 6, 7), kind)
    mask[1, 2, 3] = mask[3, 0, 4] = 1

    assert bounding_box(mask) == (slice(1, 4), slice(0, 3), slice(3, 5))
    assert bounding_box(np.ones((2, 3, 4), kind)) == (slice(0, 2), slice(0, 3), slice(0, 4))
