from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.data import Outcomes
from mtsbench.engine.batches import (
    Batch,
    draw_training_rows,
    in_chunks,
    read_targets,
)
from mtsbench.engine.sources import StreamedCohort
from mtsbench.errors import DataError


def outcomes(event) -> Outcomes:
    count = len(event)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"P{number}" for number in range(count)),
        time=np.arange(1.0, count + 1),
        event=np.array(event, dtype=np.bool_),
    )


@given(
    event=st.lists(st.booleans(), min_size=2, max_size=30).filter(lambda e: len(set(e)) == 2),
    batch_size=st.integers(2, 17),
    seed=st.integers(0, 2**32),
)
def test_a_balanced_batch_is_half_events_and_the_odd_one_is_an_event(event, batch_size, seed):
    cohort = outcomes(event)

    rows = draw_training_rows(
        cohort, batch_size, balanced=True, generator=np.random.default_rng(seed)
    )

    assert len(rows) == batch_size
    assert cohort.event[rows].sum() == (batch_size + 1) // 2


def test_a_balanced_batch_of_eight_has_four_of_each_even_where_events_are_rare():
    cohort = outcomes([True] + [False] * 50)

    rows = draw_training_rows(cohort, 8, balanced=True, generator=np.random.default_rng(0))

    assert cohort.event[rows].sum() == 4
    assert len(set(rows[~cohort.event[rows]])) > 1


@given(count=st.integers(1, 30), batch_size=st.integers(1, 17), seed=st.integers(0, 2**32))
def test_an_unbalanced_batch_may_hold_any_case(count, batch_size, seed):
    cohort = outcomes([True] * count)

    rows = draw_training_rows(
        cohort, batch_size, balanced=False, generator=np.random.default_rng(seed)
    )

    assert rows.shape == (batch_size,)
    assert set(rows) <= set(range(count))


def test_an_unbalanced_draw_reaches_every_case():
    rows = draw_training_rows(
        outcomes([True] * 10), 200, balanced=False, generator=np.random.default_rng(0)
    )

    assert set(rows) == set(range(10))


@pytest.mark.parametrize(
    ("event", "found"),
    [([True] * 5, "5 events and 0 censored cases"), ([False] * 5, "0 events and 5 censored cases")],
)
def test_a_balanced_batch_of_one_kind_of_cases_is_refused(event, found):
    with pytest.raises(
        DataError, match=f"pfs: the training part has {found}; .* --set training.balanced=false"
    ):
        draw_training_rows(outcomes(event), 8, balanced=True, generator=np.random.default_rng(0))


def test_targets_follow_the_rows_and_take_the_mask_of_the_batch(phantom):
    patients = phantom.patients(5)
    batch = StreamedCohort(patients.cohort, "cpu").batch([4, 0])

    targets = read_targets(patients, np.array([4, 0]), batch)

    assert targets.time.tolist() == patients.outcomes.time[[4, 0]].tolist()
    assert targets.event.tolist() == patients.outcomes.event[[4, 0]].tolist()
    assert targets.event.dtype == torch.bool
    assert targets.mask is batch.mask


def test_targets_lie_on_the_device_of_the_batch_even_without_masks(phantom):
    elsewhere = Batch(
        image=torch.zeros((2, 1, 2, 2, 2), device="meta"),
        clinical=torch.zeros((2, 0), device="meta"),
        mask=None,
    )

    targets = read_targets(phantom.patients(3), np.array([0, 1]), elsewhere)

    assert targets.time.device.type == targets.event.device.type == "meta"


@given(count=st.integers(0, 40), size=st.integers(1, 9))
def test_chunks_cover_every_row_once_in_order(count, size):
    chunks = list(in_chunks(count, size))

    assert [row for chunk in chunks for row in chunk] == list(range(count))
    assert all(len(chunk) == size for chunk in chunks[:-1])
