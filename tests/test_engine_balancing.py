"""How tasks share the total loss: by arithmetic, and in a training that shows it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.composition import TrainingSettings
from mtsbench.engine.balancing import TaskBalance, first_stage_epochs
from mtsbench.engine.deep_model import DeepModel
from mtsbench.errors import MtsbenchError

LOSSES = st.floats(-5, 5)


def total(settings, segmentation: float, survival: float, epoch: int = 0) -> float:
    tasks = {"segmentation": torch.tensor(segmentation), "survival": torch.tensor(survival)}
    return float(TaskBalance(settings)(tasks, epoch))


@given(LOSSES, LOSSES, st.floats(0.1, 100))
def test_fixed_weights_add_the_losses_with_the_emphasis(segmentation, survival, emphasis):
    settings = TrainingSettings(segmentation_emphasis=emphasis)

    assert total(settings, segmentation, survival) == pytest.approx(
        emphasis * segmentation + survival, rel=1e-5, abs=1e-5
    )


@given(LOSSES, LOSSES, st.floats(0.01, 0.99))
def test_one_minus_gamma_gives_gamma_to_segmentation(segmentation, survival, gamma):
    settings = TrainingSettings(balancing="one-minus-gamma", gamma=gamma)

    assert total(settings, segmentation, survival) == pytest.approx(
        gamma * segmentation + (1 - gamma) * survival, rel=1e-5, abs=1e-5
    )


def test_uncertainty_finds_the_weights_that_minimise_the_total():
    balance = TaskBalance(TrainingSettings(balancing="uncertainty"))
    optimiser = torch.optim.Adam(balance.parameters(), lr=0.05)
    tasks = {"segmentation": torch.tensor(0.25), "survival": torch.tensor(4.0)}
    for _ in range(600):
        optimiser.zero_grad()
        balance(tasks, 0).backward()
        optimiser.step()

    # d/ds (exp(-s) L + s / 2) = 0 at s = log(2 L).
    found = {name: float(value.detach()) for name, value in balance.log_variance.items()}
    assert found["segmentation"] == pytest.approx(math.log(0.5), abs=0.01)
    assert found["survival"] == pytest.approx(math.log(8.0), abs=0.01)


def test_two_stages_train_one_task_and_then_the_other():
    settings = TrainingSettings(balancing="two-stage", epochs=10, first_stage=0.3)

    assert first_stage_epochs(settings) == 3
    assert [total(settings, 2.0, 5.0, epoch) for epoch in (0, 2, 3, 9)] == [2.0, 2.0, 5.0, 5.0]


@given(st.integers(2, 300), st.floats(0.01, 0.99))
def test_both_stages_have_an_epoch(epochs, first_stage):
    settings = TrainingSettings(balancing="two-stage", epochs=epochs, first_stage=first_stage)

    assert 1 <= first_stage_epochs(settings) <= epochs - 1


def test_two_stages_need_two_epochs():
    with pytest.raises(ValueError, match="two-stage training needs at least 2 epochs, got 1"):
        TrainingSettings(balancing="two-stage", epochs=1)


def test_the_epoch_that_is_kept_is_one_of_the_second_stage(phantom):
    log = []
    context = phantom.context(
        phantom.settings(balancing="two-stage", epochs=4, first_stage=0.5, patience=1),
        log=lambda epoch, values: log.append(epoch),
    )
    model = DeepModel(phantom.composition(), phantom.components(), "cpu")

    model.fit(phantom.patients(16), phantom.patients(9, seed=1), context)

    # Patience 1 would have ended a stage that counts after its second epoch without progress.
    assert log[:3] == [0, 1, 2]


def test_a_learnt_balance_refuses_a_negative_loss(phantom):
    context = phantom.context(phantom.settings(balancing="uncertainty"))

    def fit(segmentation):
        parts = phantom.composition(phantom.loss("cox"), segmentation)
        model = DeepModel(parts, phantom.components(), "cpu")
        model.fit(phantom.patients(12), phantom.patients(9, seed=1), context)

    fit(phantom.loss("dice"))
    with pytest.raises(MtsbenchError, match=r"loss 'minus' was -\d.* has no minimum for negative"):
        fit(phantom.minus_dice())
