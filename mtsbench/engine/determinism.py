"""One seed decides a training run; nothing of the caller's random state is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils import deterministic as deterministic_settings


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch inside the block, on CPU bit for bit, and restore its state afterwards.

    On CUDA some backward passes have no deterministic kernel, so there the seed fixes the draws
    but not the last bits.
    """
    cuda = torch.device(device).type == "cuda"
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    # A property that torch sets on the module at run time, unknown to type checkers.
    filled = deterministic_settings.fill_uninitialized_memory  # type: ignore[attr-defined]
    with torch.random.fork_rng(devices=[torch.device(device)] if cuda else []):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(not cuda)
        # Filling every new tensor with NaN finds reads of unwritten memory, for 8 % of a step.
        deterministic_settings.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=warn_only)
            deterministic_settings.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
