from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest

from mtsbench.comparison import bootstrap
from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.metrics.concordance import concordance

RANDOM = np.random.default_rng(5)
TIME = RANDOM.integers(1, 500, 300).astype(float)
EVENT = RANDOM.random(300) < 0.5
RISKS = RANDOM.normal(size=300), RANDOM.integers(0, 9, 300).astype(float)


def test_a_sample_is_the_difference_on_repeated_rows():
    time, event, risks = TIME[:30], EVENT[:30], tuple(risk[:30] for risk in RISKS)
    drawn = np.random.default_rng(0).multinomial(30, np.full(30, 1 / 30), size=20)

    found = bootstrap_differences(risks, time, event, random=np.random.default_rng(0), samples=20)

    for sample, counts in zip(found, drawn, strict=True):
        rows = np.repeat(np.arange(30), counts)
        # Copies of one patient tie with themselves as two events or are both censored: no pair.
        first, second = (concordance(risk[rows], time[rows], event[rows]).value for risk in risks)
        assert sample == pytest.approx(second - first, abs=1e-12)


def test_rows_of_one_patient_are_drawn_together():
    patient = np.tile(np.arange(150), 2)
    repeats = np.repeat([0, 1], 150)
    time, event = np.tile(TIME[:150], 2), np.tile(EVENT[:150], 2)
    risks = tuple(np.tile(risk[:150], 2) for risk in RISKS)

    twice = bootstrap_differences(
        risks,
        time,
        event,
        random=np.random.default_rng(1),
        samples=50,
        strata=repeats,
        patient=patient,
    )
    once = bootstrap_differences(
        tuple(risk[:150] for risk in risks),
        TIME[:150],
        EVENT[:150],
        random=np.random.default_rng(1),
        samples=50,
    )

    assert twice == pytest.approx(once, abs=1e-12)


def test_the_number_of_events_at_once_changes_nothing(monkeypatch):
    whole = bootstrap_differences(RISKS, TIME, EVENT, random=np.random.default_rng(2), samples=9)

    monkeypatch.setattr(bootstrap, "LEADERS_AT_ONCE", 7)

    parts = bootstrap_differences(RISKS, TIME, EVENT, random=np.random.default_rng(2), samples=9)
    assert parts == pytest.approx(whole, abs=1e-12)


def test_samples_without_a_comparable_pair_are_left_out():
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    risks = np.array([3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0])

    found = bootstrap_differences(risks, time, event, random=np.random.default_rng(0), samples=200)

    assert 0 < len(found) < 200
    assert (found == -1).all()


def test_two_thousand_samples_of_three_hundred_patients_take_less_than_a_second():
    begin = perf_counter()
    found = bootstrap_differences(RISKS, TIME, EVENT, random=np.random.default_rng(3))
    seconds = perf_counter() - begin

    assert len(found) == 2000
    assert seconds < 1
