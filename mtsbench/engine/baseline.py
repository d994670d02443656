"""The baseline hazard of a Cox head, for survival curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from mtsbench.errors import DataError
from mtsbench.metrics.curves import step_days

if TYPE_CHECKING:
    from mtsbench.data import Outcomes, SurvivalReading


class BreslowBaseline(nn.Module):
    """Breslow's estimate of the cumulative baseline hazard, in buffers of fixed length.

    Source: Breslow, discussion of Cox, JRSS B 34 (1972) 216; the values are those of
    R's `basehaz(fit, centered = FALSE)` at the grid's days, if log risks are R's linear
    predictors. It is kept as a logarithm relative to the mean log risk of the training cases,
    so that log risks of +-50 neither overflow nor vanish.

    Attributes:
        days: (P,) `survival_time`, and its last day again up to the fixed length.
        log_hazard: (P,) log of the cumulative hazard of a case with log risk `centre`; -inf
            before the first event.
        centre: Mean log risk of the training cases.
        survival_reading: `step`.
    """

    days: Tensor
    log_hazard: Tensor
    centre: Tensor
    survival_reading: SurvivalReading = "step"

    def __init__(self, grid_points: int) -> None:
        super().__init__()
        self.register_buffer("days", torch.arange(grid_points, dtype=torch.float64))
        self.register_buffer("log_hazard", torch.full((grid_points,), -torch.inf).double())
        self.register_buffer("centre", torch.zeros((), dtype=torch.float64))

    @property
    def survival_time(self) -> Tensor:
        """(T,) day 0, the days of training events, on which alone curves fall, the last day.

        They are thinned where there are more than P (`mtsbench.metrics.curves.step_days`).
        """
        return self.days[: int(self.days.argmax()) + 1]

    def learn_grid(self, outcomes: Outcomes) -> None:
        """Lay the grid: day 0, the days of events, the last training time."""
        points = len(self.days)
        days = step_days(outcomes.time, outcomes.event, most=points)
        # In float64: rounded down to float32, a day would lose an event on it.
        self.days.copy_(torch.from_numpy(np.pad(days, (0, points - len(days)), mode="edge")))

    def learn(self, log_risk: Tensor, outcomes: Outcomes) -> None:
        """Estimate the hazard from the training cases.

        Args:
            log_risk: (N,) of the training cases.
            outcomes: Of the same cases, in their order.

        Raises:
            DataError: No training case has an event.
        """
        if not outcomes.event.any():
            raise DataError(
                f"{outcomes.endpoint}: no training case has an event, so there is no baseline "
                "hazard to learn; use fewer folds or another endpoint"
            )
        risk = log_risk.detach().double().cpu().numpy()
        centre = float(risk.mean())
        times = np.unique(outcomes.time[outcomes.event])
        steps = [
            np.log(np.count_nonzero(outcomes.event & (outcomes.time == time)))
            - np.logaddexp.reduce(risk[outcomes.time >= time] - centre)
            for time in times
        ]
        cumulative = np.concatenate([[-np.inf], np.logaddexp.accumulate(steps)])
        grid = self.days.cpu().numpy()
        self.log_hazard.copy_(
            torch.from_numpy(cumulative[np.searchsorted(times, grid, side="right")])
        )
        self.centre.fill_(centre)

    def curves(self, log_risk: Tensor) -> Tensor:
        """(B,) log risks to (B, T) event-free probabilities at `survival_time`."""
        relative = log_risk.double()[:, None] - self.centre
        log_hazard = self.log_hazard[: len(self.survival_time)]
        return torch.exp(-torch.exp(log_hazard + relative))


class CoxCurves:
    """What every head with one log risk a case (K = 1) says of it; a head inherits it first.

    Attributes:
        baseline: The head's own, made in its `__init__`.
    """

    baseline: BreslowBaseline

    @property
    def survival_reading(self) -> SurvivalReading:
        """As steps: a Breslow baseline rises on the days of training events only."""
        return self.baseline.survival_reading

    @property
    def survival_time(self) -> Tensor:
        """(T,) days of `survival_curves`, from 0 to the last training time."""
        return self.baseline.survival_time

    def learn_outcomes(self, outcomes: Outcomes) -> None:
        """The days of the curves; the partial likelihood needs no coding of time."""
        self.baseline.learn_grid(outcomes)

    def learn_baseline(self, survival: Tensor, outcomes: Outcomes) -> None:
        """Breslow's baseline hazard of the training cases."""
        self.baseline.learn(survival[:, 0], outcomes)

    def survival_curves(self, survival: Tensor) -> Tensor:
        """(B, 1) to (B, T) event-free probabilities."""
        return self.baseline.curves(survival[:, 0])

    def risk(self, survival: Tensor) -> Tensor:
        """(B, 1) to (B,): the log risk itself."""
        return survival[:, 0]
