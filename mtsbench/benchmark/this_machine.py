"""What a record says of the machine, without a name that tells whose it is."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mtsbench import __version__
from mtsbench.benchmark.records import Machine
from mtsbench.machine import platform_versions

if TYPE_CHECKING:
    from mtsbench.plugins import Components

PROCESSORS = Path("/proc/cpuinfo")
GIB = 2**30


def describe_machine(device: str) -> Machine:
    """The machine, and the device that is measured on.

    Args:
        device: cpu or cuda[:N].
    """
    name, memory = "cpu", None
    if torch.device(device).type == "cuda":
        found = torch.cuda.get_device_properties(torch.device(device))
        name, memory = found.name, round(found.total_memory / GIB, 1)
    return Machine(
        device=name,
        device_memory_gib=memory,
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        memory_gib=_memory_gib(),
    )


def versions(components: Components) -> dict[str, str]:
    """Everything that may decide how long an item takes."""
    found = {"mtsbench": __version__, **platform_versions()}
    if torch.version.cuda is not None:
        found["cuda"] = torch.version.cuda
        found["cudnn"] = str(torch.backends.cudnn.version())
    plugins = {plugin.distribution: plugin.version for plugin in components.plugins}
    return found | {name: plugins[name] for name in sorted(plugins)}


def processor_name() -> str:
    """The processor's model."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB, 1)
