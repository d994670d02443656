"""Concordance of predicted risk with observed follow-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.interfaces import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Outcomes, Predictions


def harrell_c(
    risk: NDArray[np.float64], time: NDArray[np.float64], event: NDArray[np.bool_]
) -> float:
    """Harrell's C: share of comparable pairs whose order the risk tells, ties in risk 1/2.

    A pair (i, j) is comparable when i had the event and j was followed for longer, or was
    censored at the same time; two events at the same time are not comparable. Equal risks are
    ties only when exactly equal: no tolerance, so tiny risks keep their order.

    Args:
        risk: (N,) higher means an earlier event.
        time: (N,) days.
        event: (N,) True where the event was observed.

    Raises:
        ValueError: No pair is comparable, or a risk is not finite.

    Source: Harrell et al., JAMA 247 (1982) 2543; ties as R `survival::concordance`.
    """
    if not np.isfinite(risk).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(risk))} risks are not finite")
    later = (time[:, None] < time[None, :]) | ((time[:, None] == time[None, :]) & ~event[None, :])
    comparable = event[:, None] & later
    pairs = int(comparable.sum())
    if pairs == 0:
        raise ValueError(
            f"no comparable pair among {len(time)} cases with {int(event.sum())} events, "
            "so the C-index is undefined"
        )
    concordant = (risk[:, None] > risk[None, :])[comparable].sum()
    tied = (risk[:, None] == risk[None, :])[comparable].sum()
    return float((concordant + 0.5 * tied) / pairs)


class HarrellC:
    """Harrell's C of one test fold; never pooled over folds, whose risk scales differ."""

    higher_is_better = True

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """The fold's C-index, or the reason why no pair can be compared."""
        try:
            return Score(value=harrell_c(predictions.risk, test.time, test.event))
        except ValueError as undefined:
            return Score(value=None, reason=str(undefined))
