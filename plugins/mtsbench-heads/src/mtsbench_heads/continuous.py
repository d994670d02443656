"""Heads without intervals: Cox and Weibull."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtsbench.engine.baseline import BreslowBaseline, CoxCurves
from mtsbench_heads.trunk import Trunk

if TYPE_CHECKING:
    from mtsbench.data import Outcomes, SurvivalReading

# Bounds of the logarithms of scale / last training time and of shape: a Weibull with shape 0.2 to
# 4.5 and scale within e^8 of the follow-up; beyond, float32 overflows for cases like no other.
LARGEST_LOG_SCALE, LARGEST_LOG_SHAPE = 8.0, 1.5


class CoxHead(CoxCurves, Trunk):
    """Implements `Head` and `CurveHead`: one linear log risk, Breslow baseline for the curves."""

    def __init__(
        self,
        channels: Mapping[str, tuple[int, ...]],
        clinical_features: int,
        *,
        grid_points: int,
        hidden: int,
        dropout: float,
        l2: float,
    ) -> None:
        super().__init__(
            channels, clinical_features, outputs=1, hidden=hidden, dropout=dropout, l2=l2
        )
        self.baseline = BreslowBaseline(grid_points)


class WeibullHead(Trunk):
    """Implements `Head` and `CurveHead`: S(t) = exp(-(t / scale)^shape) with both from the image.

    The risk is minus the logarithm of the median survival time.

    Attributes:
        time_grid: (T,) days from 0 to the last training time, which is the unit of the scale.
    """

    time_grid: Tensor
    survival_reading: SurvivalReading = "linear"  # a smooth curve, of which these are points

    def __init__(
        self,
        channels: Mapping[str, tuple[int, ...]],
        clinical_features: int,
        *,
        grid_points: int,
        hidden: int,
        dropout: float,
        l2: float,
    ) -> None:
        super().__init__(
            channels, clinical_features, outputs=2, hidden=hidden, dropout=dropout, l2=l2
        )
        self.register_buffer("time_grid", torch.arange(grid_points, dtype=torch.float64))

    @property
    def survival_time(self) -> Tensor:
        """(T,) days of the curves."""
        return self.time_grid

    def learn_outcomes(self, outcomes: Outcomes) -> None:
        """The unit of time and the days of the curves."""
        last = float(outcomes.time.max())
        self.time_grid.copy_(torch.linspace(0, last, len(self.time_grid), dtype=torch.float64))

    def learn_baseline(self, survival: Tensor, outcomes: Outcomes) -> None:
        """Nothing: the outputs are the curve."""

    def survival_curves(self, survival: Tensor) -> Tensor:
        """(B, 2) to (B, T) event-free probabilities."""
        log_scale, shape = weibull_parameters(survival.double())
        log_time = (self.time_grid / self.time_grid[-1]).log()
        return torch.exp(-torch.exp(shape[:, None] * (log_time - log_scale[:, None])))

    def risk(self, survival: Tensor) -> Tensor:
        """(B, 2) to (B,)."""
        log_scale, shape = weibull_parameters(survival)
        return -(log_scale + math.log(math.log(2)) / shape)


def weibull_parameters(survival: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) outputs to (B,) log of scale / last training time and (B,) shape, both bounded."""
    log_scale = LARGEST_LOG_SCALE * torch.tanh(survival[:, 0] / LARGEST_LOG_SCALE)
    log_shape = LARGEST_LOG_SHAPE * torch.tanh(survival[:, 1] / LARGEST_LOG_SHAPE)
    return log_scale, log_shape.exp()
