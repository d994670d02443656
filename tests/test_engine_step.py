"""The training step: every phase once and in order, and the same step timed or not."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from mtsbench.engine.network import assemble, build_losses
from mtsbench.engine.step import PHASES, TrainingStep


@pytest.fixture
def training_step(phantom):
    def make() -> TrainingStep:
        torch.manual_seed(1)
        network = assemble(phantom.composition(), phantom.components(), 2, 1)
        losses = build_losses(phantom.composition(), phantom.components(), phantom.settings())
        context = phantom.context(phantom.settings())
        return TrainingStep(
            network, losses, phantom.patients(18), context, np.random.default_rng(0)
        )

    return make


def test_every_phase_is_entered_once_and_in_order(training_step):
    step = training_step()
    seen = []

    @contextmanager
    def phase(name):
        seen.append(name)
        yield

    step(0, phase)

    assert tuple(seen) == PHASES


def test_timing_changes_no_bit(training_step):
    @contextmanager
    def phase(name):
        yield

    def losses(*more) -> list[float]:
        step = training_step()
        return [float(step(0, *more)["loss"]) for _ in range(3)]

    assert losses(phase) == losses()


def test_the_rate_of_later_steps_can_be_set(training_step):
    step = training_step()

    step.set_rate(0.25)

    assert [group["lr"] for group in step.optimiser.param_groups] == [0.25]
