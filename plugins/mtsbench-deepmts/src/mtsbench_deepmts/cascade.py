"""`deepmts-cascade`: the densely connected survival network that sees image and tumour map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtsbench.errors import DataError
from mtsbench.interfaces import Features
from mtsbench_deepmts.blocks import batch_norm, convolution

STEM = 24
GROWTH = 16
BOTTLENECK = 64
LAYERS = (4, 8, 16)
WIDTHS = (16, 32, 64)
DROPOUT = 0.05


class DenseLayer(nn.Module):
    """BN, ReLU, 1^3 to 64, BN, ReLU, 3^3 to 16, with dropout; appended to its input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            batch_norm(channels),
            nn.ReLU(inplace=True),
            convolution(channels, BOTTLENECK, 1),
            nn.Dropout(DROPOUT),
            batch_norm(BOTTLENECK),
            nn.ReLU(inplace=True),
            convolution(BOTTLENECK, GROWTH, 3),
            nn.Dropout(DROPOUT),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, D, H, W) to (B, C + 16, D, H, W)."""
        return torch.cat([features, self.layers(features)], dim=1)


class CascadeNetwork(nn.Module):
    """Implements `mtsbench.interfaces.Backbone`; 1,018,960 parameters for three channels.

    The stem is valid-padded: 128 voxels become 63 and then 31. Each block's features are tapped
    through a batch normalisation and ReLU of their own, while pooling goes on from the tensor
    before them.

    Source: Meng et al., JBHI 26 (2022) 4497, figure 1.

    Args:
        channels: Image channels plus one for the tumour map.
    """

    channels: tuple[int, ...] = WIDTHS
    segments = False
    multiple = 1
    smallest_side = 19  # to be halved four times

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            convolution(channels, STEM, 3, stride=2, padding=0),
            nn.Dropout(DROPOUT),
            nn.MaxPool3d(3, stride=2),
        )
        self.blocks, self.taps = nn.ModuleList(), nn.ModuleList()
        width = STEM
        for layers, out in zip(LAYERS, WIDTHS, strict=True):
            dense = [DenseLayer(width + GROWTH * index) for index in range(layers)]
            width += GROWTH * layers
            transition = (
                batch_norm(width),
                nn.ReLU(inplace=True),
                convolution(width, out, 1),
                nn.Dropout(DROPOUT),
            )
            self.blocks.append(nn.Sequential(*dense, *transition))
            self.taps.append(nn.Sequential(batch_norm(out), nn.ReLU(inplace=True)))
            width = out
        self.pool = nn.AvgPool3d(2)

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W), the tumour map being its last channel.

        Raises:
            DataError: A spatial size is too small to be halved four times.
        """
        size = tuple(image.shape[2:])
        if min(size) < self.smallest_side:
            raise DataError(
                f"image has {size} voxels, but deepmts-cascade needs at least "
                f"{self.smallest_side} along every axis"
            )
        features, maps = self.stem(image), []
        for position, (block, tap) in enumerate(zip(self.blocks, self.taps, strict=True)):
            features = block(self.pool(features) if position else features)
            maps.append(tap(features))
        return Features(maps=tuple(maps))
