"""Reading predicted survival curves at chosen days, as each curve says that it is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.shapes import check_curves
from mtsbench.tied_times import time_rounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Predictions, SurvivalReading


def survival_at(
    days: NDArray[np.float64],
    survival: NDArray[np.float64],
    survival_time: NDArray[np.float64],
    *,
    reading: SurvivalReading,
) -> NDArray[np.float64]:
    """(N, M) probabilities of being event-free at M days.

    Curves start at 1 on day 0 and are constant after the last day of their grid, so nothing after
    that day should be scored. There is no default reading: a Kaplan-Meier curve of visits half a
    year apart, read along straight lines, promised 0.616 where it says 0.698.

    Args:
        days: (M,) days.
        survival: (N, T) at `survival_time`.
        survival_time: (T,) days, strictly increasing.
        reading: `step` for curves that fall only on their grid days, by that day's value, from it
            until the next; `linear` for curves that fall between them too, along straight lines.

    Raises:
        ValueError: As `shapes.check_curves`, or another reading.
    """
    check_curves(survival, survival_time)
    if np.ndim(days) != 1:
        raise ValueError(f"days must have shape (M,), got {np.shape(days)}")
    if survival_time[0] > 0:
        survival_time = np.concatenate([[0.0], survival_time])
        survival = np.concatenate([np.ones((len(survival), 1)), survival], axis=1)
    last = len(survival_time) - 1
    # A day that is before a step only by rounding is on it.
    near = days + time_rounding(survival_time) if reading == "step" else days
    left = np.clip(np.searchsorted(survival_time, near, side="right") - 1, 0, last)
    if reading == "step":
        return survival[:, left]
    if reading != "linear":
        raise ValueError(f"reading must be 'step' or 'linear', got {reading!r}")
    right = np.minimum(left + 1, last)
    width = np.where(right > left, survival_time[right] - survival_time[left], 1.0)
    share = np.clip((days - survival_time[left]) / width, 0.0, 1.0)
    return survival[:, left] * (1 - share) + survival[:, right] * share


def curves_of(
    predictions: Predictions,
) -> tuple[NDArray[np.float64], NDArray[np.float64], SurvivalReading]:
    """The curves (N, T), their days (T,) and how they are read.

    Raises:
        UndefinedMetricError: There are no curves.
    """
    survival, days = predictions.survival, predictions.survival_time
    if survival is None or days is None or predictions.survival_reading is None:
        raise UndefinedMetricError("the model gives no survival curves")
    return survival, days, predictions.survival_reading


def predicted_survival(predictions: Predictions, days: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M) probabilities of being event-free at M days, read as the predictions say.

    Raises:
        UndefinedMetricError: There are no curves.
    """
    survival, survival_time, reading = curves_of(predictions)
    return survival_at(days, survival, survival_time, reading=reading)


def step_days(
    time: NDArray[np.float64], event: NDArray[np.bool_], *, most: int
) -> NDArray[np.float64]:
    """(T,) days for curves that fall only at events: 0, the days of events, the last follow-up.

    Where that is more than `most` days, those of events are thinned so that the Kaplan-Meier curve
    of these cases falls in about equal steps between those kept; a day on which it falls by more
    than such a step is always kept. A curve read as steps is exact unless its days were thinned.

    Args:
        time: (N,) days of the training cases.
        event: (N,) True where the event was observed.
        most: Largest T, at least 2.

    Raises:
        ValueError: As `shapes.check_follow_up`, or `most` is below 2.
    """
    if most < 2:
        raise ValueError(f"a curve needs at least 2 days, day 0 and the last one, got {most}")
    curve = kaplan_meier(time, event)
    falls = curve.events > 0
    days, fallen, last = curve.time[falls], 1 - curve.survival[falls], curve.time[-1]
    kept = most - (2 if not len(days) or days[-1] < last else 1)  # beside day 0 and the last one
    if len(days) > kept:
        wanted = np.linspace(fallen[0], fallen[-1], kept)
        days = days[np.searchsorted(fallen, wanted).clip(max=len(days) - 1)]
    return np.unique(np.concatenate([[0.0], days, [last]]))


def stretch_middles(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) the middle of the stretch that each day of `step_days` opens; the last day itself.

    The value that a step curve has there stands for the whole stretch. Where no event lies between
    the days, it is the value on the day; where days were thinned, it is neither too high nor too
    low on average, as the value on the day would be too high.
    """
    return np.append((days[:-1] + days[1:]) / 2, days[-1])
