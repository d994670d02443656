"""Likelihoods over intervals of time, from pycox, with the guards it lacks.

pycox codes labels in NumPy before training; here the head's own grid codes each batch, because
the cut points are learnt inside the training part. pycox's functions see the same indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from pycox.models import loss as pycox_loss
from torch import Tensor

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
    phi = outputs.survival.float()
    return _mean(pycox_loss.nll_pmf(phi, coded.index, coded.event, reduction="none"), coded)


def mtlr(outputs: Outputs, targets: Targets) -> Tensor:
    """Negative log likelihood of multi-task logistic regression (Yu et al. 2011)."""
    coded = code(outputs, targets)
    phi = outputs.survival.float()
    return _mean(pycox_loss.nll_mtlr(phi, coded.index, coded.event, reduction="none"), coded)


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
        likelihood = pycox_loss.nll_pmf(phi, coded.index, coded.event, reduction="none")
        follow_up = torch.where(coded.informative > 0, coded.index, -1)
        later = follow_up[:, None] < follow_up[None, :]
        still = (follow_up[:, None] == follow_up[None, :]) & (coded.event[None, :] == 0)
        pairs = (later | still).to(phi.dtype) * coded.event[:, None]
        ranking: Tensor = pycox_loss.rank_loss_deephit_single(
            phi, coded.index, coded.event, pairs, self.sigma, reduction="mean"
        )
        return self.alpha * _mean(likelihood, coded) + (1 - self.alpha) * ranking


def _mean(loss: Tensor, coded: Coded) -> Tensor:
    """Over all cases; one that was censored before any interval ended has likelihood 1."""
    return (loss * coded.informative).mean()
