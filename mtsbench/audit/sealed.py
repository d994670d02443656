"""Cohorts of the same cases under other names, with no dataset to be found behind them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mtsbench.data import Case, Cohort, LabelledCohort, PreparedCase

# What a sealed reader reads by is not among its attributes, so that nothing it is given leads a
# model to the dataset.
_readers: dict[int, Callable[[str], PreparedCase | Case]] = {}
_numbers = itertools.count()


@dataclass(frozen=True)
class _SealedReader:
    number: int

    def __call__(self, name: str) -> PreparedCase | Case:
        return _readers[self.number](name)


class Sealing:
    """Gives sealed cohorts; one name stands for one case in all of them.

    Names keep the order of the case ids, so that nothing but the names is another.

    Args:
        case_ids: All cases of the cohorts to be sealed.
    """

    def __init__(self, case_ids: Sequence[str]) -> None:
        width = len(str(len(case_ids)))
        self.name_of: Mapping[str, str] = {
            case_id: f"sealed-{number:0{width}}" for number, case_id in enumerate(sorted(case_ids))
        }
        self._case_of = {name: case_id for case_id, name in self.name_of.items()}
        self._used: list[int] = []

    def cohort(self, cohort: Cohort) -> Cohort:
        """The cohort under other names."""
        return Cohort(
            case_ids=tuple(self.name_of[one] for one in cohort.case_ids),
            channels=cohort.channels,
            clinical_features=cohort.clinical_features,
            read=self._reader(cohort.read),  # type: ignore[arg-type]
            read_native=self._reader(cohort.read_native),  # type: ignore[arg-type]
            cache_folder=cohort.cache_folder,
        )

    def labelled(self, labelled: LabelledCohort) -> LabelledCohort:
        """The same with its outcomes."""
        cohort = self.cohort(labelled.cohort)
        return LabelledCohort(
            cohort=cohort, outcomes=replace(labelled.outcomes, case_ids=cohort.case_ids)
        )

    def end(self) -> None:
        """Forget the cohorts."""
        for number in self._used:
            del _readers[number]

    def _reader(self, read: Callable[[str], PreparedCase] | Callable[[str], Case]) -> _SealedReader:
        def renamed(name: str) -> PreparedCase | Case:
            return replace(read(self._case_of[name]), case_id=name)

        number = next(_numbers)
        _readers[number] = renamed
        self._used.append(number)
        return _SealedReader(number)


@contextmanager
def sealing(case_ids: Sequence[str]) -> Iterator[Sealing]:
    """Sealed cohorts can be read in the block."""
    made = Sealing(case_ids)
    try:
        yield made
    finally:
        made.end()
