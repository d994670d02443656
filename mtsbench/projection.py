"""How long a whole run will take, from what one of its training steps took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench.records import StoredProjection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtsbench.composition import TrainingSettings
    from mtsbench.splits import Split


def project(
    splits: Sequence[Split],
    seeds: int,
    training: TrainingSettings,
    *,
    step: float,
    spread: float,
    inference: float,
) -> StoredProjection:
    """The run of these splits and so many seeds, with every epoch done.

    Args:
        splits: Of the run.
        seeds: Trials of each split.
        training: Its epochs and steps.
        step: Median seconds of a step.
        spread: Distance of its quartiles, which are taken to lie evenly about the median.
        inference: Seconds per case.
    """
    steps = seeds * len(splits) * training.epochs * training.steps_per_epoch
    read = sum(
        training.epochs * len(one.validation) + len(one.train) + len(one.validation) + len(one.test)
        for one in splits
    )

    def total(seconds: float) -> float:
        return steps * seconds + seeds * read * inference

    return StoredProjection(
        trials=seeds * len(splits),
        steps=steps,
        seconds=total(step),
        low=total(step - spread / 2),
        high=total(step + spread / 2),
    )
