"""The two losses of DeepMTS, with the guards its published code lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtsbench.errors import DataError, PluginError

if TYPE_CHECKING:
    from mtsbench.interfaces import Outputs, Targets

SMALLEST_DENOMINATOR = 1e-5


def soft_dice(outputs: Outputs, targets: Targets) -> Tensor:
    """Mean over cases of -2 sum(y p) / max(sum(y + p), 1e-5), in [-1, 0].

    Raises:
        PluginError: The network gives no tumour map.
        DataError: The cohort has no masks.
    """
    if outputs.tumour_logit is None:
        raise PluginError("deepmts-dice needs a backbone that segments; this one gives no map")
    if targets.mask is None:
        raise DataError("deepmts-dice needs tumour masks of the training cases; there are none")
    probability = outputs.tumour_logit.float().sigmoid().flatten(start_dim=1)
    mask = targets.mask.flatten(start_dim=1)
    overlap = 2 * (mask * probability).sum(dim=1)
    size = (mask + probability).sum(dim=1).clamp(min=SMALLEST_DENOMINATOR)
    return -(overlap / size).mean()


def cox_partial_likelihood(outputs: Outputs, targets: Targets) -> Tensor:
    """Mean negative log partial likelihood over the batch's events, Breslow ties.

    Without ties this is the published -(1/sum e) sum_i e_i [r_i - log sum_{t_j >= t_i} exp r_j],
    whatever the order of the cases. Added: equal times share a risk set (Breslow, Biometrics 30
    (1974) 89), the sum of exponentials cannot overflow, and a batch without events gives 0.

    Raises:
        PluginError: The head gives more than one output per case.
    """
    if outputs.survival.ndim != 2 or outputs.survival.shape[1] != 1:
        raise PluginError(
            f"deepmts-cox needs log risks of shape (B, 1), got {tuple(outputs.survival.shape)}"
        )
    log_risk = outputs.survival[:, 0].float()
    at_risk = targets.time[None, :] >= targets.time[:, None]
    hazard_sum = torch.where(at_risk, log_risk[None, :], -torch.inf).logsumexp(dim=1)
    # Without asking how many events there are, for which a GPU would have to wait.
    summed = torch.where(targets.event, hazard_sum - log_risk, 0.0).sum()
    return summed / targets.event.sum().clamp(min=1)
