"""The whole audit of a model on a dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.audit.isolation import Isolation, short
from mtsbench.audit.permuted import permuted_outcomes
from mtsbench.audit.repeated import repeated_patients
from mtsbench.audit.trials import Trials
from mtsbench.composition import Composition
from mtsbench.splits import make_splits

if TYPE_CHECKING:
    from mtsbench.audit.findings import Finding
    from mtsbench.experiment import Experiment

QUICK, DEEP = 10, 1


@dataclass(frozen=True, kw_only=True)
class AuditOptions:
    """How an audit is carried out.

    Attributes:
        permutations: How often outcomes are dealt anew; None takes 10, or 1 for a model that
            trains a network.
        preparing: Takes (done, total) while cases are read.
        watch: Told what is being done.
    """

    cache_folder: Path
    workers: int
    permutations: int | None = None
    preparing: Callable[[int, int], None] = lambda done, total: None
    watch: Callable[[str], None] = lambda what: None


def audit(experiment: Experiment, options: AuditOptions) -> Iterator[Finding]:
    """Carry out every check, the quick ones first.

    Args:
        experiment: Its model is fitted under its preset's budget for permuted outcomes, and for
            two epochs in the other checks, which only compare fits with each other.
        options: How.

    Raises:
        DataError: A case cannot be used.
        MtsbenchError: The model cannot be fitted on this dataset.
    """
    dataset = experiment.dataset
    outcomes = dataset.outcomes(experiment.endpoint)
    options.watch("reading every case, to look for patients who are there twice")
    yield from repeated_patients(
        dataset,
        outcomes,
        experiment.protocol,
        workers=options.workers,
        progress=options.preparing,
    )
    trials = Trials(
        experiment=experiment,
        outcomes=outcomes,
        cache_folder=options.cache_folder,
        workers=options.workers,
        progress=options.preparing,
    )
    options.watch("preparing cases")
    cache = trials.cache_of(dataset)
    trials.prepare(cache, outcomes.case_ids)
    isolation = Isolation(
        trials=trials,
        cache=cache,
        split=make_splits(outcomes, experiment.protocol, dataset.centres())[0],
        training=short(experiment.training),
        watch=options.watch,
    )
    yield from isolation.findings()
    yield permuted_outcomes(trials, permutations(experiment, options), options.watch)


def permutations(experiment: Experiment, options: AuditOptions) -> int:
    """How often outcomes are dealt anew."""
    if options.permutations is not None:
        return options.permutations
    network = getattr(experiment.new_model(), "composition", None)
    return DEEP if isinstance(network, Composition) else QUICK
