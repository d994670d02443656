"""One seed decides a training run; nothing of the caller's random state is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch inside the block, on CPU bit for bit, and restore its state afterwards.

    On CUDA some backward passes have no deterministic kernel, so there the seed fixes the draws
    but not the last bits.
    """
    cuda = torch.device(device).type == "cuda"
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[torch.device(device)] if cuda else []):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(not cuda)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=warn_only)
