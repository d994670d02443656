"""Whether the parts of every fold can do their work, told before anything is trained.

Refused: a part without an event or with fewer than two cases (`make_splits`); where a network is
trained, a validation part in which no pair of patients can be ordered, because it chooses the
epoch, and a training part without a censored case where batches are balanced. Warned of: few events
where the epoch is chosen, and test parts in which no pair can be ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError, UndefinedMetricError
from mtsbench.metrics.concordance import concordance
from mtsbench.splits import advice, make_splits, workable_protocol

if TYPE_CHECKING:
    from mtsbench.data import Outcomes
    from mtsbench.experiment import Experiment
    from mtsbench.protocol import Protocol
    from mtsbench.splits import Split

# With 5 events the standard error of a C-index of 0.72 is 0.14, with 3 it is 0.20 (10 to 20
# patients, exponential times, 1500 simulated cohorts).
FEW_EVENTS = 5


@dataclass(frozen=True, kw_only=True)
class PartSize:
    """What a part of a split holds.

    Attributes:
        ordered: Whether some pair of its patients can be ordered, so that it has a C-index.
    """

    cases: int
    events: int
    ordered: bool

    @classmethod
    def of(cls, outcomes: Outcomes) -> PartSize:
        """The size of a part with these outcomes."""
        try:
            concordance(np.zeros(len(outcomes)), outcomes.time, outcomes.event)
            ordered = True
        except UndefinedMetricError:
            ordered = False
        return cls(cases=len(outcomes), events=int(outcomes.event.sum()), ordered=ordered)

    def __str__(self) -> str:
        return f"{self.cases} patients with {self.events} event{'s' * (self.events != 1)}"


@dataclass(frozen=True, kw_only=True)
class FoldSize:
    """What the three parts of a split hold."""

    repeat: int
    fold: int
    train: PartSize
    validation: PartSize
    test: PartSize

    def __str__(self) -> str:
        return (
            f"fold {self.fold} of repeat {self.repeat} (training {self.train}, validation "
            f"{self.validation}, test {self.test})"
        )


def fold_sizes(splits: Sequence[Split], outcomes: Outcomes) -> tuple[FoldSize, ...]:
    """The sizes of every split, in order."""
    return tuple(
        FoldSize(
            repeat=split.repeat,
            fold=split.fold,
            train=PartSize.of(outcomes.subset(split.train)),
            validation=PartSize.of(outcomes.subset(split.validation)),
            test=PartSize.of(outcomes.subset(split.test)),
        )
        for split in splits
    )


def plan_splits(experiment: Experiment, outcomes: Outcomes) -> tuple[Split, ...]:
    """The splits of an experiment, in which every trial can be trained.

    Raises:
        DataError: There are none, or a part of one is too small for the model; says which, and
            with which folds and validation share it would work.
    """

    def epoch_can_be_chosen(one: FoldSize) -> bool:
        return one.validation.ordered or not experiment.trains_network

    splits = make_splits(
        outcomes,
        experiment.protocol,
        experiment.dataset.centres(),
        lambda tried: all(map(epoch_can_be_chosen, fold_sizes(tried, outcomes))),
    )
    for one in fold_sizes(splits, outcomes):
        if not epoch_can_be_chosen(one):
            found = _workable(experiment, outcomes, epoch_can_be_chosen)
            raise DataError(
                f"{outcomes.endpoint}: {experiment.model_name} chooses its epoch by the C-index of "
                f"the validation part, and in {one} no pair of validation patients can be ordered; "
                f"{advice(found, experiment.protocol)}"
            )
        balanced = experiment.trains_network and experiment.training.balanced
        if balanced and one.train.events == one.train.cases:
            raise DataError(
                f"{outcomes.endpoint}: a balanced batch needs events and censored cases, and in "
                f"{one} no training case is censored; use --set training.balanced=false"
            )
    return splits


def small_fold_warnings(
    experiment: Experiment, outcomes: Outcomes, sizes: Sequence[FoldSize]
) -> Iterator[str]:
    """What a user should know of parts that are small, and which settings make them larger."""
    network = experiment.trains_network
    few = [one for one in sizes if one.validation.events < FEW_EVENTS]
    if few and network:
        fewest = min(few, key=lambda one: one.validation.events)
        larger = _workable(
            experiment,
            outcomes,
            lambda one: one.validation.ordered and one.validation.events >= FEW_EVENTS,
        )
        yield (
            f"the epoch is chosen on fewer than {FEW_EVENTS} events in {len(few)} of {len(sizes)} "
            f"folds, too few to tell one epoch from another; fewest in {fewest}; "
            f"{_more(experiment, larger)}"
        )
    undefined = [one for one in sizes if not one.test.ordered]
    if undefined:
        larger = _workable(
            experiment,
            outcomes,
            lambda one: one.test.ordered and (one.validation.ordered or not network),
        )
        yield (
            f"the C-index is undefined in {len(undefined)} of {len(sizes)} test folds, where no "
            f"pair of patients can be ordered; the first is {undefined[0]}; "
            f"{_more(experiment, larger)}"
        )


def _workable(
    experiment: Experiment, outcomes: Outcomes, fits: Callable[[FoldSize], bool]
) -> Protocol | None:
    return workable_protocol(
        outcomes,
        experiment.protocol,
        experiment.dataset.centres(),
        lambda tried: all(map(fits, fold_sizes(tried, outcomes))),
    )


def _more(experiment: Experiment, larger: Protocol | None) -> str:
    if larger is None:
        return "no smaller number of folds and no larger validation share is enough in this cohort"
    return f"for more, {advice(larger, experiment.protocol)}"
