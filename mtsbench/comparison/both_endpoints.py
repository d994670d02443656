"""Survival and segmentation of the same patients: do they go wrong together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from mtsbench.errors import UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.comparison.patients import FoldPatients, RunPatients


@dataclass(frozen=True, kw_only=True, eq=False)
class PatientErrors:
    """Errors of both endpoints, one entry a patient that has both.

    Attributes:
        case_ids: Patients.
        survival: (N,) share of the patient's comparable pairs that the risk orders wrongly, ties
            one half, averaged over trials.
        segmentation: (N,) 1 - Dice, averaged over trials.
        correlation: Spearman's, between the two.
        p: Of no correlation; patients of one fold share a model, so it is approximate.
    """

    case_ids: tuple[str, ...]
    survival: NDArray[np.float64]
    segmentation: NDArray[np.float64]
    correlation: float
    p: float


def patient_errors(tested: RunPatients) -> PatientErrors:
    """Both errors of each patient and how they relate.

    Raises:
        UndefinedMetricError: Fewer than three patients have both errors, or one of the two is
            the same for all.
    """
    count = len(tested.outcomes)
    sums, trials = np.zeros((2, count)), np.zeros((2, count))
    position = {case_id: row for row, case_id in enumerate(tested.outcomes.case_ids)}
    for fold in tested.folds:
        rows = [position[case_id] for case_id in fold.outcomes.case_ids]
        values = np.stack([discordant_share(fold), 1 - fold.masks["dice"]])
        defined = np.isfinite(values)
        sums[:, rows] += np.where(defined, values, 0)
        trials[:, rows] += defined
    both = (trials > 0).all(axis=0)
    if both.sum() < 3:
        raise UndefinedMetricError(f"{both.sum()} patients have both errors; three are needed")
    survival, segmentation = sums[:, both] / trials[:, both]
    if np.ptp(survival) == 0 or np.ptp(segmentation) == 0:
        raise UndefinedMetricError("an error is the same for all patients")
    found = spearmanr(survival, segmentation)
    return PatientErrors(
        case_ids=tuple(np.array(tested.outcomes.case_ids)[both].tolist()),
        survival=survival,
        segmentation=segmentation,
        correlation=float(found.statistic),
        p=float(found.pvalue),
    )


def discordant_share(fold: FoldPatients) -> NDArray[np.float64]:
    """(N,) share of each test patient's comparable pairs in the wrong order; NaN without pairs.

    It is what the C-index of the fold is made of, so it needs risks only and no curves.
    """
    time, event, risk = fold.outcomes.time, fold.outcomes.event, fold.predictions.risk
    earlier = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    led = event[:, None] & earlier
    wrong = led * (0.5 - 0.5 * np.sign(risk[:, None] - risk))
    pairs = led.sum(axis=0) + led.sum(axis=1)
    found = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.where(pairs > 0, found / np.maximum(pairs, 1), np.nan)
