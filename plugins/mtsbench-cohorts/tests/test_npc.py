from __future__ import annotations

import pytest
from mtsbench_cohorts.npc import build_npc
from mtsbench_cohorts.npc_folder import NpcFolder
from mtsbench_cohorts.npc_simulated import SimulatedNpc

from mtsbench.errors import DataError, OptionError


def test_without_a_folder_the_cohort_is_simulated():
    dataset = build_npc(None, cases=12, cohort_seed=3, test_centre="pet-uptake")

    assert isinstance(dataset, SimulatedNpc)
    assert dataset.simulated
    assert len(dataset.case_ids) == 12
    assert dataset.cohort_seed == 3
    assert dataset.test_centre == "pet-uptake"
    assert len(build_npc(None).case_ids) == 150


def test_a_folder_is_never_replaced_by_a_simulation(tmp_path):
    with pytest.raises(DataError, match=r"no folder .*gone"):
        build_npc(tmp_path / "gone")


def test_a_folder_is_read(tmp_path):
    (tmp_path / "clinical.csv").write_text("case_id\n")
    (tmp_path / "a").mkdir()
    for name in ("pet.nii.gz", "ct.nii.gz"):
        (tmp_path / "a" / name).touch()

    dataset = build_npc(tmp_path, test_centre="pet-uptake")

    assert isinstance(dataset, NpcFolder)
    assert dataset.test_centre == "pet-uptake"


@pytest.mark.parametrize("options", [{"cases": 20}, {"cohort_seed": 1}])
def test_options_of_the_simulation_are_refused_with_a_folder(tmp_path, options):
    with pytest.raises(OptionError, match=r"belong to the simulated cohort, but --data-root .*"):
        build_npc(tmp_path, **options)
