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
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mtsbench.data import Cohort, LabelledCohort, Outcomes


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


def read_batch(cohort: Cohort, rows: Sequence[int] | NDArray[np.intp], device: str) -> Batch:
    """Read and stack cases.

    Raises:
        DataError: Some cases of the batch have a mask and others have none.
    """
    cases = [cohort[int(row)] for row in rows]
    masks = [case.mask for case in cases if case.mask is not None]
    if masks and len(masks) < len(cases):
        without = next(case.case_id for case in cases if case.mask is None)
        raise DataError(
            f"case {without!r} has no tumour mask, but others of its cohort have; give it one or "
            "leave it out of the cohort"
        )
    return Batch(
        image=torch.from_numpy(np.stack([case.image for case in cases])).to(device),
        clinical=torch.from_numpy(np.stack([case.clinical for case in cases])).to(device),
        mask=torch.from_numpy(np.stack(masks)).to(device, torch.float32) if masks else None,
    )


def read_targets(cohort: LabelledCohort, rows: NDArray[np.intp], batch: Batch) -> Targets:
    """Outcomes and mask of the batch's cases, on the batch's device."""
    device = batch.image.device
    return Targets(
        time=torch.from_numpy(cohort.outcomes.time[rows]).to(device),
        event=torch.from_numpy(cohort.outcomes.event[rows]).to(device),
        mask=batch.mask,
    )


def in_chunks(count: int, size: int) -> Iterator[range]:
    """Consecutive rows in chunks of at most `size`."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))
