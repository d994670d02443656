"""Patients who are in a dataset twice: the same image, or the same row of the table."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import poisson

if TYPE_CHECKING:
    from mtsbench.data import Case, ClinicalValue, Outcomes
    from mtsbench.interfaces import Dataset
    from mtsbench.splits import Split
    from mtsbench.volumes import Volume

COINCIDENCE = 0.01


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two cases that are alike.

    Attributes:
        alike: What they share: a channel, or `clinical row and outcome`.
    """

    first: str
    second: str
    alike: str


@dataclass(frozen=True, kw_only=True)
class Twins:
    """What was found.

    Attributes:
        pairs: Cases that are alike.
        images: Cases whose images were compared.
        rows: Cases whose rows were compared.
        coincidences: Pairs of equal rows to be expected of different patients, if every variable
            and the outcome were independent.
    """

    pairs: tuple[Pair, ...]
    images: int
    rows: int
    coincidences: float

    def beyond_coincidence(self) -> tuple[Pair, ...]:
        """The pairs, without equal rows where as many must be expected of different patients."""
        rows = [one for one in self.pairs if one.alike == ROW]
        likely = bool(poisson.sf(len(rows) - 1, self.coincidences) >= COINCIDENCE)
        return tuple(one for one in self.pairs if not (likely and one in rows))


ROW = "clinical row and outcome"


def find_twins(
    dataset: Dataset,
    outcomes: Outcomes,
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Twins:
    """Compare every case with every other, by the content of its images and by its row.

    An image counts as the same when its voxels are, whatever its place in the patient. A second
    scan of a patient, or a copy on another grid, has other voxels: its row may still give it away.

    Args:
        dataset: Each of the cases is loaded once.
        outcomes: Of the cases to be compared.
        workers: Cases loaded at once.
        progress: Takes the cases done and their total.
    """
    contents: dict[str, dict[str, str]] = {}
    rows: dict[str, tuple[ClinicalValue, ...]] = {}

    def look(case_id: str) -> tuple[dict[str, str], tuple[ClinicalValue, ...]]:
        case = dataset.load(case_id)
        row = tuple(case.clinical[one.name] for one in dataset.clinical_variables)
        return dict(_contents(case)), row

    with ThreadPoolExecutor(workers) as pool:
        for case_id, found in zip(
            outcomes.case_ids, pool.map(look, outcomes.case_ids), strict=True
        ):
            contents[case_id], rows[case_id] = found
            progress(len(rows), len(outcomes))
    pairs = [
        pair
        for channel in dataset.channels
        for pair in _alike({one: found.get(channel) for one, found in contents.items()}, channel)
    ]
    known = {
        case_id: (rows[case_id], float(time), bool(event))
        for case_id, time, event in zip(
            outcomes.case_ids, outcomes.time, outcomes.event, strict=True
        )
        if any(value is not None for value in rows[case_id])
    }
    pairs += _alike(known, ROW)
    return Twins(
        pairs=tuple(pairs),
        images=len(contents) if dataset.channels else 0,
        rows=len(known),
        coincidences=_coincidences(list(known.values())),
    )


def apart(splits: Sequence[Split], pair: Pair) -> bool:
    """Whether some split tests one of the two and trains or validates with the other."""
    return any((pair.first in one.test) != (pair.second in one.test) for one in splits)


def _contents(case: Case) -> Iterator[tuple[str, str]]:
    """Channel to hash of its voxels; a constant image is nobody's."""
    for channel, volume in case.images.items():
        if np.ptp(volume.array) > 0:
            yield channel, _hash(volume)


def _hash(volume: Volume) -> str:
    array = np.ascontiguousarray(volume.array)
    digest = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    digest.update(array.view(np.uint8).data)
    return digest.hexdigest()


def _alike(found: Mapping[str, Hashable], what: str) -> list[Pair]:
    groups: defaultdict[Hashable, list[str]] = defaultdict(list)
    for case_id, content in found.items():
        if content is not None:
            groups[content].append(case_id)
    return [
        Pair(first=first, second=second, alike=what)
        for group in groups.values()
        for first, second in combinations(group, 2)
    ]


def _coincidences(rows: Sequence[tuple[tuple[ClinicalValue, ...], float, bool]]) -> float:
    """Pairs, times the shares of all pairs that agree in each column."""
    pairs = len(rows) * (len(rows) - 1) / 2
    if pairs == 0:
        return 0.0
    columns: list[Sequence[Hashable]] = list(zip(*(row[0] for row in rows), strict=True))
    columns.append([row[1:] for row in rows])
    agreeing = [
        sum(count * (count - 1) / 2 for count in Counter(column).values()) for column in columns
    ]
    return pairs * math.prod(count / pairs for count in agreeing)
