"""Arithmetic and memory traffic of the operators that a step runs, and the machine's ceilings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

# Larger than any cache, and for a GPU long enough that the launch does not count.
COPY_BYTES = {"cpu": 128 * 2**20, "cuda": 2**30}
MATRIX = {"cpu": 1024, "cuda": 8192}
REPETITIONS = 5


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one step asks of the machine.

    Attributes:
        flops: Multiplications and additions of convolutions and matrix products.
        bytes: Read and written by every operator, as if no result stayed in a cache; views
            count nothing.
    """

    flops: float
    bytes: float


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """What the machine reached just now.

    Attributes:
        bandwidth: Bytes per second of a large copy, read and written.
        matrix_rate: Floating-point operations per second of a large matrix product, in the
            precision in which the step computes its own.
    """

    bandwidth: float
    matrix_rate: float


class _Traffic(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0.0

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = func(*args, **(kwargs or {}))
        if not getattr(func, "is_view", False):
            tensors = [
                leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, Tensor)
            ]
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result


def count_work(step: Callable[[], object]) -> Work:
    """Run a step once and count its operators, those of the backward pass included."""
    traffic = _Traffic()
    with FlopCounterMode(display=False) as counter, traffic:
        step()
    return Work(flops=float(counter.get_total_flops()), bytes=traffic.bytes)


def measure_ceilings(device: str, *, bf16: bool = False) -> Ceilings:
    """Best of a few copies and matrix products on this device."""
    kind = torch.device(device).type
    source = torch.ones(COPY_BYTES[kind] // 4, device=device)
    target = torch.empty_like(source)
    size = MATRIX[kind]
    left = torch.ones(size, size, device=device, dtype=torch.bfloat16 if bf16 else torch.float32)
    return Ceilings(
        bandwidth=2 * COPY_BYTES[kind] / _fastest(lambda: target.copy_(source), device),
        matrix_rate=2 * size**3 / _fastest(lambda: left @ left, device),
    )


def wait_for(device: str) -> None:
    """Until everything asked of the device is done."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def _fastest(action: Callable[[], object], device: str) -> float:
    best = float("inf")
    for _ in range(REPETITIONS):
        wait_for(device)
        start = time.perf_counter()
        action()
        wait_for(device)
        best = min(best, time.perf_counter() - start)
    return best
