"""Overlap of predicted and true tumour masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.interfaces import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.volumes import Grid


class Dice:
    """Dice coefficient 2|A n B| / (|A| + |B|) of one patient on the true mask's own grid.

    A patient whose true mask is empty has no Dice: a prediction there is a detection error, not
    an overlap. Source: Dice, Ecology 26 (1945) 297.
    """

    higher_is_better = True

    def per_case(self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid) -> Score:
        """Dice in [0, 1]; undefined where the true mask is empty."""
        if not mask.any():
            return Score(value=None, reason="the true mask is empty")
        overlap = np.count_nonzero(predicted & mask)
        return Score(value=2.0 * overlap / (np.count_nonzero(predicted) + np.count_nonzero(mask)))
