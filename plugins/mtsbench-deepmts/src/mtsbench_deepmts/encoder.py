"""The encoder of DeepMTS' backbone with its taps, and `deepmts-encoder`, which is this alone."""

from __future__ import annotations

from torch import Tensor, nn

from mtsbench.interfaces import Features
from mtsbench_deepmts.blocks import ResidualBlock, conv_bn_relu

WIDTHS = (8, 16, 32, 64, 128)
CONVOLUTIONS = (2, 2, 3, 3, 4)
MAPS = tuple(width // 2 for width in WIDTHS)


def encoder_blocks(channels: int) -> nn.ModuleList:
    """One residual block a level, for images of C channels."""
    inputs = (channels, *WIDTHS[:-1])
    return nn.ModuleList(
        ResidualBlock(count, i, o) for count, i, o in zip(CONVOLUTIONS, inputs, WIDTHS, strict=True)
    )


def encoder_taps() -> nn.ModuleList:
    """One convolution a level, which halves its channels for the head."""
    return nn.ModuleList(
        conv_bn_relu(width, tap, 1) for width, tap in zip(WIDTHS, MAPS, strict=True)
    )


def encoded(image: Tensor, blocks: nn.ModuleList, pool: nn.Module) -> list[Tensor]:
    """The image (B, C, D, H, W) after each block; between two blocks every side is halved."""
    levels = [blocks[0](image)]
    for block in blocks[1:]:
        levels.append(block(pool(levels[-1])))
    return levels


def tapped(levels: list[Tensor], taps: nn.ModuleList) -> tuple[Tensor, ...]:
    """The feature maps that the head sees of the levels."""
    return tuple(tap(level) for tap, level in zip(taps, levels, strict=True))


class EncoderBackbone(nn.Module):
    """Implements `mtsbench.interfaces.Backbone` for survival alone.

    Source: the ablation `Singletask_Survival` in the first release of DeepMTS' code.

    Args:
        channels: Image channels C.
    """

    channels = MAPS
    segments = False
    multiple = 16

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.encoder = encoder_blocks(channels)
        self.taps = encoder_taps()
        self.pool = nn.MaxPool3d(2)

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W)."""
        return Features(maps=tapped(encoded(image, self.encoder, self.pool), self.taps))
