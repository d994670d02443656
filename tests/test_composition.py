from __future__ import annotations

import pytest

from mtsbench.composition import TrainingSettings


@pytest.mark.parametrize(
    ("rates", "starts"),
    [
        ((), r"\[\]"),
        (((1, 1e-3),), r"\[1\]"),
        (((0, 1e-3), (5, 1e-4), (5, 1e-5)), r"\[0, 5, 5\]"),
        (((0, 1e-3), (9, 1e-4), (5, 1e-5)), r"\[0, 9, 5\]"),
    ],
)
def test_learning_rates_that_do_not_begin_at_0_and_rise_are_refused(rates, starts):
    with pytest.raises(ValueError, match=f"begin at epoch 0 and rise.* got epochs {starts}"):
        TrainingSettings(learning_rates=rates)


def test_several_learning_rates_are_accepted():
    assert len(TrainingSettings(learning_rates=((0, 1e-3), (5, 1e-4))).learning_rates) == 2
