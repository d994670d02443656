"""Try every network of timm-3d and keep those that train; writes src/.../timm_catalogue.csv.

    python plugins/mtsbench-singletask/scripts/make_catalogue.py

Each is built with two input channels and takes one step on non-square noise, under a time limit.
The smallest multiple recorded is the one of 16, 8, 4, 2, 1 down to which sizes that are odd
multiples of it still pass; 32 if none does.
"""

from __future__ import annotations

import csv
import signal
from pathlib import Path

import torch
from mtsbench_singletask.timm_backbones import TimmBackbone, try_backbone
from mtsbench_singletask.timm_import import import_timm

TARGET = Path(__file__).parents[1] / "src" / "mtsbench_singletask" / "timm_catalogue.csv"
LIMIT_SECONDS = 30
SIZE = (32, 64, 32)


def stop(signum: int, frame: object) -> None:
    """End the network that takes too long."""
    raise TimeoutError(f"took over {LIMIT_SECONDS} s")


def smallest_multiple(backbone: TimmBackbone) -> int:
    """The multiple that each axis needs."""
    multiple = 32
    for candidate in (16, 8, 4, 2, 1):
        sizes = (candidate * (32 // candidate + 1), candidate * (48 // candidate + 1), 64)
        try:
            with torch.no_grad():
                backbone.eval()(torch.randn(1, 2, *sizes))
        except (RuntimeError, AssertionError, ValueError):
            break
        multiple = candidate
    return multiple


def main() -> None:
    """Try all and write the table."""
    signal.signal(signal.SIGALRM, stop)
    rows = []
    for name in sorted(import_timm().list_models()):
        signal.alarm(LIMIT_SECONDS)
        try:
            backbone = try_backbone(name, SIZE)
            multiple = smallest_multiple(backbone)
        except Exception as error:
            signal.alarm(0)
            print(f"{name}: left out, {type(error).__name__}: {str(error)[:120]}", flush=True)
            continue
        signal.alarm(0)
        count = sum(one.numel() for one in backbone.parameters())
        rows.append([name, count, multiple, "+".join(map(str, backbone.channels))])
    with TARGET.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "parameters", "multiple", "channels"])
        writer.writerows(rows)
    print(f"{len(rows)} networks in {TARGET.name}")


if __name__ == "__main__":
    main()
