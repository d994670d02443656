from __future__ import annotations

import numpy as np
import pytest
from mtsbench_cohorts.npc_canvas import blank_canvas
from mtsbench_cohorts.npc_head import (
    SKULL_CENTRE,
    SKULL_RADII,
    WHOLE,
    _closeness,
    _outline,
    _shapes,
    _skull_box,
    paint_head,
)
from mtsbench_cohorts.npc_scanner import field_of_view

GRID = field_of_view((0.0, 0.0, 0.0), 212.0, (3.0, 2.5, 2.5))


@pytest.fixture(scope="module")
def head():
    canvas = blank_canvas(GRID, (0.0, 0.0, 0.0), 1.0)
    inside = paint_head(canvas, np.random.default_rng(5))
    return canvas, inside


def around(canvas, centre, reach=4.0):
    box = canvas.box(centre, (reach, reach, reach))
    return canvas.hu[box], canvas.suv[box]


@pytest.mark.parametrize(
    ("place", "centre", "hu", "suv"),
    [
        ("nasopharyngeal air", (0.0, -8.0, -4.0), (-1000, -950), (0, 0.1)),
        ("oropharyngeal air", (0.0, 8.0, -55.0), (-1000, -950), (0, 0.1)),
        ("left parotid", (48.0, 15.0, -24.0), (-60, 60), (0.8, 5)),
        ("right parotid", (-48.0, 15.0, -24.0), (-60, 60), (0.8, 5)),
        ("left submandibular gland", (31.0, -14.0, -66.0), (0, 100), (1, 6)),
        ("cerebral cortex", (0.0, -60.0, 70.0), (20, 45), (3, 14)),
        ("vertebral body", (0.0, 37.0, -70.0), (80, 1100), (0.4, 1.5)),
        ("left eye", (30.0, -69.0, 22.0), (10, 20), (0.3, 1)),
    ],
)
def test_anatomy_lies_where_it_belongs(head, place, centre, hu, suv):
    found_hu, found_suv = around(head[0], centre)

    assert hu[0] <= np.median(found_hu) <= hu[1], place
    assert suv[0] <= np.median(found_suv) <= suv[1], place


def test_disease_stays_below_the_skin(head):
    canvas, inside = head
    body = canvas.hu > -900

    assert not inside[canvas.z.ravel() > -60][:, -1].any()
    assert (body & ~inside).sum() > 0.05 * body.sum()
    assert np.median(canvas.hu[body & ~inside]) == -95


def test_bone_surrounds_the_brain(head):
    canvas, _ = head
    level = int(np.argmin(np.abs(canvas.z.ravel() - 70)))
    row = int(np.argmin(np.abs(canvas.y.ravel())))
    line, uptake = canvas.hu[level, row], canvas.suv[level, row]
    brain = np.flatnonzero(uptake > 2)
    bone = np.flatnonzero(line > 600)

    assert bone.min() < brain.min()
    assert bone.max() > brain.max()


def test_no_two_heads_are_alike():
    heads = []
    for seed in (1, 2):
        canvas = blank_canvas(GRID, (0.0, 0.0, 0.0), 1.0)
        paint_head(canvas, np.random.default_rng(seed))
        heads.append(canvas.hu)

    assert np.mean(heads[0] != heads[1]) > 0.02


@pytest.mark.parametrize("scale", [0.92, 1.0, 1.08])
def test_the_quick_outline_is_the_exact_one(scale):
    canvas = blank_canvas(GRID, (3.1, -4.2, 5.3), scale)
    closeness = _closeness(_shapes(canvas, WHOLE))

    body, inside = _outline(canvas)

    np.testing.assert_array_equal(body, closeness > 1)
    np.testing.assert_array_equal(inside, closeness > np.float32(0.84**-8))


@pytest.mark.parametrize("scale", [0.92, 1.0, 1.08])
def test_nothing_of_the_skull_lies_outside_its_box(scale):
    canvas = blank_canvas(GRID, (3.1, -4.2, 5.3), scale)
    skull = canvas.quadric(WHOLE, SKULL_CENTRE, SKULL_RADII) < 1

    skull[_skull_box(canvas)] = False

    assert not skull.any()
