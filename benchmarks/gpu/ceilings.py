"""Versions, and what the machine can do at most: copying, and multiplying matrices."""

from __future__ import annotations

import os
import platform
import shutil

import torch
from day import Day


def env(day: Day) -> None:
    """Versions, and both ceilings; matrices of ones draw less power and run faster than random."""
    shared = shutil.disk_usage("/dev/shm").total / 2**30
    found: dict[str, object] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpus": os.cpu_count(),
        "shm_gib": shared,
    }
    if day.cuda:
        found["device"] = torch.cuda.get_device_name()
        found["cudnn"] = torch.backends.cudnn.version()
        found["free_gib"] = torch.cuda.mem_get_info()[0] / 2**30
    count = 2**28 if day.cuda else 2**24
    source = torch.randn(count, device=day.device)
    target = torch.empty_like(source)
    found["copy_tb_s"] = 8 * count / day.median_ms(lambda: target.copy_(source), 10) / 1e9
    side = 8192 if day.cuda else 512
    for name, fill in (("random", torch.randn), ("ones", torch.ones)):
        found[f"bf16_tflops_{name}"] = _tflops(day, fill(side, side, device=day.device).bfloat16())
    day.keep("env", found)


def _tflops(day: Day, matrix: torch.Tensor) -> float:
    return 2 * len(matrix) ** 3 / day.median_ms(lambda: matrix @ matrix, 10) / 1e9
