"""Backbones of timm-3d: `timm3d:NAME`."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from mtsbench.errors import PluginError
from mtsbench.interfaces import Features
from mtsbench_singletask.timm_import import import_timm


class TimmBackbone(nn.Module):
    """A classification network of timm-3d with random weights, giving one feature map per stage.

    Args:
        name: As `timm_3d.list_models()` has it.
        channels: Input channels.
        multiple: See `mtsbench.interfaces.Backbone`; from the catalogue.
    """

    segments = False
    smallest_side = 32  # all of the catalogue take it; many halve five times

    def __init__(self, name: str, channels: int, multiple: int) -> None:
        super().__init__()
        timm = import_timm()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.network: nn.Module = timm.create_model(
                name, pretrained=False, features_only=True, in_chans=channels
            )
        self.channels: tuple[int, ...] = tuple(self.network.feature_info.channels())
        self.multiple = multiple

    def forward(self, image: Tensor) -> Features:
        """Image (B, C, D, H, W) to maps (B, C_i, D_i, H_i, W_i)."""
        return Features(maps=tuple(self.network(image)))


def try_backbone(name: str, size: tuple[int, int, int]) -> TimmBackbone:
    """Build a network and train one step on noise of two channels; raises what goes wrong.

    Raises:
        PluginError: A map is not of shape (2, C_i, ., ., .).
    """
    torch.manual_seed(0)
    backbone = TimmBackbone(name, 2, multiple=1)
    maps = backbone(torch.randn(2, 2, *size)).maps
    for map_, channels in zip(maps, backbone.channels, strict=True):
        if map_.ndim != 5 or map_.shape[:2] != (2, channels):
            raise PluginError(
                f"{name}: a map has shape {tuple(map_.shape)}, not (2, {channels}, ..)"
            )
    torch.stack([map_.mean() for map_ in maps]).sum().backward()
    return backbone
