from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics import antolini
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.concordance import concordance

DAYS = np.arange(0.0, 11.0)


@given(seed=st.integers(0, 10_000), ties=st.booleans())
def test_where_curves_never_cross_it_is_harrells_c(seed, ties):
    random = np.random.default_rng(seed)
    time, event = random.integers(1, 10, 12).astype(float), random.random(12) < 0.6
    risk = random.integers(0, 3 if ties else 1000, 12) / 1000
    later = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    assume((event[:, None] & later).any())
    curves = np.exp(-np.exp(risk)[:, None] * DAYS / 10)

    found = antolini_c(curves, DAYS, time, event, reading="step")

    assert found == pytest.approx(concordance(risk, time, event).value, abs=1e-12)


def test_each_pair_is_judged_on_the_day_of_its_event():
    # Curves cross on day 5: the first patient is worse early, the second late.
    curves = np.array([[1, 0.5, 0.5], [1, 0.8, 0.2], [1, 1, 1.0]])
    days, event = np.array([0.0, 4.0, 8.0]), np.ones(3, np.bool_)

    early = antolini_c(curves, days, np.array([4.0, 9.0, 10.0]), event, reading="step")
    late = antolini_c(curves, days, np.array([8.0, 9.0, 10.0]), event, reading="step")

    assert (early, late) == (1.0, pytest.approx(2 / 3))


def test_the_number_of_events_at_once_changes_nothing(monkeypatch):
    random = np.random.default_rng(0)
    time, event = random.integers(1, 10, 40).astype(float), random.random(40) < 0.6
    curves = np.sort(random.random((40, 11)))[:, ::-1]
    whole = antolini_c(curves, DAYS, time, event, reading="step")

    monkeypatch.setattr(antolini, "LEADERS_AT_ONCE", 3)

    assert antolini_c(curves, DAYS, time, event, reading="step") == whole


def test_without_a_comparable_pair_it_is_undefined():
    with pytest.raises(UndefinedMetricError, match="among 2 cases with 0 events, so C"):
        antolini_c(
            np.ones((2, 11)), DAYS, np.array([1.0, 2.0]), np.zeros(2, np.bool_), reading="step"
        )
