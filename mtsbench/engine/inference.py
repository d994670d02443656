"""Applying a trained network to a cohort, in batches, without gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mtsbench.engine.batches import in_chunks, read_batch
from mtsbench.engine.precision import autocast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Cohort
    from mtsbench.engine.network import MultiTaskNetwork


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """What a network says of a cohort.

    Attributes:
        risk: (N,) higher means an earlier event.
        tumour_probability: N arrays (D, H, W); None if not kept or not segmented.
        dice: Dice at 0.5 on the common grid for each case with a non-empty mask, else None.
    """

    risk: NDArray[np.float64]
    tumour_probability: tuple[NDArray[np.float32], ...] | None
    dice: tuple[float | None, ...]


def infer(
    network: MultiTaskNetwork,
    cohort: Cohort,
    device: str,
    batch_size: int,
    *,
    keep_probability: bool = False,
) -> Inferred:
    """Risk of every case; Dice where the cohort shows masks; tumour probability if kept."""
    network.eval()
    risk: list[NDArray[np.float64]] = []
    probabilities: list[NDArray[np.float32]] = []
    dice: list[float | None] = []
    with torch.inference_mode():
        for rows in in_chunks(len(cohort), batch_size):
            batch = read_batch(cohort, rows, device)
            with autocast(device):
                outputs = network(batch.image, batch.clinical)
            risk.append(network.head.risk(outputs.survival.float()).double().cpu().numpy())
            if outputs.tumour_logit is None:
                dice.extend([None] * len(rows))
                continue
            probability = outputs.tumour_logit.float().sigmoid()[:, 0]
            if batch.mask is None:
                dice.extend([None] * len(rows))
            else:
                dice.extend(_dice(probability > 0.5, batch.mask[:, 0] > 0.5))
            if keep_probability:
                probabilities.extend(probability.cpu().numpy())
    return Inferred(
        risk=np.concatenate(risk),
        tumour_probability=tuple(probabilities) if probabilities else None,
        dice=tuple(dice),
    )


def _dice(predicted: torch.Tensor, mask: torch.Tensor) -> list[float | None]:
    overlap = (predicted & mask).sum(dim=(1, 2, 3)).tolist()
    size = (predicted.sum(dim=(1, 2, 3)) + mask.sum(dim=(1, 2, 3))).tolist()
    present = mask.flatten(1).any(dim=1).tolist()
    return [
        2 * a / b if there else None for a, b, there in zip(overlap, size, present, strict=True)
    ]
