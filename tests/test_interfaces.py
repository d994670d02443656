from __future__ import annotations

import pytest

from mtsbench.interfaces import Score


def test_a_score_has_either_a_value_or_a_reason():
    assert Score(value=0.0).reason is None
    assert Score(value=None, reason="no pair").value is None
    for both_or_neither in ({"value": 1.0, "reason": "x"}, {"value": None}):
        with pytest.raises(ValueError, match="either a value or a reason, got both or neither"):
            Score(**both_or_neither)
