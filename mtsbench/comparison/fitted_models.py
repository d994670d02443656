"""The C-index of cross-validated models as they are: what each tested patient adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import Concordance, concordance
from mtsbench.metrics.sampled_concordance import SampledConcordance

if TYPE_CHECKING:
    from mtsbench.comparison.patients import FoldPatients, RunPatients


def cross_validated(tested: RunPatients) -> SampledConcordance:
    """Mean of Harrell's C over the test folds that have one, and what each patient adds to it.

    It is the one C-index of a run: the mean over trials that the run's own table shows, and the one
    whose differences are tested. Pairs are formed inside a test fold only, because the risks of two
    fits share no scale.

    Raises:
        UndefinedMetricError: No fold has a comparable pair.
    """
    repeats = sorted({fold.repeat for fold in tested.folds})
    row = {repeat: place for place, repeat in enumerate(repeats)}
    position = {case_id: place for place, case_id in enumerate(tested.outcomes.case_ids)}
    known = [(fold, one) for fold in tested.folds if (one := _concordance(fold)) is not None]
    if not known:
        raise UndefinedMetricError(
            f"no comparable pair in any of {len(tested.folds)} test folds, so the C-index is "
            "undefined"
        )
    value = float(np.mean([one.value for _, one in known]))
    influence = np.zeros((len(repeats), len(tested.outcomes)))
    leader = np.zeros(len(tested.outcomes), dtype=bool)
    trials = np.bincount([row[fold.repeat] for fold, _ in known], minlength=len(repeats))
    for fold, one in known:
        patients = [position[case_id] for case_id in fold.outcomes.case_ids]
        # About the mean of all folds and not the fold's own, of which few events leave no spread.
        change = one.influence + (one.value - value) * one.pairs
        influence[row[fold.repeat], patients] += change / trials[row[fold.repeat]]
        leader[patients] |= one.leader
    return SampledConcordance(
        value=value, influence=influence[trials > 0], leader=leader, cross_validated=True
    )


def _concordance(fold: FoldPatients) -> Concordance | None:
    try:
        return concordance(fold.predictions.risk, fold.outcomes.time, fold.outcomes.event)
    except UndefinedMetricError:
        return None  # counted with the fold's score, whose reason its record holds
