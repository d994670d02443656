"""What all heads share: pooled maps and clinical features through a dense layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtsbench.errors import PluginError


class Trunk(nn.Module):
    """Global average of every map, joined with the clinical features, to K outputs.

    Args:
        channels: Group of maps to the channels of its maps; may hold no map at all.
        clinical_features: F, may be 0 if there are maps.
        outputs: K.
        hidden: Width of the dense layer between; 0 leaves it out, so that the head is linear.
        dropout: Probability before every dense layer.
        l2: Penalty on the dense kernels: l2 * sum of squares.

    Raises:
        PluginError: There is neither a map nor a clinical feature.
    """

    def __init__(
        self,
        channels: Mapping[str, tuple[int, ...]],
        clinical_features: int,
        *,
        outputs: int,
        hidden: int,
        dropout: float,
        l2: float,
    ) -> None:
        super().__init__()
        self.groups = tuple(channels)
        self.l2 = l2
        width = sum(sum(group) for group in channels.values()) + clinical_features
        if not width:
            raise PluginError(
                "the head would see neither feature maps nor clinical features; use a backbone "
                "with maps or a dataset with clinical variables"
            )
        layers: list[nn.Module] = [nn.Dropout(dropout)]
        if hidden:
            layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout)]
        self.dense = nn.Sequential(*layers, nn.Linear(hidden or width, outputs))

    def forward(self, maps: Mapping[str, Sequence[Tensor]], clinical: Tensor) -> Tensor:
        """(B, K) from groups of maps (B, C_i, D_i, H_i, W_i) and clinical (B, F)."""
        # In the order the head was built for, whatever the order of the mapping.
        levels = [level for group in self.groups for level in maps[group]]
        pooled = [level.mean(dim=(2, 3, 4)).float() for level in levels]
        outputs: Tensor = self.dense(torch.cat([*pooled, clinical.float()], dim=1))
        return outputs

    def penalty(self) -> Tensor:
        """Scalar l2 on the kernels, biases free."""
        kernels = [layer.weight for layer in self.dense if isinstance(layer, nn.Linear)]
        return self.l2 * torch.stack([kernel.square().sum() for kernel in kernels]).sum()
