from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mtsbench_cohorts.npc_canvas import blank_canvas
from mtsbench_cohorts.npc_disease import GAP, _keep_clear, paint_nodes, paint_primary
from mtsbench_cohorts.npc_factors import Node, draw_patient
from mtsbench_cohorts.npc_scanner import field_of_view
from scipy.ndimage import distance_transform_edt, label

GRID = field_of_view((0.0, 0.0, 0.0), 200.0, (2.5, 2.0, 2.0))
PATIENT = draw_patient(1, 0)
EVERYWHERE = np.ones(GRID.size, dtype=np.bool_)
NODES = (
    Node(station="II", side=1, volume=9.0, uptake=6.0),
    Node(station="II", side=1, volume=15.0, uptake=4.0),
    Node(station="III", side=-1, volume=0.7, uptake=3.0),
)


def soft_tissue():
    canvas = blank_canvas(GRID, (0.0, 0.0, 0.0), 1.0)
    canvas.hu[:], canvas.suv[:] = 50.0, 0.7
    return canvas


def primary(patient, seed=0, inside=EVERYWHERE):
    canvas = soft_tissue()
    random = np.random.default_rng(seed)
    return canvas, paint_primary(canvas, inside, patient, (5.0, 0.0, 0.0), random)


@pytest.mark.parametrize("volume", [8.0, 35.0, 150.0])
@pytest.mark.parametrize("invasion", [1.12, 1.5, 1.95])
def test_the_mask_has_the_patients_volume(volume, invasion):
    canvas, mask = primary(replace(PATIENT, volume=volume, invasion=invasion))

    assert mask.sum() * canvas.voxel_volume == pytest.approx(volume, abs=canvas.voxel_volume)


@pytest.mark.parametrize("heterogeneity", [0.06, 0.33, 0.6])
@pytest.mark.parametrize("volume", [8.0, 35.0, 150.0])
def test_uptake_has_the_patients_mean_and_variation(heterogeneity, volume):
    patient = replace(PATIENT, heterogeneity=heterogeneity, volume=volume, uptake=7.0)

    canvas, mask = primary(patient)

    uptake = canvas.suv[mask].astype(np.float64)
    assert uptake.mean() == pytest.approx(7.0, rel=1e-3)
    assert uptake.std() / uptake.mean() == pytest.approx(heterogeneity, rel=1e-3)
    assert uptake.min() > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_more_invasive_primary_reaches_farther_at_equal_volume(seed):
    reach = []
    for invasion in (1.15, 1.5, 1.9):
        canvas, mask = primary(replace(PATIENT, volume=35.0, invasion=invasion), seed=seed)
        indices = np.argwhere(mask)
        z, y, x = (
            axis.ravel()[column]
            for axis, column in zip((canvas.z, canvas.y, canvas.x), indices.T, strict=True)
        )
        radius = (0.75 / np.pi * 35000) ** (1 / 3)
        reach.append(np.sqrt((x - 5) ** 2 + y**2 + z**2).max() / radius)

    assert reach == pytest.approx([1.15, 1.5, 1.9], rel=0.12)
    assert reach[0] < reach[1] < reach[2]


def test_the_primary_is_one_piece():
    for seed in range(5):
        _, mask = primary(replace(PATIENT, invasion=1.9), seed=seed)
        pieces, _ = label(mask)
        assert np.bincount(pieces.ravel())[1:].max() > 0.99 * mask.sum()


def test_the_primary_stays_inside_and_keeps_its_volume():
    inside = EVERYWHERE.copy()
    inside[:, :, 55:] = False
    patient = replace(PATIENT, volume=100.0)

    canvas, mask = primary(patient, inside=inside)

    assert not mask[~inside].any()
    assert mask.sum() * canvas.voxel_volume == pytest.approx(100.0, abs=canvas.voxel_volume)


def test_nodes_have_their_volume_and_uptake():
    canvas = soft_tissue()
    before = canvas.suv.copy()

    painted = paint_nodes(canvas, EVERYWHERE, NODES, ~EVERYWHERE, np.random.default_rng(0))

    assert ((canvas.suv != before) == painted).all()
    for node in NODES:
        volume = (painted & (canvas.suv == node.uptake)).sum() * canvas.voxel_volume
        assert volume == pytest.approx(node.volume, abs=canvas.voxel_volume)


def test_nodes_keep_their_distance_from_a_primary_at_their_station():
    canvas = soft_tissue()
    station = canvas.quadric((slice(None),) * 3, (37.0, 12.0, -40.0), (12.0, 12.0, 12.0)) < 1

    painted = paint_nodes(canvas, EVERYWHERE, NODES[:2], station, np.random.default_rng(0))

    assert distance_transform_edt(~station, sampling=canvas.spacing)[painted].min() > GAP
    assert painted.sum() * canvas.voxel_volume == pytest.approx(24.0, abs=0.02)


def test_nodes_avoid_bone_and_what_is_outside():
    canvas = soft_tissue()
    bone = canvas.quadric((slice(None),) * 3, (37.0, 12.0, -40.0), (9.0, 9.0, 9.0)) < 1
    canvas.hu[bone] = 900
    inside = EVERYWHERE & (canvas.x < 40)

    painted = paint_nodes(canvas, inside, NODES[:1], ~EVERYWHERE, np.random.default_rng(0))

    assert not (painted & bone).any()
    assert not (painted & ~inside).any()


def test_nodes_lie_in_the_neck_on_their_side():
    canvas = soft_tissue()
    left = (replace(NODES[0], side=1),)

    painted = paint_nodes(canvas, EVERYWHERE, left, ~EVERYWHERE, np.random.default_rng(0))

    d, _, w = np.argwhere(painted).mean(axis=0)
    x, _, z = GRID.to_patient((d, 0, w))
    assert x > 15
    assert -70 < z < -20


def test_a_patient_without_nodes_gets_none():
    canvas = soft_tissue()

    assert not paint_nodes(canvas, EVERYWHERE, (), ~EVERYWHERE, np.random.default_rng(0)).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_about_a_primary_is_that_of_the_whole_image(seed):
    random = np.random.default_rng(seed)
    canvas = soft_tissue()
    centre = tuple(random.uniform(-90, 90, 3))
    mask = canvas.quadric((slice(None),) * 3, centre, tuple(random.uniform(8, 40, 3))) < 1
    free = random.random(mask.shape) < 0.8
    expected = free & (distance_transform_edt(~mask, sampling=canvas.spacing) > GAP)

    _keep_clear(free, mask, canvas.spacing)

    np.testing.assert_array_equal(free, expected)
