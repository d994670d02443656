"""Likelihoods over intervals of time: pycox's, where it has no limit, and the same ones without.

pycox codes labels in NumPy before training; here the head's own grid codes each batch, because
the cut points are learnt inside the training part. Hazards and the ranking are pycox's functions,
which see the same indices. Its likelihood of masses is not used: it takes the logarithm of a
difference of probabilities plus 1e-7, so that a censored case whose events are all early costs 16.1
at most, and above that the loss has no gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from pycox.models import loss as pycox_loss
from torch import Tensor
from torch.nn import functional

from mtsbench_heads.intervals import Coded, code

if TYPE_CHECKING:
    from mtsbench.interfaces import Outputs, Targets

Reduction = Literal["sum", "mean"]


class LogisticHazardLoss:
    """Negative log likelihood of the interval hazards, mean over cases.

    Args:
        reduction: Over intervals: their sum (Gensheimer and Narasimhan 2019; Kvamme and Borgan
            2021) or their mean, K times weaker, as the published XSurv and AdaMSS have it.
        midpoint: Whether a censored case survived the interval whose middle it saw.
    """

    def __init__(self, reduction: Reduction, midpoint: bool) -> None:
        self.reduction = reduction
        self.midpoint = midpoint

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """ValueError without a fitting grid."""
        coded = code(outputs, targets, midpoint=self.midpoint)
        loss = pycox_loss.nll_logistic_hazard(
            outputs.survival.float(), coded.index, coded.event, reduction="none"
        )
        intervals = outputs.survival.shape[1] if self.reduction == "mean" else 1
        return _mean(loss, coded) / intervals


def pmf(outputs: Outputs, targets: Targets) -> Tensor:
    """Negative log likelihood of the event's interval (Kvamme and Borgan 2021)."""
    coded = code(outputs, targets)
    return _mean(_mass_likelihood(outputs.survival.float(), coded), coded)


def mtlr(outputs: Outputs, targets: Targets) -> Tensor:
    """Negative log likelihood of multi-task logistic regression (Yu et al. 2011)."""
    coded = code(outputs, targets)
    summed = outputs.survival.float().flip(1).cumsum(dim=1).flip(1)
    return _mean(_mass_likelihood(summed, coded), coded)


class DeepHitLoss:
    """alpha times the PMF likelihood plus (1 - alpha) times the ranking loss, one risk.

    Source: Lee et al., AAAI 2018, in pycox's form; a pair counts if the first has its event in an
    earlier interval than that in which the second is still followed.

    Args:
        alpha: Share of the likelihood.
        sigma: Scale of the ranking loss.
    """

    def __init__(self, alpha: float, sigma: float) -> None:
        self.alpha = alpha
        self.sigma = sigma

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """ValueError without a fitting grid."""
        coded = code(outputs, targets)
        phi = outputs.survival.float()
        likelihood = _mass_likelihood(phi, coded)
        follow_up = torch.where(coded.informative > 0, coded.index, -1)
        later = follow_up[:, None] < follow_up[None, :]
        still = (follow_up[:, None] == follow_up[None, :]) & (coded.event[None, :] == 0)
        pairs = (later | still).to(phi.dtype) * coded.event[:, None]
        ranking: Tensor = pycox_loss.rank_loss_deephit_single(
            phi, coded.index, coded.event, pairs, self.sigma, reduction="mean"
        )
        return self.alpha * _mean(likelihood, coded) + (1 - self.alpha) * ranking


def _mass_likelihood(phi: Tensor, coded: Coded) -> Tensor:
    """(B,) -log of the mass of the event's interval, or of all after the last one survived.

    Args:
        phi: (B, K) log weights of an event in each interval; that of no event is 0.
        coded: Of the same cases.
    """
    padded = functional.pad(phi, (0, 1))
    # later[:, k] is the log weight of interval k and all after it, and of no event.
    later = padded.flip(1).logcumsumexp(dim=1).flip(1)
    happened = phi.gather(1, coded.index[:, None])[:, 0]
    survived = later.gather(1, coded.index[:, None] + 1)[:, 0]
    return later[:, 0] - torch.where(coded.event > 0, happened, survived)


def _mean(loss: Tensor, coded: Coded) -> Tensor:
    """Over all cases; one that was censored before any interval ended has likelihood 1."""
    return (loss * coded.informative).mean()
