"""Which cases form a batch, and their tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mtsbench.errors import DataError
from mtsbench.interfaces import Targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mtsbench.data import LabelledCohort, Outcomes


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Cases stacked on a device: image (B, C, D, H, W), clinical (B, F), mask as in Targets."""

    image: Tensor
    clinical: Tensor
    mask: Tensor | None


def draw_training_rows(
    outcomes: Outcomes, batch_size: int, *, balanced: bool, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Row numbers of one training batch, drawn with replacement.

    Balanced batches hold half events and half censored cases, the odd one being an event:
    4 + 4 of 8 as DeepMTS was trained.

    Raises:
        DataError: A balanced batch was asked for and one of the two groups is empty.
    """
    if not balanced:
        return generator.integers(0, len(outcomes), size=batch_size, dtype=np.intp)
    groups = (np.flatnonzero(outcomes.event), np.flatnonzero(~outcomes.event))
    if not (len(groups[0]) and len(groups[1])):
        raise DataError(
            f"{outcomes.endpoint}: the training part has {len(groups[0])} events and "
            f"{len(groups[1])} censored cases; a balanced batch needs both. "
            "Use another endpoint or --set training.balanced=false"
        )
    sizes = (batch_size - batch_size // 2, batch_size // 2)
    return np.concatenate(
        [generator.choice(rows, size) for rows, size in zip(groups, sizes, strict=True)]
    ).astype(np.intp)


def read_targets(cohort: LabelledCohort, rows: NDArray[np.intp], batch: Batch) -> Targets:
    """Outcomes and mask of the batch's cases, on the batch's device."""
    device = batch.image.device
    return Targets(
        time=to_device(cohort.outcomes.time[rows], device),
        event=to_device(cohort.outcomes.event[rows], device),
        mask=batch.mask,
    )


def to_device(array: NDArray[np.generic], device: str | torch.device) -> Tensor:
    """An array as a tensor on the device; the host does not wait for the device."""
    tensor = torch.from_numpy(array)
    if torch.device(device).type == "cuda":
        # From memory that is not pinned a copy waits for all that the device has to do.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def in_chunks(count: int, size: int) -> Iterator[range]:
    """Consecutive rows in chunks of at most `size`."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
