from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.preprocessing.geometry import box_of, covering, intersection, part_of, to_index
from mtsbench.volumes import Grid


def turned_about_z(degrees: float) -> tuple[float, ...]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)


OBLIQUE = Grid(
    size=(5, 6, 7),
    spacing=(3.0, 2.0, 1.5),
    origin=(10.0, -20.0, 30.0),
    direction=turned_about_z(30.0),
)


def test_a_box_reaches_half_a_voxel_beyond_the_outermost_centres():
    grid = Grid(size=(3, 4, 5), spacing=(3.0, 2.0, 1.0), origin=(100.0, 200.0, 300.0))

    low, high = box_of(grid)

    assert low.tolist() == [99.5, 199.0, 298.5]
    assert high.tolist() == [104.5, 207.0, 307.5]


def test_the_box_of_a_turned_square_is_its_bounding_square():
    grid = Grid(size=(1, 10, 10), spacing=(1.0, 1.0, 1.0), direction=turned_about_z(45.0))

    low, high = box_of(grid)

    assert high[:2] - low[:2] == pytest.approx([10 * math.sqrt(2)] * 2)


@given(index=st.tuples(*[st.floats(-50, 50)] * 3), degrees=st.floats(-180, 180))
def test_to_index_undoes_to_patient(index, degrees):
    grid = Grid(
        size=(4, 4, 4),
        spacing=(3.3, 0.7, 2.0),
        origin=(-7.0, 5.0, 900.0),
        direction=turned_about_z(degrees),
    )

    assert to_index(grid, grid.to_patient(index)) == pytest.approx(index, abs=1e-9)


def test_boxes_that_only_touch_share_nothing():
    first = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    beside = np.array([[1.0, 0.0, 0.0], [2.0, 1.0, 1.0]])
    overlapping = np.array([[0.5, -1.0, 0.25], [2.0, 1.0, 9.0]])

    assert intersection([first, beside]) is None
    shared = intersection([first, overlapping])
    assert shared is not None
    assert shared.tolist() == [[0.5, 0.0, 0.25], [1.0, 1.0, 1.0]]


def test_covering_selects_the_voxels_that_reach_into_the_box():
    grid = Grid(size=(10, 10, 10), spacing=(1.0, 1.0, 1.0))
    box = np.array([[2.6, -5.0, 0.4], [4.4, 50.0, 0.6]])

    depth, height, width = covering(grid, box)

    assert (depth, height, width) == (slice(0, 2), slice(0, 10), slice(3, 5))


def test_covering_adds_its_margin_inside_the_grid_only():
    grid = Grid(size=(10, 10, 10), spacing=(1.0, 1.0, 1.0))
    box = np.array([[4.6, 4.6, 0.0], [5.4, 5.4, 1.0]])

    assert covering(grid, box, (2, 1, 0)) == (slice(0, 4), slice(4, 7), slice(5, 6))


def test_covering_of_a_box_beside_the_grid_is_empty():
    grid = Grid(size=(4, 4, 4), spacing=(1.0, 1.0, 1.0))

    depth, _, _ = covering(grid, np.array([[0.0, 0.0, 100.0], [3.0, 3.0, 101.0]]))
    _, _, width = covering(grid, np.array([[-90.0, 0.0, 0.0], [-80.0, 3.0, 3.0]]))

    assert depth.stop == depth.start
    assert width.stop == width.start


def test_covering_an_oblique_grid_selects_every_voxel_whose_centre_is_in_the_box():
    box = np.array([[8.0, -16.0, 33.0], [14.0, -12.0, 40.0]])

    slices = covering(OBLIQUE, box)

    selected = np.zeros(OBLIQUE.size, dtype=bool)
    selected[slices] = True
    for index in np.ndindex(OBLIQUE.size):
        point = np.array(OBLIQUE.to_patient(index))
        if ((point > box[0]) & (point < box[1])).all():
            assert selected[index]
    assert not selected.all()


def test_a_part_keeps_its_voxels_where_they_were():
    part = part_of(OBLIQUE, (slice(1, 4), slice(2, 6), slice(3, 5)))

    assert part.size == (3, 4, 2)
    assert part.to_patient((2, 1, 1)) == pytest.approx(OBLIQUE.to_patient((3, 3, 4)))
