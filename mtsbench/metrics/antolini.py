"""Time-dependent concordance of whole survival curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.shapes import check_curves, check_follow_up
from mtsbench.tied_times import merge_equal_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading

LEADERS_AT_ONCE = 256  # keeps memory at 256 x N, whatever the number of events


def antolini_c(
    survival: NDArray[np.float64],
    survival_time: NDArray[np.float64],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    reading: SurvivalReading,
) -> float:
    """Antolini's C^td: share of comparable pairs whose curves agree at the earlier event.

    A pair is concordant when, on the day of the earlier event, the patient who had it was given
    the lower survival; equal survivals count one half. It equals Harrell's C where curves never
    cross. Never compare the C^td of one model with Harrell's C of another. pycox scores ties of
    curves 0 (`antolini`) or counts tied pairs twice (`adj_antolini`), so its values differ.

    Args:
        survival: (N, T) at `survival_time`.
        survival_time: (T,) days, strictly increasing.
        time: (N,) days.
        event: (N,) True where the event was observed.
        reading: How curves are read between their grid days, as in `curves.survival_at`.

    Raises:
        UndefinedMetricError: No pair is comparable.
        ValueError: As `shapes.check_follow_up` and `shapes.check_curves`.

    Source: Antolini et al., Stat Med 24 (2005) 3927.
    """
    check_follow_up(time, event)
    check_curves(survival, survival_time, len(time))
    time = merge_equal_times(time)
    agreeing = pairs = 0.0
    leaders = np.flatnonzero(event)
    for begin in range(0, len(leaders), LEADERS_AT_ONCE):
        row = leaders[begin : begin + LEADERS_AT_ONCE]
        at_event = survival_at(time[row], survival, survival_time, reading=reading)
        own, other = at_event[row, np.arange(len(row))], at_event.T
        later = time > time[row, None]
        later |= (time == time[row, None]) & ~event
        pairs += np.count_nonzero(later)
        agreeing += np.count_nonzero((own[:, None] < other) & later)
        agreeing += 0.5 * np.count_nonzero((own[:, None] == other) & later)
    if pairs == 0:
        raise UndefinedMetricError(
            f"no comparable pair among {len(time)} cases with {len(leaders)} events, "
            "so C^td is undefined"
        )
    return agreeing / pairs
