"""How much memory the cases of a trial may take on its device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# The rest is for the network, whose activations are not there yet when the cases are read.
SHARE = 0.25


def case_memory(asked: int | None, device: str, trials: int = 1) -> int:
    """Bytes that the cases of one trial may take.

    Args:
        asked: MiB; None is a quarter of what is free, parted among the trials at once.
        device: torch device.
        trials: That run at once.
    """
    if asked is not None:
        return asked * 2**20
    if device.startswith("cuda"):
        import torch

        free = torch.cuda.mem_get_info(torch.device(device))[0]
    else:
        free = free_host_memory()
    return int(free * SHARE / trials)


def free_host_memory(root: Path = Path("/")) -> int:
    """Bytes that this process may still take, under the limit of its control group if it has one.

    Args:
        root: Of the file system with `proc` and `sys`.
    """
    try:
        free = _field(root / "proc/meminfo", "MemAvailable:") * 1024
    except (OSError, StopIteration):  # no Linux
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return min([free, *_left_in_groups(root)])


def _left_in_groups(root: Path) -> Iterator[int]:
    """What the limits of the control group and of those around it leave, version 2 and 1."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    names = {
        "": ("sys/fs/cgroup", "memory.max", "memory.current", "file"),
        "memory": (
            "sys/fs/cgroup/memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_cache",
        ),
    }
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers not in names:
            continue
        mount, limit, usage, cache = names[controllers]
        inner = root / mount / group.strip("/")
        for folder in (inner, *inner.parents):
            try:
                most, used = ((folder / name).read_text().strip() for name in (limit, usage))
                # Files in the page cache count as used, but give way.
                cached = _field(folder / "memory.stat", cache)
            except (OSError, StopIteration):  # above the mount, or a group we cannot see
                continue
            if most != "max":
                yield max(0, int(most) - int(used) + cached)


def _field(path: Path, name: str) -> int:
    """The number after a word that begins a line."""
    rows = (line.split() for line in path.read_text().splitlines())
    return next(int(row[1]) for row in rows if row and row[0] == name)
