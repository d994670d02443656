"""Repeated stratified folds with an inner validation part: the same for every model."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from mtsbench.data import Outcomes
    from mtsbench.protocol import Protocol


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
    outcomes: Outcomes, protocol: Protocol, centres: Mapping[str, str]
) -> tuple[Split, ...]:
    """All splits of a protocol, from outcomes, centres and the split seed alone.

    Cases are dealt like cards: sorted by (event, centre), shuffled within each such stratum, and
    given to the folds in turn, so every fold's share of each stratum is right to within one case
    even where a stratum is smaller than the number of folds.

    Args:
        outcomes: Endpoint of the run.
        protocol: Repeats, folds, validation share and split seed.
        centres: Case id to hospital; fewer than two hospitals leave the event alone.

    Raises:
        DataError: A part of some split would hold no event, or fewer than two cases.
    """
    _check_enough(outcomes, protocol)
    strata = _strata(outcomes, centres)
    event = dict(zip(outcomes.case_ids, outcomes.event.tolist(), strict=True))
    splits = []
    for repeat in range(protocol.repeats):
        folds = _deal(strata, protocol.folds, np.random.default_rng([protocol.split_seed, repeat]))
        for fold, test in enumerate(folds):
            rest = {
                name: [case_id for case_id in members if case_id not in test]
                for name, members in strata.items()
            }
            parts = max(2, round(1 / protocol.validation_share))
            order = np.random.default_rng([protocol.split_seed, repeat, fold + 1])
            validation = _deal(rest, parts, order)[0]
            train = {case_id for members in rest.values() for case_id in members} - validation
            split = Split(
                repeat=repeat,
                fold=fold,
                train=tuple(sorted(train)),
                validation=tuple(sorted(validation)),
                test=tuple(sorted(test)),
            )
            _check_events(split, event, outcomes.endpoint)
            splits.append(split)
    return tuple(splits)


def splits_hash(splits: Sequence[Split]) -> str:
    """sha256 over the hashes of all splits in order, hexadecimal."""
    return hashlib.sha256("".join(split.hash() for split in splits).encode()).hexdigest()


def _check_enough(outcomes: Outcomes, protocol: Protocol) -> None:
    events, cases = int(outcomes.event.sum()), len(outcomes)
    if events == 0:
        raise DataError(
            f"{outcomes.endpoint}: none of {cases} cases had an event, so there is nothing to "
            "learn; check the event column or choose another endpoint"
        )
    if events < 2 * protocol.folds:
        # A protocol has two folds or more.
        advice = f"use at most {events // 2} folds" if events >= 4 else "choose another endpoint"
        raise DataError(
            f"{outcomes.endpoint}: {events} events in {cases} cases cannot fill {protocol.folds} "
            f"folds with training and validation parts; {advice}"
        )


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


def _check_events(split: Split, event: Mapping[str, bool], endpoint: str) -> None:
    for part, case_ids in (
        ("training", split.train),
        ("validation", split.validation),
        ("test", split.test),
    ):
        events = sum(event[case_id] for case_id in case_ids)
        if events == 0 or len(case_ids) < 2:
            raise DataError(
                f"{endpoint}: the {part} part of fold {split.fold} in repeat {split.repeat} has "
                f"{len(case_ids)} cases with {events} events; every part needs two cases and one "
                "event. Use fewer folds or a larger validation share"
            )
