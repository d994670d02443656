"""`deepmts-encoder`: the encoder of the segmentation backbone with its taps, and no decoder."""

from __future__ import annotations

from torch import Tensor, nn

from mtsbench.interfaces import Features
from mtsbench_deepmts.blocks import ResidualBlock, conv_bn_relu
from mtsbench_deepmts.segmentation import ENCODER_CONVOLUTIONS, WIDTHS


class EncoderBackbone(nn.Module):
    """Implements `mtsbench.interfaces.Backbone` for survival alone.

    Source: the ablation `Singletask_Survival` in the first release of DeepMTS' code.

    Args:
        channels: Image channels C.
    """

    channels = tuple(width // 2 for width in WIDTHS)
    segments = False
    multiple = 16

    def __init__(self, channels: int) -> None:
        super().__init__()
        inputs = (channels, *WIDTHS[:-1])
        self.encoder = nn.ModuleList(
            ResidualBlock(count, i, o)
            for count, i, o in zip(ENCODER_CONVOLUTIONS, inputs, WIDTHS, strict=True)
        )
        self.taps = nn.ModuleList(
            conv_bn_relu(width, tap, 1) for width, tap in zip(WIDTHS, self.channels, strict=True)
        )
        self.pool = nn.MaxPool3d(2)

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W)."""
        levels = [self.encoder[0](image)]
        for block in self.encoder[1:]:
            levels.append(block(self.pool(levels[-1])))
        return Features(
            maps=tuple(tap(level) for tap, level in zip(self.taps, levels, strict=True))
        )
