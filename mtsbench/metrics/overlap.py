"""Overlap and volume of predicted and true tumour masks, counted in voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.shapes import check_masks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.volumes import Grid

MM3_PER_ML = 1000.0


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Sizes of one patient's masks.

    Attributes:
        true: Voxels of the true mask.
        predicted: Voxels of the predicted mask.
        both: Voxels of their intersection.
        voxel: mL of one voxel.
    """

    true: int
    predicted: int
    both: int
    voxel: float

    def dice(self) -> float:
        """2 |A n B| / (|A| + |B|); 0 where nothing was predicted.

        Raises:
            UndefinedMetricError: The true mask is empty: a prediction there is a false alarm to
                be reported with its volume, not an overlap.
        """
        self._needs_tumour()
        return 2 * self.both / (self.true + self.predicted)

    def intersection_over_union(self) -> float:
        """|A n B| / |A u B|.

        Raises:
            UndefinedMetricError: The true mask is empty.
        """
        self._needs_tumour()
        return self.both / (self.true + self.predicted - self.both)

    def volume_error(self) -> float:
        """Predicted minus true volume in mL; defined for empty masks too."""
        return (self.predicted - self.true) * self.voxel

    def relative_volume_error(self) -> float:
        """Volume error by the true volume; -1 where nothing was predicted.

        Raises:
            UndefinedMetricError: The true mask is empty.
        """
        self._needs_tumour()
        return (self.predicted - self.true) / self.true

    def _needs_tumour(self) -> None:
        if self.true == 0:
            raise UndefinedMetricError("the true mask is empty")


def overlap(predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid) -> Overlap:
    """Sizes of two masks (D, H, W) on one grid. ValueError if their shapes differ."""
    check_masks(predicted, mask)
    return Overlap(
        true=int(np.count_nonzero(mask)),
        predicted=int(np.count_nonzero(predicted)),
        both=int(np.count_nonzero(predicted & mask)),
        voxel=float(np.prod(grid.spacing)) / MM3_PER_ML,
    )


def aggregated_dice(cases: Sequence[Overlap]) -> float:
    """2 sum |A n B| / sum (|A| + |B|) over the patients of a test set, in mL.

    One number for a set, dominated by large tumours, in which false alarms of patients without
    tumour count; its interval comes only from a bootstrap of patients.

    Raises:
        UndefinedMetricError: Every true and every predicted mask is empty.

    Source: HECKTOR 2022, Andrearczyk et al., LNCS 13626 (2023) 1.
    """
    total = sum((case.true + case.predicted) * case.voxel for case in cases)
    if total == 0:
        raise UndefinedMetricError(f"all true and predicted masks of {len(cases)} cases are empty")
    return 2 * sum(case.both * case.voxel for case in cases) / total


@dataclass(frozen=True, kw_only=True)
class EmptyMasks:
    """How often a mask was empty, to stand beside every segmentation score.

    Attributes:
        scored: Patients with tumour, of whom overlap and distance are means.
        missed: Of these, patients without any predicted tumour.
        false_alarms: Patients without tumour in whom some was predicted.
        false_alarm_volume: Total predicted volume of these in mL.
        rightly_empty: Patients without tumour in whom none was predicted.
    """

    scored: int
    missed: int
    false_alarms: int
    false_alarm_volume: float
    rightly_empty: int


def empty_masks(cases: Sequence[Overlap]) -> EmptyMasks:
    """Count the empty masks of a test set."""
    alarms = [case.volume_error() for case in cases if case.true == 0 and case.predicted > 0]
    return EmptyMasks(
        scored=sum(case.true > 0 for case in cases),
        missed=sum(case.true > 0 and case.predicted == 0 for case in cases),
        false_alarms=len(alarms),
        false_alarm_volume=float(sum(alarms)),
        rightly_empty=sum(case.true == 0 and case.predicted == 0 for case in cases),
    )
