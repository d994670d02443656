"""Kept memory: no page is filled twice inside, and all is given back afterwards."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
import torch

from mtsbench.engine.reused_memory import reused_memory

PROGRAM = """
import resource, sys
import torch
from mtsbench.engine.reused_memory import reused_memory

def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.zeros(24 * 2**20)  # 96 MiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20

faults(2)
outside = faults(5)
with reused_memory("cpu"):
    faults(30)  # until the heap has holes of the right sizes
    inside, kept = faults(5), resident()
print(outside, inside, kept - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_pages_are_filled_once_inside_and_given_back_afterwards():
    # In a process of its own: what other tests have freed would hide the effect.
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)

    outside, inside, given_back = map(float, done.stdout.split())
    assert inside < 0.1 * outside
    assert given_back > 90  # MiB


def test_a_cuda_device_keeps_its_own_memory(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("the C library was called"))

    with reused_memory("cuda"):
        pass


def test_results_are_the_same():
    torch.manual_seed(0)
    layer, image = torch.nn.Conv3d(2, 3, 3), torch.rand(1, 2, 9, 9, 9)
    expected = layer(image)

    with reused_memory("cpu"):
        assert torch.equal(layer(image), expected)
