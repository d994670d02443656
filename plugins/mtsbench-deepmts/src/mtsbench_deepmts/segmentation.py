"""`deepmts-segmentation`: the U-shaped residual backbone with taps after the encoder levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtsbench.errors import DataError
from mtsbench.interfaces import Features
from mtsbench_deepmts.blocks import ResidualBlock, convolution
from mtsbench_deepmts.encoder import MAPS, WIDTHS, encoded, encoder_blocks, encoder_taps, tapped

DECODER_CONVOLUTIONS = (3, 3, 2, 2)


class SegmentationBackbone(nn.Module):
    """Implements `mtsbench.interfaces.Backbone`; 2,675,350 parameters for two image channels.

    `tumour_logit` is the difference of the two published output channels, tumour minus
    background: its sigmoid is exactly the published softmax probability of the tumour channel.

    Source: Meng et al., JBHI 26 (2022) 4497, figure 1.

    Args:
        channels: Image channels C.
    """

    channels = MAPS
    segments = True
    multiple = 16

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.encoder = encoder_blocks(channels)
        outputs = WIDTHS[-2::-1]
        self.decoder = nn.ModuleList(
            ResidualBlock(count, below + skip, skip)
            for count, below, skip in zip(DECODER_CONVOLUTIONS, WIDTHS[:0:-1], outputs, strict=True)
        )
        self.output = convolution(WIDTHS[0], 2, 1)
        self.taps = encoder_taps()
        self.pool = nn.MaxPool3d(2)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W).

        Raises:
            DataError: A spatial size is no multiple of 16.
        """
        size = tuple(image.shape[2:])
        if any(count % self.multiple for count in size):
            raise DataError(
                f"image has {size} voxels, but deepmts-segmentation halves it four times: every "
                f"size must be a multiple of {self.multiple}"
            )
        levels = encoded(image, self.encoder, self.pool)
        decoded = levels[-1]
        for block, skip in zip(self.decoder, levels[-2::-1], strict=True):
            decoded = block(torch.cat([self.upsample(decoded), skip], dim=1))
        tumour, background = self.output(decoded).split(1, dim=1)
        return Features(
            maps=tapped(levels, self.taps),
            tumour_logit=tumour - background,
        )
