"""A linear log hazard with its baseline, as Cox models leave it."""

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

STEEPEST = 50.0  # exp of it is finite, and no curve can be told from one with more


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """Coefficients and Breslow's cumulative baseline hazard.

    Attributes:
        coefficients: F log hazard ratios per unit of each feature.
        centre: F values at which the log hazard is 0, the training means.
        time: T days from 0.
        cumulative_hazard: T values of the baseline, each from its day until the next.
    """

    kind: Literal["linear"] = "linear"
    coefficients: tuple[float, ...]
    centre: tuple[float, ...]
    time: tuple[float, ...]
    cumulative_hazard: tuple[float, ...]

    @property
    def survival_time(self) -> NDArray[np.float64]:
        """(T,) days."""
        return np.array(self.time)

    @property
    def survival_reading(self) -> SurvivalReading:
        """As steps: the baseline hazard rises on the days of training events only."""
        return "step"

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) log hazard ratio to a case with the training means."""
        risk: NDArray[np.float64] = (values - np.array(self.centre)) @ np.array(self.coefficients)
        return risk

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, T) exp(-H0(t) exp(log hazard ratio))."""
        return proportional_curves(self.risk(values), np.array(self.cumulative_hazard))


def linear_fit(design: Design, coefficients: NDArray[np.float64]) -> LinearFit:
    """The model with these coefficients, its baseline learnt from the design."""
    centre = design.values.mean(axis=0)
    time = curve_grid(design.time, design.event)
    hazard = breslow_hazard((design.values - centre) @ coefficients, design, time)
    return LinearFit(
        coefficients=tuple(coefficients.tolist()),
        centre=tuple(centre.tolist()),
        time=tuple(time.tolist()),
        cumulative_hazard=tuple(hazard.tolist()),
    )


def breslow_hazard(
    log_hazard: NDArray[np.float64], design: Design, time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(T,) cumulative baseline hazard of the stretches that begin at `time`, from `curve_grid`.

    Source: Breslow, Biometrics 30 (1974), 89-99.
    """
    weight = np.exp(np.clip(log_hazard, -STEEPEST, STEEPEST))
    steps, deaths = np.unique(design.time[design.event], return_counts=True)
    at_risk = (design.time[None, :] >= steps[:, None]) @ weight
    total = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    cumulative: NDArray[np.float64] = total[
        np.searchsorted(steps, stretch_middles(time), side="right")
    ]
    return cumulative


def proportional_curves(
    log_hazard: NDArray[np.float64], cumulative_hazard: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, T) survival under proportional hazards."""
    ratio = np.exp(np.clip(log_hazard, -STEEPEST, STEEPEST))
    curves: NDArray[np.float64] = np.exp(-ratio[:, None] * cumulative_hazard[None, :])
    return curves
