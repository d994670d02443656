"""Harrell's C of many features at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def univariate_concordance(
    values: NDArray[np.float64], time: NDArray[np.float64], event: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Harrell's C of each feature taken as a risk, pairs as in `mtsbench.metrics`.

    Args:
        values: (N, F), complete.
        time: (N,) days.
        event: (N,) True where the event was observed.

    Returns:
        (F,) in [0, 1]; 0.5 where no pair of cases is comparable, because nothing is then known
        against a feature.
    """
    later = (time[:, None] < time[None, :]) | ((time[:, None] == time[None, :]) & ~event[None, :])
    comparable = (event[:, None] & later)[event]
    pairs = int(comparable.sum())
    if pairs == 0:
        return np.full(values.shape[1], 0.5)
    scores = np.empty(values.shape[1])
    # One feature at a time: all at once would need events x N x F numbers.
    for column, feature in enumerate(np.ascontiguousarray(values.T)):
        earlier = feature[event][:, None]
        concordant = np.count_nonzero((earlier > feature) & comparable)
        discordant = np.count_nonzero((earlier < feature) & comparable)
        scores[column] = 0.5 + 0.5 * (concordant - discordant) / pairs
    return scores
