"""The Kaplan-Meier curve of a group of patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.stats import norm

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.shapes import check_follow_up
from mtsbench.tied_times import merge_equal_times, time_rounding

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class KaplanMeier:
    """A step curve that starts at 1 and is constant after the last follow-up.

    A day that differs from one of `time` only by rounding is that day, wherever the curve is read.

    Attributes:
        time: (T,) distinct days of follow-up, increasing.
        at_risk: (T,) patients under observation just before each day.
        events: (T,) events on each day.
        survival: (T,) probability of being event-free after each day.
        error: (T,) Greenwood standard error of log survival, R's `survfit()$std.err`; inf where
            the curve has reached 0.
    """

    time: NDArray[np.float64]
    at_risk: NDArray[np.int64]
    events: NDArray[np.int64]
    survival: NDArray[np.float64]
    error: NDArray[np.float64]

    def at(self, days: ArrayLike) -> NDArray[np.float64]:
        """The curve on these days, events of the day included."""
        return self._read(self.survival, 1.0, days, "right")

    def before(self, days: ArrayLike) -> NDArray[np.float64]:
        """The left limit of the curve on these days, events of the day not included."""
        return self._read(self.survival, 1.0, days, "left")

    def standard_error(self, days: ArrayLike) -> NDArray[np.float64]:
        """Greenwood standard error of the curve on these days; 0 where it has reached 0."""
        survival, error = self.at(days), self._read(self.error, 0.0, days, "right")
        return np.asarray(survival * np.where(survival > 0, error, 0.0))

    def interval(
        self, days: ArrayLike, confidence: float = 0.95
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper pointwise limits on the log scale, R's `conf.type = "log"`.

        They are nan where the curve has reached 0, as in R: a figure leaves them out.
        """
        survival, error = self.at(days), self._read(self.error, 0.0, days, "right")
        reach = float(norm.ppf((1 + confidence) / 2)) * np.where(survival > 0, error, np.nan)
        return survival * np.exp(-reach), np.minimum(1.0, survival * np.exp(reach))

    def numbers_at_risk(self, days: ArrayLike) -> NDArray[np.int64]:
        """Patients under observation just before these days."""
        return np.append(self.at_risk, 0)[self._place(days, "left")]

    def median(self) -> float:
        """Day by which half the patients had the event; the middle of a flat stretch at 1/2.

        Raises:
            UndefinedMetricError: The curve does not reach 1/2.
        """
        # R's tolerance: 0.5 reached by products of fractions is seldom exactly 0.5.
        below = np.flatnonzero(self.survival < 0.5 + 1e-12)
        if len(below) == 0:
            raise UndefinedMetricError("fewer than half the patients had the event in follow-up")
        first = below[0]
        lower = np.flatnonzero((self.survival < 0.5 - 1e-12) & (self.events > 0))
        if abs(self.survival[first] - 0.5) <= 1e-12 and len(lower):
            return float((self.time[first] + self.time[lower[0]]) / 2)
        return float(self.time[first])

    def restricted_mean(self, tau: float) -> tuple[float, float]:
        """Mean event-free days up to day `tau`, and its standard error.

        Raises:
            UndefinedMetricError: Follow-up ends before `tau` while patients are event-free.

        Source: R `summary(survfit(...), rmean = tau)`.
        """
        if tau > self.time[-1] and self.survival[-1] > 0:
            raise UndefinedMetricError(
                f"follow-up ends on day {self.time[-1]:g}, before tau = {tau:g}; "
                "choose an earlier tau"
            )
        within = self.time < tau
        edges = np.concatenate([[0.0], self.time[within], [tau]])
        height = np.concatenate([[1.0], self.survival[within]])
        area = np.diff(edges) * height
        after = (area.sum() - np.cumsum(area))[:-1]  # area to the right of each day
        risk, events = self.at_risk[within], self.events[within]
        # Nobody is left after the last event: its area is 0, and so is its share.
        share = np.where(risk > events, events / (risk * np.maximum(risk - events, 1)), 0.0)
        return float(area.sum()), float(np.sqrt((after**2 * share).sum()))

    def _read(
        self,
        values: NDArray[np.float64],
        start: float,
        days: ArrayLike,
        side: Literal["left", "right"],
    ) -> NDArray[np.float64]:
        return np.concatenate([[start], values])[self._place(days, side)]

    def _place(self, days: ArrayLike, side: Literal["left", "right"]) -> NDArray[np.intp]:
        """How many of `time` lie before each day; with `right`, the day itself included."""
        near = time_rounding(self.time) * (1 if side == "right" else -1)
        return np.searchsorted(self.time, np.asarray(days, dtype=np.float64) + near, side=side)


def kaplan_meier(time: NDArray[np.float64], event: NDArray[np.bool_]) -> KaplanMeier:
    """The product-limit estimate; patients censored on the day of an event are at risk for it.

    Args:
        time: (N,) days.
        event: (N,) True where the event was observed.

    Raises:
        ValueError: As `shapes.check_follow_up`.

    Source: Kaplan & Meier, JASA 53 (1958) 457; R `survival::survfit`.
    """
    check_follow_up(time, event)
    days, row = np.unique(merge_equal_times(time), return_inverse=True)
    events = np.bincount(row, weights=event, minlength=len(days)).astype(np.int64)
    left = np.bincount(row, minlength=len(days))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(left)[:-1]])
    return product_limit(days, at_risk, events)


def product_limit(
    time: NDArray[np.float64], at_risk: NDArray[np.int64], events: NDArray[np.int64]
) -> KaplanMeier:
    """The curve of counted risk sets and events on increasing days."""
    remain = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(events > 0, events / (at_risk * remain), 0.0)
        survival = np.cumprod(np.where(events > 0, remain / at_risk, 1.0), dtype=np.float64)
    return KaplanMeier(
        time=time,
        at_risk=at_risk,
        events=events,
        survival=survival,
        error=np.sqrt(np.cumsum(share)),
    )
