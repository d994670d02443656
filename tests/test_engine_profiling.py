from __future__ import annotations

from dataclasses import replace

import pytest

from mtsbench.engine.deep_model import DeepModel
from mtsbench.engine.operators import Ceilings, Work
from mtsbench.engine.profiling import profile
from mtsbench.engine.step import PHASES


@pytest.fixture
def found(phantom):
    model = DeepModel(phantom.composition(), phantom.components(), "cpu")
    context = phantom.context(phantom.settings())
    return profile(model, phantom.patients(18), context, warm_up=1, steps=3)


def test_a_profile_has_every_phase_and_adds_up(found):
    assert set(found.phases) == set(PHASES)
    assert all(seconds > 0 for seconds in found.phases.values())
    assert 0.3 * found.step < sum(found.phases.values()) < 3 * found.step
    assert found.volumes == pytest.approx(found.volumes)
    assert found.work.flops > 0
    assert found.work.bytes > 0
    assert found.inference > 0
    assert found.memory > 50
    assert found.parameters > 100


def test_the_limit_is_the_longer_of_traffic_and_arithmetic(found):
    machine = Ceilings(bandwidth=10.0, matrix_rate=100.0)
    slow = replace(found, step=4.0, ceilings=machine)

    assert replace(slow, work=Work(flops=100.0, bytes=20.0)).limit() == ("memory", 0.5)
    assert replace(slow, work=Work(flops=300.0, bytes=20.0)).limit() == ("arithmetic", 0.75)
