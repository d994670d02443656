"""Heads over intervals of time: logistic hazard, PMF, MTLR, DeepHit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional

from mtsbench_heads.intervals import Cuts, check_given, learn_cuts
from mtsbench_heads.trunk import Trunk

if TYPE_CHECKING:
    from mtsbench.data import Outcomes, SurvivalReading

Coding = Literal["hazard", "mass", "mtlr"]
Risk = Literal["expected-mortality", "rmst"]


class DiscreteHead(Trunk):
    """Implements `Head` and `CurveHead`: one output for each of K intervals.

    Coding of the outputs phi:
    - `hazard`: logits of the hazard of each interval (Gensheimer and Narasimhan, PeerJ 2019).
    - `mass`: log weights of an event in each interval, and 0 for none (Kvamme and Borgan,
      Lifetime Data Anal. 27 (2021); DeepHit: Lee et al., AAAI 2018).
    - `mtlr`: as `mass`, of the sums of phi from each interval on (Yu et al., NeurIPS 2011).

    The risk is the expected mortality, the sum of the cumulative hazard over the ends of the
    intervals (Ishwaran et al., Ann. Appl. Stat. 2 (2008) 841), or minus the restricted mean
    survival time over the grid with S linear within an interval.

    Within an interval the curves fall along a straight line: its probability is spread evenly over
    it. That is the constant density interpolation of Kvamme and Borgan, pycox's default scheme of
    `interpolate`. Read as steps, a curve would leave out all that an interval loses until its end.

    Attributes:
        time_grid: (K + 1,) days from 0.
        survival_reading: `linear`.
    """

    time_grid: Tensor
    survival_reading: SurvivalReading = "linear"

    def __init__(
        self,
        channels: Mapping[str, tuple[int, ...]],
        clinical_features: int,
        *,
        coding: Coding,
        intervals: int,
        cuts: Cuts,
        cut_points: tuple[float, ...],
        risk: Risk,
        hidden: int,
        dropout: float,
        l2: float,
    ) -> None:
        if cuts == "given":
            check_given(cut_points)
            intervals = len(cut_points) - 1
        super().__init__(
            channels,
            clinical_features,
            outputs=intervals,
            hidden=hidden,
            dropout=dropout,
            l2=l2,
        )
        self.coding, self.cuts, self.risk_kind = coding, cuts, risk
        grid = cut_points if cuts == "given" else tuple(map(float, range(intervals + 1)))
        self.register_buffer("time_grid", torch.tensor(grid, dtype=torch.float64))

    @property
    def survival_time(self) -> Tensor:
        """(K + 1,) days of the curves: the cut points."""
        return self.time_grid

    def learn_outcomes(self, outcomes: Outcomes) -> None:
        """Cut points from training outcomes, unless they are given."""
        if self.cuts != "given":
            learnt = learn_cuts(outcomes, len(self.time_grid) - 1, self.cuts)
            self.time_grid.copy_(torch.from_numpy(learnt))

    def learn_baseline(self, survival: Tensor, outcomes: Outcomes) -> None:
        """Nothing: the outputs are the curve."""

    def survival_curves(self, survival: Tensor) -> Tensor:
        """(B, K) to (B, K + 1) event-free probabilities at the cut points, 1 at day 0."""
        return functional.pad(self._log_survival(survival).exp(), (1, 0), value=1.0)

    def risk(self, survival: Tensor) -> Tensor:
        """(B, K) to (B,)."""
        if self.risk_kind == "expected-mortality":
            return -self._log_survival(survival).sum(dim=1)
        curves = self.survival_curves(survival)
        return -torch.trapezoid(curves, self.time_grid, dim=1)

    def _log_survival(self, survival: Tensor) -> Tensor:
        """(B, K) log S at the ends of the intervals, in float64."""
        phi = survival.double()
        if self.coding == "hazard":
            return functional.logsigmoid(-phi).cumsum(dim=1)
        if self.coding == "mtlr":
            phi = phi.flip(1).cumsum(dim=1).flip(1)
        padded = functional.pad(phi, (0, 1))
        # The weight of all later intervals, and of no event, from the last on.
        later = padded.flip(1).logcumsumexp(dim=1).flip(1)
        return later[:, 1:] - later[:, :1]
