from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from mtsbench_cohorts.npc_factors import Node, Patient, draw_patient, generator

PATIENTS = [draw_patient(7, index) for index in range(2000)]


def patient(**changes):
    values = dict(
        centre="A",
        volume=35.0,
        uptake=7.0,
        heterogeneity=0.3,
        invasion=1.5,
        nodes=(),
        age=50,
        sex="male",
        t_stage="T3",
        n_stage="N0",
        stage="III",
    )
    return Patient(**(values | changes))


def test_a_patient_is_a_function_of_seed_and_number():
    assert draw_patient(7, 3) == PATIENTS[3]
    assert draw_patient(7, 4) != PATIENTS[3]
    assert draw_patient(8, 3) != PATIENTS[3]


def test_streams_of_one_case_do_not_share_numbers():
    draws = [generator(7, 3, stream).random() for stream in range(4)]

    assert len(set(draws)) == 4


def test_nodal_burden_is_the_log_of_total_volume_times_uptake():
    nodes = (
        Node(station="II", side=1, volume=2.0, uptake=5.0),
        Node(station="III", side=-1, volume=3.0, uptake=4.0),
    )

    assert patient(nodes=nodes).nodal_burden == pytest.approx(math.log(23.0))
    assert patient().nodal_burden == 0


def test_factors_are_in_their_own_units():
    assert patient(stage="IVA").factors() == {
        "log_volume": math.log(35.0),
        "uptake_heterogeneity": 0.3,
        "invasion": 1.5,
        "nodal_burden": 0.0,
        "age": 50.0,
        "stage": 1.0,
    }


def test_volumes_uptakes_and_ages_are_plausible():
    volume = np.array([one.volume for one in PATIENTS])
    uptake = np.array([one.uptake for one in PATIENTS])
    age = np.array([one.age for one in PATIENTS])

    assert volume.min() >= 8
    assert volume.max() <= 150
    assert 32 < np.median(volume) < 38
    assert uptake.min() >= 4
    assert uptake.max() <= 14
    assert age.min() >= 18
    assert age.max() <= 80
    assert 0.67 < np.mean([one.sex == "male" for one in PATIENTS]) < 0.77


def test_one_patient_in_ten_has_no_involved_node():
    counts = Counter(len(one.nodes) for one in PATIENTS)

    assert max(counts) <= 8
    assert 0.07 < counts[0] / len(PATIENTS) < 0.13


def test_every_patient_is_staged_as_advanced_and_as_ajcc_says():
    for one in PATIENTS:
        assert one.stage == ("IVA" if one.t_stage == "T4" or one.n_stage == "N3" else "III")
        assert one.t_stage in ("T3", "T4") or one.n_stage in ("N2", "N3")
        assert (one.n_stage == "N0") == (not one.nodes)
    assert 0.28 < np.mean([one.stage == "IVA" for one in PATIENTS]) < 0.38


def test_stages_follow_extent_and_nodes():
    t4 = [one.invasion for one in PATIENTS if one.t_stage == "T4"]
    t2 = [one.invasion for one in PATIENTS if one.t_stage == "T2"]
    n3 = [one.nodal_burden for one in PATIENTS if one.n_stage == "N3"]
    n1 = [one.nodal_burden for one in PATIENTS if one.n_stage == "N1"]

    assert np.mean(t4) > np.mean(t2) + 0.1
    assert np.mean(n3) > np.mean(n1) + 1
