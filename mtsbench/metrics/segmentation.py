"""Segmentation metrics of one patient on the true mask's own grid.

A patient whose true mask is empty has neither overlap nor distance: a prediction there is a false
alarm, counted with its volume by `overlap.empty_masks`. A patient whose predicted mask is empty
is never dropped: the tumour was missed, and every metric says what that costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.errors import UndefinedMetricError
from mtsbench.interfaces import Score
from mtsbench.metrics.overlap import overlap
from mtsbench.metrics.surfaces import hausdorff_95, surface_dice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtsbench.volumes import Grid


class Dice:
    """Dice coefficient 2|A n B| / (|A| + |B|); 0 where nothing was predicted.

    Source: Dice, Ecology 26 (1945) 297.
    """

    higher_is_better = True

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """Dice in [0, 1]; undefined where the true mask is empty."""
        try:
            return Score(value=overlap(predicted, mask, grid).dice())
        except UndefinedMetricError as undefined:
            return Score(value=None, reason=str(undefined))


class Hausdorff95:
    """95th percentile Hausdorff distance in mm; the image's diagonal where nothing was predicted.

    Source: `mtsbench.metrics.surfaces.hausdorff_95`.
    """

    higher_is_better = False

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """Distance in mm; undefined where the true mask is empty."""
        try:
            return Score(value=hausdorff_95(predicted, mask, grid))
        except UndefinedMetricError as undefined:
            return Score(value=None, reason=str(undefined))


class SurfaceDice:
    """Share of both surfaces within `tolerance` mm of the other; 0 where nothing was predicted.

    Source: `mtsbench.metrics.surfaces.surface_dice`.
    """

    higher_is_better = True

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """Share in [0, 1]; undefined where the true mask is empty."""
        try:
            return Score(value=surface_dice(predicted, mask, grid, tolerance=self.tolerance))
        except UndefinedMetricError as undefined:
            return Score(value=None, reason=str(undefined))


class VolumeError:
    """Absolute difference of predicted and true tumour volume in mL.

    Defined for every patient: it is the missed volume where nothing was predicted, and the volume
    of the false alarm where there is no tumour.
    """

    higher_is_better = False

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """Volume in mL."""
        return Score(value=abs(overlap(predicted, mask, grid).volume_error()))


class Detection:
    """Whether the tumour was found: intersection over union above `least`; its mean is a rate.

    Source: the rule by which HECKTOR 2025 counts a lesion as found, applied to the whole mask.
    """

    higher_is_better = True

    def __init__(self, least: float) -> None:
        self.least = least

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """1 or 0; undefined where the true mask is empty."""
        try:
            found = overlap(predicted, mask, grid).intersection_over_union() > self.least
        except UndefinedMetricError as undefined:
            return Score(value=None, reason=str(undefined))
        return Score(value=float(found))
