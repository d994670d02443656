from __future__ import annotations

import numpy as np
import pytest

from mtsbench.metrics.contrast import contrast
from mtsbench.metrics.undefined import UndefinedMetricError


def test_the_difference_is_b_minus_a_with_a_normal_interval():
    found = contrast((0.6, 0.7), (np.array([0.03, 0.0]), np.array([0.0, 0.04])))

    assert found.value == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(0.05)
    assert found.interval == pytest.approx((0.1 - 0.09799820, 0.1 + 0.09799820))
    assert (found.z, found.p) == pytest.approx((2.0, 0.04550026))
    assert found.covariance == pytest.approx(np.diag([0.0009, 0.0016]))


def test_rows_of_one_patient_are_added_before_squaring():
    rows = np.array([0.03, 0.03]), np.array([0.0, 0.0])

    assert contrast((0.6, 0.7), rows).standard_error == pytest.approx(0.03 * 2**0.5)
    same = contrast((0.6, 0.7), rows, patient=np.array(["p", "p"]))
    assert same.standard_error == pytest.approx(0.06)


def test_two_models_that_order_every_pair_alike_have_no_standard_error():
    influence = np.array([0.1, -0.1])

    with pytest.raises(UndefinedMetricError, match="order every pair alike"):
        contrast((0.6, 0.6), (influence, influence))
