from __future__ import annotations

import pytest

from mtsbench.benchmark import deep_items, training_part
from mtsbench.benchmark.items import all_items
from mtsbench.benchmark.records import Protocol
from mtsbench.engine.step import PHASES

ONCE = Protocol(warm_up=0, steps=1)
SMALL = {"voxels": 32, "device": "cpu"}


@pytest.fixture(autouse=True)
def _few_patients_and_one_thread(monkeypatch):
    pytest.importorskip("mtsbench_cohorts")
    import torch

    monkeypatch.setattr(training_part, "CASES", 12)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_training_step_is_measured_with_its_phases():
    pytest.importorskip("mtsbench_singletask")

    found = deep_items.training_step(
        ONCE, model="singletask", settings={"backbone": "deepconvsurv"}, batch=2, **SMALL
    )

    assert found.median > 0
    assert {f"{name}_seconds" for name in PHASES} <= set(found.details)
    assert found.details["cases_per_second"] == pytest.approx(2 / found.median)
    assert found.details["parameters"] > 1000
    assert any(name.startswith("share_of_") for name in found.details)


def test_inference_of_one_patient_is_measured():
    pytest.importorskip("mtsbench_deepmts")

    found = deep_items.inference(Protocol(warm_up=1, steps=2), model="deepmts", **SMALL)

    assert 0 < found.median < 60


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in all_items("cpu") if "training" in one.name])
def test_every_network_can_take_a_step_at_the_size_of_a_processor(name):
    (item,) = [one for one in all_items("cpu") if one.name == name]

    assert item.measure(ONCE, batch=2).median > 0
