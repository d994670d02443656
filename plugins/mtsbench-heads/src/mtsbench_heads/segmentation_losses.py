"""Segmentation losses of MONAI on tumour logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from monai.losses.dice import DiceCELoss, DiceFocalLoss
from monai.losses.tversky import TverskyLoss
from torch import Tensor

from mtsbench.errors import DataError, PluginError

if TYPE_CHECKING:
    from mtsbench.interfaces import Outputs, Targets

LossOnLogits = Callable[[Tensor, Tensor], Tensor]


class SegmentationLoss:
    """A loss of MONAI as a `mtsbench.interfaces.Loss`, mean over cases.

    Args:
        name: For messages.
        loss: On logits and masks (B, 1, D, H, W).
    """

    def __init__(self, name: str, loss: LossOnLogits) -> None:
        self.name = name
        self.loss = loss

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """The loss of a batch.

        Raises:
            PluginError: The network gives no tumour map.
            DataError: The cohort has no masks.
        """
        if outputs.tumour_logit is None:
            raise PluginError(f"{self.name} needs a backbone that segments; this one gives no map")
        if targets.mask is None:
            raise DataError(f"{self.name} needs masks of the training cases; there are none")
        return self.loss(outputs.tumour_logit.float(), targets.mask)


def dice_ce(ce_weight: float) -> SegmentationLoss:
    """Soft Dice plus binary cross entropy."""
    return SegmentationLoss("dice-ce", DiceCELoss(sigmoid=True, lambda_ce=ce_weight))


def dice_focal(gamma: float, focal_weight: float) -> SegmentationLoss:
    """Soft Dice plus focal loss (Lin et al., ICCV 2017)."""
    return SegmentationLoss(
        "dice-focal", DiceFocalLoss(sigmoid=True, gamma=gamma, lambda_focal=focal_weight)
    )


def tversky(false_positive: float, false_negative: float) -> SegmentationLoss:
    """Dice with errors weighed by kind (Salehi et al., MLMI 2017); 0.5 and 0.5 is soft Dice."""
    return SegmentationLoss(
        "tversky", TverskyLoss(sigmoid=True, alpha=false_positive, beta=false_negative)
    )
