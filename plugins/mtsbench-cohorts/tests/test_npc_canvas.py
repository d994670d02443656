from __future__ import annotations

import numpy as np
import pytest
from mtsbench_cohorts.npc_canvas import Tissue, blank_canvas, random_field

from mtsbench.volumes import Grid

GRID = Grid(size=(20, 24, 28), spacing=(3.0, 2.0, 1.5), origin=(-10.0, 30.0, 100.0))


def test_head_coordinates_are_mm_from_the_nasopharynx_over_the_scale():
    canvas = blank_canvas(GRID, (5.0, 40.0, 120.0), 1.25)
    x, y, z = GRID.to_patient((3, 4, 5))

    found = canvas.x[0, 0, 5], canvas.y[0, 4, 0], canvas.z[3, 0, 0]

    assert found == pytest.approx(((x - 5) / 1.25, (y - 40) / 1.25, (z - 120) / 1.25))
    assert canvas.voxel_volume == pytest.approx(0.009)


def test_an_ellipsoid_has_its_volume_and_tissue():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)

    canvas.ellipsoid((1.0, -2.0, 3.0), (12.0, 15.0, 18.0), Tissue(hu=40.0, suv=2.0))

    inside = canvas.suv == 2
    expected = 4 / 3 * np.pi * 12 * 15 * 18 / 1000
    assert inside.sum() * canvas.voxel_volume == pytest.approx(expected, rel=0.02)
    assert (canvas.hu[inside] == 40).all()
    assert (canvas.hu[~inside] == -1000).all()
    middle = GRID.to_patient(tuple(np.argwhere(inside).mean(axis=0)))
    assert np.subtract(middle, GRID.centre()) == pytest.approx([1, -2, 3], abs=0.3)


def test_an_ellipsoid_beside_the_canvas_paints_nothing():
    canvas = blank_canvas(GRID, GRID.centre(), 1.0)

    canvas.ellipsoid((500.0, 0.0, 0.0), (12.0, 15.0, 18.0), Tissue(hu=40.0, suv=2.0))

    assert (canvas.hu == -1000).all()


def test_a_random_field_is_standardised_and_smooth_to_its_scale():
    field = random_field(np.random.default_rng(0), (40, 40, 40), (1.0, 2.0, 4.0))

    assert field.mean() == pytest.approx(0, abs=1e-5)
    assert field.std() == pytest.approx(1, abs=1e-5)
    # Smoothing by sigma leaves the correlation exp(-1/4) at a distance of sigma.
    for axis, sigma in enumerate((1, 2, 4)):
        correlation = float((field * np.roll(field, sigma, axis=axis)).mean())
        assert correlation == pytest.approx(np.exp(-0.25), abs=0.06)
