"""Joules from NVIDIA's counter, or the reason why there are none."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from mtsbench.engine.energy import energy_meter


@pytest.fixture
def card(monkeypatch):
    """A stand-in for the driver's library: no GPU is here."""
    readings = iter([1_000, 1_000, 3_500])
    asked = []
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: asked.append(uuid) or "handle",
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(readings),
        asked=asked,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    properties = SimpleNamespace(uuid="0a1b")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    return library


def test_a_meter_counts_joules_of_the_card_in_use(card):
    meter = energy_meter("cuda")

    assert meter() == 1.0
    assert meter() == 3.5
    assert card.asked == ["GPU-0a1b"]


def test_a_card_without_a_counter_says_why(card):
    def refuse(handle):
        raise RuntimeError("Not Supported")

    card.nvmlDeviceGetTotalEnergyConsumption = refuse

    assert energy_meter("cuda") == "the driver tells no energy (RuntimeError: Not Supported)"


def test_without_the_library_the_reason_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)

    assert energy_meter("cuda") == (
        "nvidia-ml-py is not installed (pip install 'mtsbench[energy]')"
    )


def test_a_processor_has_no_counter():
    assert energy_meter("cpu") == "no energy counter is read for device 'cpu'"
