from __future__ import annotations

import pytest

from mtsbench.benchmark import training_part
from mtsbench.plugins import load_components


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    pytest.importorskip("mtsbench_cohorts")
    pytest.importorskip("mtsbench_radiomics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_part, "CASES", 12)
        yield training_part.prepare(
            "volume",
            load_components(),
            tmp_path_factory.mktemp("cache"),
            voxels=16,
            device="cpu",
            batch=4,
            settings={"ridge": "0.5"},
        )


def test_the_training_patients_of_a_fold_have_the_size_that_was_asked_for(part):
    case = part.cohort.cohort[0]

    assert case.image.shape == (2, 16, 16, 16)
    assert case.grid.spacing == (12.0, 12.0, 12.0)
    assert case.mask is not None
    assert 2 < len(part.cohort) < 12
    assert part.cohort.outcomes.event.any()
    assert not part.cohort.outcomes.event.all()


def test_batch_and_options_reach_the_model(part):
    assert part.context.training.batch_size == 4
    assert part.context.device == "cpu"
    assert part.experiment.model_options["ridge"] == 0.5


def test_patients_in_memory_are_the_same_and_leave_nothing_behind(part):
    kept = training_part.native_in_memory(part.cohort)
    case_id = kept.cohort.case_ids[0]

    assert kept.cohort.read_native(case_id) is kept.cohort.read_native(case_id)
    assert kept.cohort.read_native(case_id).case_id == case_id
    assert kept.cohort.cache_folder is None


def test_some_rows_keep_their_outcomes(part):
    some = training_part.rows(part.cohort, slice(1, 3))

    assert some.cohort.case_ids == part.cohort.cohort.case_ids[1:3]
    assert some.outcomes.time.tolist() == part.cohort.outcomes.time[1:3].tolist()
