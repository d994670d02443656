"""`deepmts-cox`: pooled features and clinical variables to one log risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtsbench.engine.baseline import BreslowBaseline, CoxCurves
from mtsbench.errors import PluginError

GRID_POINTS = 512


class CoxHead(CoxCurves, nn.Module):
    """Implements `Head` and `CurveHead` of `mtsbench.interfaces`: a linear Cox output, K = 1.

    Its survival curves are not part of the published method.

    With two groups of maps, each is pooled, dropped out and passed through its own dense layer,
    and the clinical features join before the last layer, where dropout hits them too. With one
    group (the ablations) they join before the dense layer, as the published code of the ablations
    meant to do: there the joined vector is computed but not passed on.

    Source: Meng et al., JBHI 26 (2022) 4497, section III.

    Args:
        channels: Group (`backbone`, `survival_network`) to the channels of its maps.
        clinical_features: F, may be 0.
        hidden: Width of the dense layers.
        dropout: Probability before every dense layer.
        l2: Penalty on the dense kernels: l2 * sum of squares, without a half, biases free.
    """

    def __init__(
        self,
        channels: Mapping[str, tuple[int, ...]],
        clinical_features: int,
        *,
        hidden: int,
        dropout: float,
        l2: float,
    ) -> None:
        super().__init__()
        self.groups = tuple(channels)
        self.clinical_first = len(channels) == 1
        self.l2 = l2
        early = clinical_features if self.clinical_first else 0
        late = clinical_features - early
        self.dense = nn.ModuleDict(
            {group: nn.Linear(sum(widths) + early, hidden) for group, widths in channels.items()}
        )
        self.output = nn.Linear(hidden * len(channels) + late, 1)
        self.dropout = nn.Dropout(dropout)
        self.baseline = BreslowBaseline(GRID_POINTS)
        for layer in self._kernels():
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Mapping[str, Sequence[Tensor]], clinical: Tensor) -> Tensor:
        """Log risk (B, 1).

        Raises:
            PluginError: The groups are not those the head was built for.
        """
        if set(maps) != set(self.groups):
            raise PluginError(
                f"the head was built for maps of {', '.join(self.groups)}, "
                f"got {', '.join(maps) or 'none'}"
            )
        hidden = []
        for group in self.groups:
            pooled = torch.cat([level.mean(dim=(2, 3, 4)) for level in maps[group]], dim=1)
            if self.clinical_first:
                pooled = torch.cat([pooled, clinical.to(pooled.dtype)], dim=1)
            hidden.append(self.dense[group](self.dropout(pooled)).relu())
        if not self.clinical_first:
            hidden.append(clinical.to(hidden[0].dtype))
        risk: Tensor = self.output(self.dropout(torch.cat(hidden, dim=1)))
        return risk

    def penalty(self) -> Tensor:
        """Keras' l2 on the dense kernels."""
        squares = [layer.weight.square().sum() for layer in self._kernels()]
        return self.l2 * torch.stack(squares).sum()

    def _kernels(self) -> list[nn.Linear]:
        return [module for module in self.modules() if isinstance(module, nn.Linear)]
