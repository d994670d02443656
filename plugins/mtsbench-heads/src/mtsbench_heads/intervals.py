"""Days cut into intervals: learning the cuts, and coding follow-up with them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from mtsbench.errors import DataError, OptionError, PluginError
from mtsbench.tied_times import TOLERANCE, time_rounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes
    from mtsbench.interfaces import Outputs, Targets

Cuts = Literal["quantile", "equidistant", "given"]


def check_given(cut_points: tuple[float, ...]) -> None:
    """Refuse cut points that are no grid.

    Raises:
        OptionError: Fewer than two, not from 0, or not increasing.
    """
    increasing = all(a < b for a, b in pairwise(cut_points))
    if len(cut_points) < 2 or cut_points[0] != 0 or not increasing:
        raise OptionError(
            "cut_points must be days that begin at 0 and increase, like 0,365,730,1826, "
            f"got {','.join(f'{day:g}' for day in cut_points) or 'none'}"
        )


def learn_cuts(outcomes: Outcomes, intervals: int, cuts: Cuts) -> NDArray[np.float64]:
    """(K + 1,) days from 0, strictly increasing, learnt from training outcomes.

    `quantile` cuts at equally spaced quantiles of the distinct event times, interpolated, so that
    there are always K intervals; the last ends at the last event. `equidistant` cuts from 0 to the
    last follow-up.

    Event times that differ only by rounding are one, as everywhere in `Outcomes`.

    Raises:
        DataError: `quantile` with fewer than two distinct event times, or with times so close that
            cut points between them differ only by rounding.
    """
    if cuts == "equidistant":
        return np.linspace(0.0, float(outcomes.time.max()), intervals + 1)
    times = np.unique(outcomes.time[outcomes.event])
    if len(times) < 2:
        raise DataError(
            f"{outcomes.endpoint}: the training part has {len(times)} distinct event times, and "
            "quantile cut points need 2; use cuts=equidistant or fewer folds"
        )
    shares = np.arange(1, intervals + 1) / intervals
    # One interval ends below the first event time at the earliest, hence from 0 to the times.
    grid = np.concatenate([[0.0], np.quantile(times, shares)])
    if (np.diff(grid) <= time_rounding(grid)).any():
        raise DataError(
            f"{outcomes.endpoint}: the event times of the training part lie so close (day "
            f"{times[0]:g} to {times[-1]:g}) that {intervals} quantile cut points differ only by "
            "rounding; use fewer intervals or cuts=equidistant"
        )
    return grid


@dataclass(frozen=True, kw_only=True)
class Coded:
    """Follow-up on a grid.

    Attributes:
        index: (B,) interval of the event, or the last interval that a censored case survived.
        event: (B,) float 1 where the event lies within the grid.
        informative: (B,) float 0 for a case censored before it survived one interval.
    """

    index: Tensor
    event: Tensor
    informative: Tensor


def code(outputs: Outputs, targets: Targets, *, midpoint: bool = False) -> Coded:
    """Follow-up of a batch on the grid of the head.

    Interval k is (grid[k], grid[k + 1]]. A censored case counts as having survived an interval it
    saw the end of, or with `midpoint` (Gensheimer and Narasimhan, PeerJ 7 (2019) e6257) the middle
    of. An event after the grid counts as survival of all intervals. A time that differs from a cut
    point only by rounding, as an interpolated quantile can from the event time it is, is on it.

    Raises:
        PluginError: The head gave no grid, or one that does not fit its outputs.
    """
    grid = outputs.time_grid
    if grid is None or len(grid) != outputs.survival.shape[1] + 1:
        found = "none" if grid is None else f"{len(grid)}"
        raise PluginError(
            f"a discrete-time loss needs {outputs.survival.shape[1] + 1} cut points from the head, "
            f"got {found}; use a discrete head such as logistic-hazard"
        )
    time, grid = targets.time.to(grid), grid.contiguous()
    ends = (grid[:-1] + grid[1:]) / 2 if midpoint else grid[1:]
    near = TOLERANCE * grid.mean().clamp(min=1.0)
    survived = torch.searchsorted(ends.contiguous(), time + near, right=True)
    within = targets.event & (time - near <= grid[-1])
    interval = torch.searchsorted(grid, time - near) - 1
    last = torch.where(within, interval, survived - 1)
    return Coded(
        index=last.clamp(min=0),
        event=within.to(outputs.survival.dtype),
        informative=(last >= 0).to(outputs.survival.dtype),
    )
