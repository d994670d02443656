"""Times that differ only by rounding are one time.

A follow-up in months or years, turned into days, can give one patient 0.3 and another
0.30000000000000004. Compared exactly, they are no tie: a Kaplan-Meier curve gets a step too many,
and a concordance index a pair too many. Everything that compares times takes them from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TOLERANCE = 2.0**-26  # the square root of the float64 epsilon, 1.5e-8, as in R


def time_rounding(time: NDArray[np.float64]) -> float:
    """How far two of these times may lie apart, in days, and still be one time.

    1.5e-8 days, or 1.5e-8 of the mean of the distinct times where that is longer.

    Args:
        time: (N,) days; may be empty.

    Source: the rule of R's `survival::aeqSurv` (the option `timefix` of `coxph` and `survfit`).
    """
    return _rounding(np.unique(time))


def merge_equal_times(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) the same times, in which times that differ only by rounding have one value.

    Neighbours among the sorted distinct times that lie no further apart than `time_rounding` are
    one time, the smallest of them. Times that all differ by more come back unchanged, bit by bit.

    Args:
        time: (N,) days, finite.

    Source: as `time_rounding`.
    """
    distinct = np.unique(time)
    begins = np.diff(distinct, prepend=-np.inf) > _rounding(distinct)
    if begins.all():
        return time
    first = distinct[begins]
    return np.asarray(first[np.searchsorted(first, time, side="right") - 1])


def by_day(time: NDArray[np.float64], days: ArrayLike) -> NDArray[np.bool_]:
    """Whether each time is at or before the day; one that is later only by rounding counts.

    Args:
        time: Days, of any shape.
        days: Of a shape that broadcasts with `time`.
    """
    return np.asarray(time <= np.asarray(days) + time_rounding(time))


def _rounding(distinct: NDArray[np.float64]) -> float:
    return TOLERANCE * max(1.0, float(np.abs(distinct).mean())) if len(distinct) else TOLERANCE
