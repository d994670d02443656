"""Predicted masks of a test fold against the true ones, patients side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import MtsbenchError
from mtsbench.interfaces import Score
from mtsbench.metrics.overlap import Overlap, overlap
from mtsbench.metrics.undefined import score_or_reason
from mtsbench.preprocessing import native_probability
from mtsbench.slices import Slice, cut_slice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Cohort
    from mtsbench.interfaces import Dataset, PatientMetric
    from mtsbench.volumes import Grid

TUMOUR_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class MaskScores:
    """What became of the masks of a test fold.

    Attributes:
        scores: Metric to one score per test case, in their order.
        overlaps: Case id to the sizes of its masks, where it has a true one.
        slices: Case id to a slice to look at, where it has a true mask.
    """

    scores: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)
    overlaps: Mapping[str, Overlap] = field(default_factory=dict)
    slices: Mapping[str, Slice] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Scored:
    """One patient; without overlap and slice where there is no true mask."""

    scores: Mapping[str, Score]
    overlap: Overlap | None = None
    slice: Slice | None = None


def score_masks(
    probabilities: Sequence[NDArray[np.float32]],
    cohort: Cohort,
    dataset: Dataset,
    metrics: Mapping[str, PatientMetric],
    workers: int,
) -> MaskScores:
    """Compare each mask on the true mask's own grid.

    The predicted probability is carried there from the common grid, so tumour outside the model's
    crop counts as missed.

    Args:
        probabilities: (D, H, W) of each case of the cohort, on its common grid.
        cohort: What the model was given.
        dataset: Gives the true masks.
        metrics: By name.
        workers: Patients in flight, and so in memory, at any time. They run as threads, as in
            `CaseCache.prepare`: what takes long leaves the interpreter lock.

    Raises:
        MtsbenchError: A case cannot be loaded or scored; names the first such case.
    """

    def score(case_id: str, row: int, probability: NDArray[np.float32]) -> _Scored:
        try:
            return _score(case_id, cohort[row].grid, probability, dataset, metrics)
        except MtsbenchError as error:
            if repr(case_id) in str(error):
                raise
            raise MtsbenchError(f"case {case_id!r}: {error}") from error
        except Exception as error:
            raise MtsbenchError(
                f"case {case_id!r} cannot be scored ({type(error).__name__}: {error}); the trial's "
                "record tells where. Repair the case or its dataset"
            ) from error

    case_ids = cohort.case_ids
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="score") as pool:
        found = list(pool.map(score, case_ids, range(len(case_ids)), probabilities))
    by_case = dict(zip(case_ids, found, strict=True))
    return MaskScores(
        scores={name: tuple(one.scores[name] for one in found) for name in metrics},
        overlaps={key: one.overlap for key, one in by_case.items() if one.overlap is not None},
        slices={key: one.slice for key, one in by_case.items() if one.slice is not None},
    )


def _score(
    case_id: str,
    grid: Grid,
    probability: NDArray[np.float32],
    dataset: Dataset,
    metrics: Mapping[str, PatientMetric],
) -> _Scored:
    case = dataset.load(case_id)
    if case.mask is None:
        missing = Score(value=None, reason="the case has no true mask")
        return _Scored(scores=dict.fromkeys(metrics, missing))
    native = case.mask.grid
    predicted = native_probability(probability, grid, native) > TUMOUR_THRESHOLD
    true = np.asarray(case.mask.array, dtype=np.bool_)
    return _Scored(
        scores={
            name: score_or_reason(metric.per_patient, predicted, true, native)
            for name, metric in metrics.items()
        },
        overlap=overlap(predicted, true, native),
        slice=cut_slice(case, true, predicted, native),
    )
