"""The Kaplan-Meier curve of the training part for everyone: what a model must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mtsbench.metrics.curves import stretch_middles
from mtsbench_radiomics.estimators.design import curve_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading
    from mtsbench_radiomics.estimators.design import Design


@dataclass(frozen=True, kw_only=True)
class MarginalFit:
    """One curve for all.

    Attributes:
        time: T days from 0.
        probability: T event-free probabilities, each from its day until the next.
    """

    kind: Literal["marginal"] = "marginal"
    time: tuple[float, ...]
    probability: tuple[float, ...]

    @property
    def survival_time(self) -> NDArray[np.float64]:
        """(T,) days."""
        return np.array(self.time)

    @property
    def survival_reading(self) -> SurvivalReading:
        """As steps."""
        return "step"

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) zeros."""
        return np.zeros(len(values))

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, T), every row the same."""
        return np.tile(self.probability, (len(values), 1))


@dataclass(frozen=True, kw_only=True)
class Marginal:
    """The Kaplan-Meier estimator; it works without any event."""

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Nothing to choose."""
        return (0.0,)

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(K, N) zeros."""
        return np.zeros((len(candidates), len(values)))

    def fit(self, design: Design, candidate: float, seed: int) -> MarginalFit:
        """Estimate the curve.

        Source: Kaplan & Meier, Journal of the American Statistical Association 53 (1958), 457.
        """
        time = curve_grid(design.time, design.event)
        steps, deaths = np.unique(design.time[design.event], return_counts=True)
        at_risk = (design.time[None, :] >= steps[:, None]).sum(axis=1)
        curve = np.concatenate([[1.0], np.cumprod(1 - deaths / at_risk)])
        probability = curve[np.searchsorted(steps, stretch_middles(time), side="right")]
        return MarginalFit(time=tuple(time.tolist()), probability=tuple(probability.tolist()))
