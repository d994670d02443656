"""Convolution blocks of DeepMTS with the initialisation and normalisation it was published with."""

from __future__ import annotations

import math

from torch import Tensor, nn

# Keras: momentum 0.99 of the old average, epsilon 1e-3. torch counts the share of the new batch.
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.01


def batch_norm(channels: int) -> nn.BatchNorm3d:
    """Batch normalisation with Keras' defaults."""
    return nn.BatchNorm3d(channels, eps=BATCH_NORM_EPSILON, momentum=BATCH_NORM_MOMENTUM)


def convolution(
    in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, padding: int | None = None
) -> nn.Conv3d:
    """A convolution with bias, He-uniform weights and zero bias; padding None keeps the size."""
    layer = nn.Conv3d(
        in_channels,
        out_channels,
        kernel,
        stride=stride,
        padding=kernel // 2 if padding is None else padding,
    )
    bound = math.sqrt(6 / (in_channels * kernel**3))
    nn.init.uniform_(layer.weight, -bound, bound)
    assert layer.bias is not None  # asked for by default
    nn.init.zeros_(layer.bias)
    return layer


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        convolution(in_channels, out_channels, kernel),
        batch_norm(out_channels),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """RB(n, m): y = CBR3(x) + CBR1(x), then n - 1 times y = CBR3(y) + y.

    The sum comes after the ReLU and is not activated again.
    """

    def __init__(self, convolutions: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.shortcut = conv_bn_relu(in_channels, out_channels, 1)
        self.first = conv_bn_relu(in_channels, out_channels, 3)
        self.rest = nn.ModuleList(
            conv_bn_relu(out_channels, out_channels, 3) for _ in range(convolutions - 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """(B, in, D, H, W) to (B, out, D, H, W)."""
        out: Tensor = self.first(image) + self.shortcut(image)
        for layer in self.rest:
            out = layer(out) + out
        return out
