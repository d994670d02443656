"""Nothing that a sealed cohort holds leads to its dataset."""

from __future__ import annotations

import gc
from types import FunctionType, ModuleType

import pytest

from mtsbench.audit.sealed import sealing
from mtsbench.data import LabelledCohort
from mtsbench.preprocessing import CaseCache, Preprocessing, PreprocessingSettings


@pytest.fixture
def labelled(tiny, tmp_path):
    dataset = tiny.TinyDataset(6)
    settings = PreprocessingSettings(size=(16, 16, 16), spacing=(4.0, 4.0, 4.0))
    cache = CaseCache(tmp_path, dataset, settings)
    requests = Preprocessing.requests(dataset, dataset.case_ids, settings)
    cache.prepare(requests, workers=1, progress=lambda done, total: None)
    fitted = Preprocessing.fit(cache, dataset, dataset.case_ids, settings)
    cohort = fitted.cohort(cache, dataset, dataset.case_ids[::-1], role="train", with_mask=True)
    return LabelledCohort(cohort=cohort, outcomes=dataset.outcomes("pfs").subset(cohort.case_ids))


def reachable(start) -> set[str]:
    """Class names of all that an object refers to, directly or not, but for modules and code."""
    seen, found, todo = set(), set(), [start]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType, FunctionType)):
            continue
        seen.add(id(one))
        found.add(type(one).__name__)
        todo += gc.get_referents(one)
    return found


def test_names_are_others_and_keep_their_order_and_cases(labelled):
    cohort = labelled.cohort
    with sealing(cohort.case_ids) as sealed:
        closed = sealed.labelled(labelled)

        assert closed.cohort.case_ids == tuple(f"sealed-{number}" for number in range(6))[::-1]
        assert closed.outcomes.time.tolist() == labelled.outcomes.time.tolist()
        for row, name in enumerate(closed.cohort.case_ids):
            assert closed.cohort[row].case_id == name
            assert (closed.cohort[row].image == cohort[row].image).all()
            native = closed.cohort.read_native(name)
            assert native.clinical == cohort.read_native(cohort.case_ids[row]).clinical
            assert native.case_id == name


def test_the_dataset_can_be_reached_from_a_cohort_but_not_from_a_sealed_one(labelled):
    assert "TinyDataset" in reachable(labelled.cohort)
    with sealing(labelled.cohort.case_ids) as sealed:
        assert "TinyDataset" not in reachable(sealed.labelled(labelled))


def test_a_sealed_cohort_ends_with_its_block(labelled):
    with sealing(labelled.cohort.case_ids) as sealed:
        closed = sealed.cohort(labelled.cohort)

    with pytest.raises(KeyError):
        closed[0]
