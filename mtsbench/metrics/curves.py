"""Reading predicted survival curves at chosen days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Interpolation = Literal["linear", "step"]


def survival_at(
    days: NDArray[np.float64],
    survival: NDArray[np.float64],
    survival_time: NDArray[np.float64],
    *,
    interpolation: Interpolation = "linear",
) -> NDArray[np.float64]:
    """(N, M) probabilities of being event-free at M days.

    Curves start at 1 on day 0 and are constant after the last day of their grid, so nothing after
    that day should be scored.

    Args:
        days: (M,) days.
        survival: (N, T) at `survival_time`.
        survival_time: (T,) days, strictly increasing.
        interpolation: `linear` between grid days, for grids coarser than the events; `step`
            for curves that fall only on their grid days.
    """
    if survival_time[0] > 0:
        survival_time = np.concatenate([[0.0], survival_time])
        survival = np.concatenate([np.ones((len(survival), 1)), survival], axis=1)
    last = len(survival_time) - 1
    left = np.clip(np.searchsorted(survival_time, days, side="right") - 1, 0, last)
    if interpolation == "step":
        return survival[:, left]
    right = np.minimum(left + 1, last)
    width = np.where(right > left, survival_time[right] - survival_time[left], 1.0)
    share = np.clip((days - survival_time[left]) / width, 0.0, 1.0)
    return survival[:, left] * (1 - share) + survival[:, right] * share
