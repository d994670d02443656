"""Blocks: initialisation, normalisation constants and the residual sum."""

from __future__ import annotations

import math

import torch
from mtsbench_deepmts.blocks import ResidualBlock, batch_norm, convolution


def test_batch_norm_has_keras_defaults_in_torch_terms():
    layer = batch_norm(4)

    assert (layer.eps, layer.momentum) == (1e-3, 0.01)


def test_convolutions_start_he_uniform_with_zero_bias():
    layer = convolution(16, 64, 3)

    bound = math.sqrt(6 / (16 * 27))
    assert layer.weight.abs().max() <= bound
    assert layer.weight.abs().max() > 0.98 * bound
    assert abs(layer.weight.std().item() - bound / math.sqrt(3)) < 0.02 * bound
    assert (layer.bias == 0).all()


def test_a_residual_block_adds_after_the_activation():
    block = ResidualBlock(2, 3, 5).eval()
    image = torch.randn(1, 3, 4, 4, 4)

    out = block(image)

    first = block.first(image) + block.shortcut(image)
    assert torch.equal(out, block.rest[0](first) + first)
