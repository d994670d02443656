"""The Cox partial likelihood over a batch, with ties and with a memory of earlier batches."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from mtsbench.errors import PluginError

if TYPE_CHECKING:
    from mtsbench.interfaces import Outputs, Targets

Ties = Literal["breslow", "efron"]


class CoxLoss:
    """Mean negative log partial likelihood over the batch's events; 0 without events.

    pycox has this loss too, but without ties (`cox_ph_loss_sorted` takes the order of the batch
    for the risk set), undefined without events, and depending on the order of equal times.

    Source: Cox, JRSS B 34 (1972) 187; ties: Breslow, Biometrics 30 (1974) 89; Efron, JASA 72
    (1977) 557.

    Args:
        ties: How events on one day share a risk set.
        memory: Number of cases of earlier batches that stay in the risk sets, with the log risk
            they had then and without gradient, for batches too small for a risk set (Starke et
            al., Cancers 15 (2023) 4897, keep all cases; here the last ones). Their events are not
            counted again. Whole batches are forgotten, the oldest first, once the others hold
            that many cases: part of a batch would depend on the order of its cases.
    """

    def __init__(self, ties: Ties, memory: int) -> None:
        self.ties = ties
        self.memory = memory
        self._batches: deque[tuple[Tensor, Tensor]] = deque()

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """The loss of a batch.

        Raises:
            PluginError: The head gives more than one output per case.
        """
        if outputs.survival.ndim != 2 or outputs.survival.shape[1] != 1:
            raise PluginError(
                f"cox needs log risks of shape (B, 1), got {tuple(outputs.survival.shape)}; use a "
                "Cox head"
            )
        log_risk, time = outputs.survival[:, 0].float(), targets.time
        everyone, times = self._with_memory(log_risk, time)
        at_risk = times[None, :] >= time[:, None]
        log_sum = torch.where(at_risk, everyone[None, :], -torch.inf).logsumexp(dim=1)
        if self.ties == "efron":
            log_sum = log_sum + _efron(log_risk, log_sum, time, targets.event)
        # Without asking how many events there are, for which a GPU would have to wait.
        summed = torch.where(targets.event, log_sum - log_risk, 0.0).sum()
        return summed / targets.event.sum().clamp(min=1)

    def _with_memory(self, log_risk: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """The batch followed by the cases remembered; then the batch is remembered."""
        if not self.memory:
            return log_risk, time
        everyone = torch.cat([log_risk, *(earlier for earlier, _ in self._batches)])
        times = torch.cat([time, *(earlier for _, earlier in self._batches)])
        self._batches.append((log_risk.detach(), time))
        held = sum(len(earlier) for _, earlier in self._batches)
        while held - len(self._batches[0][1]) >= self.memory:
            held -= len(self._batches.popleft()[1])
        return everyone, times


def _efron(log_risk: Tensor, log_sum: Tensor, time: Tensor, event: Tensor) -> Tensor:
    """(B,) log(1 - (l / d) E / R) of the l-th of d tied events: E their sum, R that at risk."""
    tied = (time[None, :] == time[:, None]) & event[None, :] & event[:, None]
    before = tied.tril(diagonal=-1).sum(dim=1)
    share = before / tied.sum(dim=1).clamp(min=1)
    log_tied = torch.where(tied, log_risk[None, :], -torch.inf).logsumexp(dim=1)
    # Only events use it; others get a finite value so that no gradient becomes NaN.
    ratio = torch.where(event, log_tied - log_sum, torch.zeros_like(log_sum)).exp()
    return torch.log1p(-share * ratio.clamp(max=1.0))
