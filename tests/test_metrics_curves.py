from __future__ import annotations

import numpy as np
import pytest

from mtsbench.metrics.curves import survival_at

CURVES, GRID = np.array([[0.8, 0.4]]), np.array([10.0, 20.0])


def test_curves_are_read_linearly_from_1_on_day_0_to_the_last_day_and_flat_after():
    days = np.array([0.0, 5.0, 10.0, 15.0, 20.0, 99.0])

    found = survival_at(days, CURVES, GRID)

    assert found[0] == pytest.approx([1, 0.9, 0.8, 0.6, 0.4, 0.4])


def test_step_curves_fall_on_their_days_only():
    days = np.array([0.0, 9.9, 10.0, 19.9, 20.0, 99.0])

    found = survival_at(days, CURVES, GRID, interpolation="step")

    assert found[0].tolist() == [1, 1, 0.8, 0.8, 0.4, 0.4]
