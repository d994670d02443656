"""Energy that a device has used, where its driver tells it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

import torch

from mtsbench.engine.precision import is_cuda

if TYPE_CHECKING:
    from collections.abc import Callable

MILLIJOULES = 1e-3


class _Nvml(Protocol):
    def nvmlInit(self) -> None: ...

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> object: ...

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: object) -> int: ...


def energy_meter(device: str) -> Callable[[], float] | str:
    """A function that gives the joules used since the driver was loaded; or why there is none.

    NVIDIA's driver counts for the whole card, so other programs on it count too.
    """
    if not is_cuda(device):
        return f"no energy counter is read for device {device!r}"
    try:
        nvml = cast("_Nvml", importlib.import_module("pynvml"))
    except ImportError:
        return "nvidia-ml-py is not installed (pip install 'mtsbench[energy]')"
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except (
        Exception
    ) as error:  # NVML has an error class for each cause, older cards have no counter
        return f"the driver tells no energy ({type(error).__name__}: {error})"
    return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) * MILLIJOULES
