"""Outcomes that nothing can predict must not be predicted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.audit.altered import AlteredDataset
from mtsbench.audit.findings import Finding
from mtsbench.audit.trials import Trials, risk_of
from mtsbench.metrics.chance import TestedFold, chance_concordance
from mtsbench.splits import make_splits

if TYPE_CHECKING:
    from mtsbench.data import Outcomes
    from mtsbench.preprocessing import CaseCache
    from mtsbench.splits import Split

CHECK = "permuted outcomes give chance"
STREAM = 20240607  # keeps the audit's draws apart from those of a run
CONFIDENCE = 0.99


def permuted_outcomes(trials: Trials, permutations: int, watch: Callable[[str], None]) -> Finding:
    """Deal the outcomes to the cases at random, then train and test on every fold.

    All folds of one permutation are fitted one after another in this process, so that a model that
    remembers patients from one fold to the next shows it. Folds are stratified by event alone:
    stratified by hospital too, a test fold would repeat each hospital's share of events, which
    a model may have learnt from the training part, and chance would be above one half.

    Args:
        trials: Of the experiment, prepared.
        permutations: How many; each is fitted on every fold.
        watch: Told what is being fitted.
    """
    start = time.monotonic()
    tested: list[list[TestedFold]] = []
    for number in range(permutations):
        outcomes = _dealt(trials.outcomes, number)
        cache = trials.cache_of(AlteredDataset(trials.experiment.dataset, outcomes=outcomes))
        protocol = replace(
            trials.experiment.protocol,
            repeats=1,
            split_seed=trials.experiment.protocol.split_seed + number + 1,
        )
        folds = []
        for split in make_splits(outcomes, protocol, {}):
            watch(f"permutation {number + 1} of {permutations}, fold {split.fold + 1}")
            try:
                folds.append(_tested(trials, cache, outcomes, split))
            except Exception as error:
                cause = " ".join(str(error).split())
                return Finding(
                    check=CHECK,
                    status="undecided",
                    measured=f"a fit failed: {type(error).__name__}: {cause}",
                    seconds=time.monotonic() - start,
                )
        tested.append(folds)
    found = chance_concordance(tested, confidence=CONFIDENCE)
    low, high = found.interval
    return Finding(
        check=CHECK,
        status="passed" if found.is_chance else "failed",
        measured=(
            f"C {found.value:.3f}, {CONFIDENCE:.0%} interval {low:.3f} to {high:.3f} "
            f"{'holds' if found.is_chance else 'misses'} 0.5 ({permutations} permutations of "
            f"{len(tested[0])} folds)"
        ),
        seconds=time.monotonic() - start,
    )


def _dealt(outcomes: Outcomes, number: int) -> Outcomes:
    order = np.random.default_rng([STREAM, number]).permutation(len(outcomes))
    return replace(outcomes, time=outcomes.time[order], event=outcomes.event[order])


def _tested(trials: Trials, cache: CaseCache, outcomes: Outcomes, split: Split) -> TestedFold:
    parts = trials.parts(cache, outcomes, split)
    model = trials.fit(parts.train, parts.validation, trials.experiment.training)
    known = outcomes.subset(split.test)
    return TestedFold(risk=risk_of(model, parts.test), time=known.time, event=known.event)
