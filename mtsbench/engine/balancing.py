"""How the tasks of a network share its total loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mtsbench.composition import Task, TrainingSettings


class TaskBalance(nn.Module):
    """Task losses to one total; its parameters, if any, are trained with the network's.

    - `fixed`: their sum, segmentation times `segmentation_emphasis`.
    - `one-minus-gamma`: (1 - gamma) survival + gamma segmentation (TMSS, Saeed et al. 2022).
    - `uncertainty`: sum of exp(-s) L + s / 2 with a learnt s for each task (Kendall et al., CVPR
      2018). Only for losses that are never negative: with a negative one, s falls for ever.
    - `two-stage`: segmentation alone, then survival alone with no layer frozen (AdaMSS, Meng et
      al. 2024).

    `segmentation_emphasis` multiplies the segmentation loss first, whatever the rule.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        super().__init__()
        self.settings = settings
        self.log_variance = nn.ParameterDict()
        if settings.balancing == "uncertainty":
            for task in ("segmentation", "survival"):
                self.log_variance[task] = nn.Parameter(torch.zeros(()))

    def forward(self, task_losses: Mapping[Task, Tensor], epoch: int) -> Tensor:
        """Total of the tasks that have a loss, in an epoch counted from 0."""
        rule, total = self.settings.balancing, None
        for task, value in task_losses.items():
            if task == "segmentation":
                value = value * self.settings.segmentation_emphasis
            if rule == "uncertainty":
                log_variance = self.log_variance[task]
                value = torch.exp(-log_variance) * value + log_variance / 2
            else:
                value = value * self._weight(task, epoch)
            total = value if total is None else total + value
        assert total is not None  # a composition has at least one loss
        return total

    def _weight(self, task: Task, epoch: int) -> float:
        settings = self.settings
        if settings.balancing == "one-minus-gamma":
            return settings.gamma if task == "segmentation" else 1 - settings.gamma
        if settings.balancing == "two-stage":
            first = epoch < first_stage_epochs(settings)
            return float(first == (task == "segmentation"))
        return 1.0


def first_stage_epochs(settings: TrainingSettings) -> int:
    """Epochs of `two-stage` that train segmentation alone: at least 1, and 1 is left; else 0."""
    if settings.balancing != "two-stage":
        return 0
    return min(max(1, round(settings.epochs * settings.first_stage)), settings.epochs - 1)
