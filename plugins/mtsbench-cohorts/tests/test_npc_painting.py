from __future__ import annotations

import math

import numpy as np
import pytest
from mtsbench_cohorts.npc_factors import draw_patient
from mtsbench_cohorts.npc_painting import paint_patient
from mtsbench_cohorts.npc_scanner import SCANNERS

COUNT = 20


@pytest.fixture(scope="module")
def painted():
    patients = [draw_patient(2, index) for index in range(COUNT)]
    return [(one, paint_patient(2, index, one)) for index, one in enumerate(patients)]


def test_what_is_painted_is_what_the_hazard_knows(painted):
    for patient, painting in painted:
        canvas, factors = painting.canvas, patient.factors()
        uptake = canvas.suv[painting.primary].astype(np.float64)
        burden = canvas.suv[painting.nodes].sum() * canvas.voxel_volume

        volume = painting.primary.sum() * canvas.voxel_volume
        assert math.log(volume) == pytest.approx(factors["log_volume"], abs=2e-3)
        assert uptake.std() / uptake.mean() == pytest.approx(
            factors["uptake_heterogeneity"], rel=2e-3
        )
        assert math.log1p(burden) == pytest.approx(factors["nodal_burden"], abs=0.02)


def test_nodes_are_no_part_of_the_primary(painted):
    assert all(not (painting.nodes & painting.primary).any() for _, painting in painted)
    assert any(painting.nodes.any() for _, painting in painted)


def test_disease_lies_in_the_field_of_view_that_a_model_sees(painted):
    for _, painting in painted:
        centre = painting.ct_grid.centre()
        indices = np.argwhere(painting.primary | painting.nodes)
        corners = [tuple(indices.min(axis=0)), tuple(indices.max(axis=0))]
        places = [painting.ct_grid.to_patient(corner) for corner in corners]
        assert np.abs(np.subtract(places, centre)).max() < 96


def test_the_primary_is_near_the_middle_of_the_field_but_not_in_it(painted):
    offsets = []
    for _, painting in painted:
        centroid = painting.ct_grid.to_patient(tuple(np.argwhere(painting.primary).mean(axis=0)))
        offsets.append(np.subtract(centroid, painting.ct_grid.centre()))

    assert np.abs(offsets).max() < 20
    assert (np.std(offsets, axis=0) > 2).all()


def test_hospitals_have_their_own_grids(painted):
    for patient, painting in painted:
        assert painting.ct_grid.spacing == SCANNERS[patient.centre].ct_spacing
        assert painting.pet_grid.spacing == SCANNERS[patient.centre].pet_spacing
    assert {patient.centre for patient, _ in painted} == {"A", "B"}
