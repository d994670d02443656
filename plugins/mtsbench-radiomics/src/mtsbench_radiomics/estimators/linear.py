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

LARGEST_LOG = 700.0  # exp of it is finite


@dataclass(frozen=True, kw_only=True)
class LinearFit:
    """Coefficients and Breslow's cumulative baseline hazard.

    Attributes:
        coefficients: F log hazard ratios per unit of each feature.
        centre: F values at which the log hazard is 0: the training medians, because a single case
            with an extreme value can move the means far from all cases, and there the baseline
            would be too small or too large for a number.
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
        """(N,) log hazard ratio to a case with the training medians."""
        risk: NDArray[np.float64] = (values - np.array(self.centre)) @ np.array(self.coefficients)
        return risk

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, T) exp(-H0(t) exp(log hazard ratio))."""
        return proportional_curves(self.risk(values), np.array(self.cumulative_hazard))


def linear_fit(design: Design, coefficients: NDArray[np.float64]) -> LinearFit:
    """The model with these coefficients, its baseline learnt from the design."""
    centre = np.median(design.values, axis=0)
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
    order = np.argsort(-design.time, kind="stable")
    # Logarithms, so that no risk is too high for a number. A risk set is a prefix of `order`.
    at_risk = np.logaddexp.accumulate(log_hazard[order])
    steps, deaths = np.unique(design.time[design.event], return_counts=True)
    last = np.searchsorted(-design.time[order], -steps, side="right") - 1
    hazard = np.exp(np.minimum(np.log(deaths) - at_risk[last], LARGEST_LOG))
    total = np.concatenate([[0.0], np.cumsum(hazard)])
    cumulative: NDArray[np.float64] = total[
        np.searchsorted(steps, stretch_middles(time), side="right")
    ]
    return cumulative


def proportional_curves(
    log_hazard: NDArray[np.float64], cumulative_hazard: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, T) survival under proportional hazards."""
    with np.errstate(divide="ignore"):  # no hazard before the first event, and its log is -inf
        log_cumulative = np.log(cumulative_hazard)[None, :] + log_hazard[:, None]
    curves: NDArray[np.float64] = np.exp(-np.exp(np.minimum(log_cumulative, LARGEST_LOG)))
    return curves
