"""Whether two runs answered the same question on the same splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from mtsbench.comparison.questions import ADVICE, difference_text, differences
from mtsbench.errors import IncomparableRunsError

if TYPE_CHECKING:
    from mtsbench.records import FailedTrial, RunDescription, StoredProfile, TrialRecord
    from mtsbench.store import RunStore


TRUE_MASK = "use of the true mask at test time"
MASK_ADVICE = "no new patient has a true mask: compare them with --allow-true-mask, which marks it"


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run as `compare` and the reports read it.

    Attributes:
        label: The model's name.
        profile: None where no one profiled it.
    """

    label: str
    description: RunDescription
    records: tuple[TrialRecord, ...]
    failures: tuple[FailedTrial, ...]
    profile: StoredProfile | None = None


def read_run(store: RunStore) -> FinishedRun:
    """A run's description, records and failures. DataError if the folder is no run."""
    description = store.description()
    return FinishedRun(
        label=str(description.method["model"]),
        description=description,
        records=store.records(),
        failures=store.failures(),
        profile=store.profile(),
    )


def check_comparable(runs: Sequence[FinishedRun], *, allow_true_mask: bool = False) -> None:
    """Refuse runs that differ in what makes scores comparable.

    Args:
        runs: At least one.
        allow_true_mask: Whether a run that was given the true masks of test cases may stand
            beside one that was not.

    Raises:
        IncomparableRunsError: They differ in dataset, fingerprint, endpoint, preset, protocol or
            splits, or one used the true mask at test time and another did not. The message names
            both values.
    """
    first = runs[0].description
    for other in runs[1:]:
        unlike = differences(first, other.description)
        advice = ADVICE
        if not unlike and not allow_true_mask:
            unlike, advice = _true_mask(first, other.description), MASK_ADVICE
        if unlike:
            raise IncomparableRunsError(
                f"{first.name} and {other.description.name} differ in {difference_text(unlike)}; "
                f"{advice}"
            )


def _true_mask(left: RunDescription, right: RunDescription) -> Mapping[str, tuple[str, str]]:
    used = [one.method.get("needs_mask_at_test") for one in (left, right)]
    words = ["yes" if one else "no" for one in used]
    return {} if words[0] == words[1] else {TRUE_MASK: (words[0], words[1])}


def check_copies(runs: Sequence[tuple[FinishedRun, RunStore]]) -> None:
    """Refuse a run that is there twice, as a copy of its folder.

    Raises:
        IncomparableRunsError: Two folders hold the very same trials.
    """
    for (one, store), (other, copy) in combinations(runs, 2):
        # Two runs of one command take different times.
        if one.records and one.description == other.description and one.records == other.records:
            raise IncomparableRunsError(
                f"{store.folder} and {copy.folder} hold the very same trials of one run; name it "
                "once, or move the copy away"
            )
