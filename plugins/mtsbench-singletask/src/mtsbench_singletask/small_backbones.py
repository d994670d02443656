"""Own backbones: DeepConvSurv's stack of convolutions, and none at all."""

from __future__ import annotations

from torch import Tensor, nn

from mtsbench.interfaces import Features


class DeepConvSurv(nn.Module):
    """Implements `mtsbench.interfaces.Backbone`: three convolutions of 32 filters with pooling.

    Source: Zhu, Yao, Huang, BIBM 2016, which has 2D histology tiles: kernels 7, 5 and 3 with
    ReLU, pooling after the first and the last, then a dense layer of 32. Here the convolutions
    are 3D and padded, pooling follows the second too, and the dense layer is the head's.

    Args:
        channels: Image channels C.
    """

    channels: tuple[int, ...] = (32,)
    segments = False
    multiple = 1
    smallest_side = 7  # halved three times, the last map has a voxel

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(channels, 32, 7, stride=2, padding=3),
            nn.ReLU(),
            nn.MaxPool3d(2),
            nn.Conv3d(32, 32, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool3d(2),
            nn.Conv3d(32, 32, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W)."""
        return Features(maps=(self.layers(image),))


class NoImage(nn.Module):
    """Implements `mtsbench.interfaces.Backbone` without any map, for clinical variables alone."""

    channels: tuple[int, ...] = ()
    segments = False
    multiple = 1

    def forward(self, image: Tensor) -> Features:
        """Takes an image (B, C, D, H, W) and looks away; C may be 0."""
        return Features(maps=())
