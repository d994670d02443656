"""A run's projected time: its steps, its validations and its predictions, no more."""

from __future__ import annotations

import pytest

from mtsbench.composition import TrainingSettings
from mtsbench.projection import project
from mtsbench.splits import Split

SPLIT = Split(repeat=0, fold=0, train=("A", "B", "C"), validation=("D", "E"), test=("F",))
TRAINING = TrainingSettings(epochs=10, steps_per_epoch=50)


def test_steps_of_all_trials_are_counted_once():
    found = project((SPLIT,) * 5, 2, TRAINING, step=0.2, spread=0.0, inference=0.0)

    assert (found.trials, found.steps) == (10, 5000)
    assert found.seconds == found.low == found.high == pytest.approx(1000.0)


def test_every_epoch_predicts_the_validation_cases_and_the_end_all_cases():
    found = project((SPLIT,), 1, TRAINING, step=0.0, spread=0.0, inference=1.0)

    assert found.seconds == 10 * 2 + 6


def test_the_range_is_that_of_the_quartiles():
    found = project((SPLIT,), 1, TRAINING, step=0.2, spread=0.04, inference=0.0)

    assert found.low == pytest.approx(0.18 * 500)
    assert found.high == pytest.approx(0.22 * 500)
