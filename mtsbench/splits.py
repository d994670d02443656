"""Repeated stratified folds with an inner validation part: the same for every model."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from mtsbench.data import Outcomes
    from mtsbench.protocol import Protocol

# Shares of the validation part that are tried where the one asked for is too small.
LARGER_SHARES = (0.25, 0.3, 0.4, 0.5)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Who trains, who stops the training, and who is tested; ids are sorted."""

    repeat: int
    fold: int
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def hash(self) -> str:
        """sha256 of the split, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def make_splits(
    outcomes: Outcomes,
    protocol: Protocol,
    centres: Mapping[str, str],
    works: Callable[[Sequence[Split]], bool] = lambda splits: True,
) -> tuple[Split, ...]:
    """All splits of a protocol, from outcomes, centres and the split seed alone.

    Cases are dealt like cards: sorted by (event, centre), shuffled within each such stratum, and
    given to the folds in turn, so every fold's share of each stratum is right to within one case
    even where a stratum is smaller than the number of folds.

    Args:
        outcomes: Endpoint of the run.
        protocol: Repeats, folds, validation share and split seed.
        centres: Case id to hospital; fewer than two hospitals leave the event alone.
        works: What the settings that a refusal advises must fulfil beside.

    Raises:
        DataError: A part of some split would hold no event, or fewer than two cases. Says which
            folds and validation share would work.
    """
    events, cases = int(outcomes.event.sum()), len(outcomes)
    if events == 0:
        raise DataError(
            f"{outcomes.endpoint}: none of {cases} cases had an event, so there is nothing to "
            "learn; check the event column or choose another endpoint"
        )
    fault = None
    if events < 2 * protocol.folds:
        fault = (
            f"{events} events in {cases} cases cannot fill {protocol.folds} folds with training "
            "and validation parts"
        )
    else:
        splits = _deal_splits(outcomes, protocol, centres)
        fault = _fault(splits, outcomes)
        if fault is None:
            return splits
    found = workable_protocol(outcomes, protocol, centres, works)
    raise DataError(f"{outcomes.endpoint}: {fault}; {advice(found, protocol)}")


def workable_protocol(
    outcomes: Outcomes,
    protocol: Protocol,
    centres: Mapping[str, str],
    works: Callable[[Sequence[Split]], bool],
) -> Protocol | None:
    """The protocol with the most folds, and then the smallest validation share, that works.

    Args:
        outcomes: Endpoint of the run.
        protocol: What was asked for; neither more folds nor a smaller share are tried.
        centres: Case id to hospital.
        works: What the splits must fulfil beside an event and two cases in every part.
    """
    share = protocol.validation_share
    for folds in range(min(protocol.folds, int(outcomes.event.sum()) // 2), 1, -1):
        for tried in (share, *(one for one in LARGER_SHARES if one > share)):
            other = replace(protocol, folds=folds, validation_share=tried)
            splits = _deal_splits(outcomes, other, centres)
            if _fault(splits, outcomes) is None and works(splits):
                return other
    return None


def advice(found: Protocol | None, protocol: Protocol) -> str:
    """How to ask for the protocol that works, in place of this one."""
    if found is None:
        return (
            f"with {protocol.folds} folds or fewer no validation share works: add patients or "
            "choose another endpoint"
        )
    changes = [f"--folds {found.folds}"] if found.folds != protocol.folds else []
    if found.validation_share != protocol.validation_share:
        changes.append(f"--validation-share {found.validation_share:g}")
    return f"use {' '.join(changes)} (in a file: folds and validation_share of [protocol])"


def splits_hash(splits: Sequence[Split]) -> str:
    """sha256 over the hashes of all splits in order, hexadecimal."""
    return hashlib.sha256("".join(split.hash() for split in splits).encode()).hexdigest()


def _deal_splits(
    outcomes: Outcomes, protocol: Protocol, centres: Mapping[str, str]
) -> tuple[Split, ...]:
    """The splits, whatever their parts hold."""
    strata = _strata(outcomes, centres)
    splits = []
    for repeat in range(protocol.repeats):
        folds = _deal(strata, protocol.folds, np.random.default_rng([protocol.split_seed, repeat]))
        for fold, test in enumerate(folds):
            rest = {
                name: [case_id for case_id in members if case_id not in test]
                for name, members in strata.items()
            }
            order = np.random.default_rng([protocol.split_seed, repeat, fold + 1])
            validation = _take(rest, protocol.validation_share, order)
            train = {case_id for members in rest.values() for case_id in members} - validation
            splits.append(
                Split(
                    repeat=repeat,
                    fold=fold,
                    train=tuple(sorted(train)),
                    validation=tuple(sorted(validation)),
                    test=tuple(sorted(test)),
                )
            )
    return tuple(splits)


def _strata(outcomes: Outcomes, centres: Mapping[str, str]) -> dict[str, list[str]]:
    by_centre = len({centres.get(case_id) for case_id in outcomes.case_ids}) > 1
    strata: dict[str, list[str]] = defaultdict(list)
    for case_id, event in sorted(zip(outcomes.case_ids, outcomes.event.tolist(), strict=True)):
        centre = centres.get(case_id, "unknown") if by_centre else ""
        strata[f"{int(event)} {centre}"].append(case_id)
    return dict(sorted(strata.items()))


def _deal(
    strata: Mapping[str, Sequence[str]], parts: int, generator: np.random.Generator
) -> list[set[str]]:
    """Deal the shuffled strata one after another, going on where the last one ended."""
    hands: list[set[str]] = [set() for _ in range(parts)]
    position = 0
    for members in strata.values():
        for row in generator.permutation(len(members)):
            hands[position % parts].add(members[row])
            position += 1
    return hands


def _take(
    strata: Mapping[str, Sequence[str]], share: float, generator: np.random.Generator
) -> set[str]:
    """This share of the shuffled strata, one after another; of a fifth, each fifth case."""
    taken: set[str] = set()
    position, part = 0, Fraction(str(share))  # as it was written: 0.2 is a fifth
    for members in strata.values():
        for row in generator.permutation(len(members)):
            if ceil((position + 1) * part) > ceil(position * part):
                taken.add(members[row])
            position += 1
    return taken


def _fault(splits: Sequence[Split], outcomes: Outcomes) -> str | None:
    """The first part that holds too little."""
    event = dict(zip(outcomes.case_ids, outcomes.event.tolist(), strict=True))
    for split in splits:
        for part, case_ids in (
            ("training", split.train),
            ("validation", split.validation),
            ("test", split.test),
        ):
            events = sum(event[case_id] for case_id in case_ids)
            if events == 0 or len(case_ids) < 2:
                return (
                    f"the {part} part of fold {split.fold} in repeat {split.repeat} has "
                    f"{len(case_ids)} cases with {events} events; every part needs two cases and "
                    "one event"
                )
    return None
