"""The parts of gpu_day.sh: each is one process, prints its findings, and adds them to a file.

    python gpu_day.py PART [NAME ...] [--device cuda] [--size 128] [--steps 20] [--out FILE]

Parts: env, parity, official, variant NAME ..., convs, kernels NAME ...; the names are those of
`variants.VARIANTS`. `--device cpu --size 32 --steps 2` rehearses every part without a GPU.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from ceilings import env
from day import Day
from kernels import convs, kernels
from parity import parity
from variants import VARIANTS, official, variant

PARTS: Mapping[str, Callable[[Day], None]] = {
    "env": env,
    "parity": parity,
    "official": official,
    "variant": variant,
    "convs": convs,
    "kernels": kernels,
}


def main() -> None:
    """Do one part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=128, help="voxels along each axis")
    parser.add_argument("--steps", type=int, default=20, help="repetitions of each timing")
    parser.add_argument("--out", type=Path, default=Path("results.jsonl"))
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(VARIANTS))
    if unknown:
        parser.error(f"no variant {unknown[0]!r}; choose from {', '.join(VARIANTS)}")
    warnings.simplefilter("ignore")
    day = Day(
        device=asked.device,
        size=asked.size,
        steps=asked.steps,
        results=asked.out,
        names=tuple(asked.names),
    )
    PARTS[asked.part](day)


if __name__ == "__main__":
    main()
