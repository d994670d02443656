from __future__ import annotations

import numpy as np
import pytest

from mtsbench.benchmark import table_items, training_part
from mtsbench.benchmark.records import Protocol
from mtsbench.metrics.concordance import concordance

ONCE = Protocol(warm_up=0, steps=1)


def test_the_random_patients_have_events_and_censorings_and_a_risk_that_orders_them():
    risk, time, event = table_items.follow_up(2000)

    assert 0.3 < event.mean() < 0.7
    assert (time > 0).all()
    assert 0.65 < concordance(risk, time, event).value < 0.95


def test_the_curves_belong_to_the_risks():
    days, curves = table_items.survival_curves(np.array([-1.0, 0.0, 1.0]))

    assert curves.shape == (3, len(days))
    assert (np.diff(curves, axis=1) < 0).all()
    assert (np.diff(curves[:, 1:], axis=0) < 0).all()


def test_a_bootstrap_is_measured():
    assert table_items.bootstrap(ONCE, patients=50, samples=20).median > 0


def test_the_features_of_a_patient_are_measured_with_the_size_of_the_region(monkeypatch):
    pytest.importorskip("mtsbench_radiomics")
    pytest.importorskip("mtsbench_cohorts")
    monkeypatch.setattr(training_part, "CASES", 14)

    found = table_items.radiomics(Protocol(warm_up=0, steps=2))

    # Features that came from a cache would take less.
    assert found.median > 0.01
    assert 1 < found.details["region_ml"] < 1000
