"""Applying a trained network to a cohort, in batches, without gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mtsbench.capabilities import gives_curves
from mtsbench.engine.batches import in_chunks
from mtsbench.engine.precision import autocast
from mtsbench.engine.sources import StreamedCohort, batches
from mtsbench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.composition import Precision
    from mtsbench.data import Cohort, SurvivalReading
    from mtsbench.engine.network import MultiTaskNetwork
    from mtsbench.engine.sources import CaseSource
    from mtsbench.interfaces import Head


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """What a network says of a cohort.

    Attributes:
        risk: (N,) higher means an earlier event.
        survival: (N, K) float32 outputs of the head.
        curves: (N, T) event-free probability at `survival_time`; None if not given.
        survival_time: (T,) days; None without curves.
        survival_reading: How the curves are read between these days; None without curves.
        tumour_probability: N arrays (D, H, W); None if not kept or not segmented.
        dice: Dice at 0.5 on the common grid for each case with a non-empty mask, else None.
    """

    risk: NDArray[np.float64]
    survival: NDArray[np.float32]
    curves: NDArray[np.float64] | None
    survival_time: NDArray[np.float64] | None
    survival_reading: SurvivalReading | None
    tumour_probability: tuple[NDArray[np.float32], ...] | None
    dice: tuple[float | None, ...]


def infer(
    network: MultiTaskNetwork,
    cohort: Cohort,
    device: str,
    batch_size: int,
    *,
    in_full: bool = False,
    precision: Precision = "auto",
    source: CaseSource | None = None,
) -> Inferred:
    """Risk of every case; Dice where the cohort shows masks; curves and probabilities `in_full`.

    Args:
        network: Put into evaluation mode.
        cohort: What to predict.
        device: Of the network.
        batch_size: Cases at once.
        in_full: Give curves and tumour probabilities as well.
        precision: As in `TrainingSettings`.
        source: Gives the cohort's batches; None reads every case once.

    Raises:
        DataError: The cohort is empty.
    """
    if not len(cohort):
        raise DataError("the cohort has no case, so there is nothing to predict")
    network.eval()
    survival: list[Tensor] = []
    probabilities: list[NDArray[np.float32]] = []
    dice: list[float | None] = []
    with torch.inference_mode():
        chunks = list(in_chunks(len(cohort), batch_size))
        given = batches(source or StreamedCohort(cohort, device), chunks)
        for rows, batch in zip(chunks, given, strict=True):
            with autocast(device, precision):
                outputs = network(batch.image, batch.clinical)
            survival.append(outputs.survival.float())
            if outputs.tumour_logit is None:
                dice.extend([None] * len(rows))
                continue
            probability = outputs.tumour_logit.float().sigmoid()[:, 0]
            if batch.mask is None:
                dice.extend([None] * len(rows))
            else:
                dice.extend(_dice(probability > 0.5, batch.mask[:, 0] > 0.5))
            if in_full:
                probabilities.extend(probability.cpu().numpy())
        outputs_of_all = torch.cat(survival)
        risk = network.head.risk(outputs_of_all).double().cpu().numpy()
        curves, days, reading = (
            _curves(network.head, outputs_of_all) if in_full else (None, None, None)
        )
    return Inferred(
        risk=risk,
        survival=outputs_of_all.cpu().numpy(),
        curves=curves,
        survival_time=days,
        survival_reading=reading,
        tumour_probability=tuple(probabilities) if probabilities else None,
        dice=tuple(dice),
    )


def _curves(
    head: Head, survival: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64], SurvivalReading] | tuple[None, None, None]:
    if not gives_curves(head):
        return None, None, None
    curves = head.survival_curves(survival).double().cpu().numpy()
    return curves, head.survival_time.double().cpu().numpy(), head.survival_reading


def _dice(predicted: torch.Tensor, mask: torch.Tensor) -> list[float | None]:
    overlap = (predicted & mask).sum(dim=(1, 2, 3)).tolist()
    size = (predicted.sum(dim=(1, 2, 3)) + mask.sum(dim=(1, 2, 3))).tolist()
    present = mask.flatten(1).any(dim=1).tolist()
    return [
        2 * a / b if there else None for a, b, there in zip(overlap, size, present, strict=True)
    ]
