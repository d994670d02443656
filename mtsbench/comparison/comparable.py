"""Whether two runs answered the same question on the same splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from mtsbench.errors import IncomparableRunsError

if TYPE_CHECKING:
    from pydantic import JsonValue

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
            splits; one used the true mask at test time and another did not; or the trials of one
            are missing in another. The message names both values.
    """
    first = runs[0]
    for other in runs[1:]:
        differences = dict(_differences(first.description, other.description))
        if allow_true_mask:
            differences.pop(TRUE_MASK, None)
        for name, (left, right) in differences.items():
            advice = MASK_ADVICE if name == TRUE_MASK else "run both models with the same settings"
            raise IncomparableRunsError(
                f"{first.description.name} and {other.description.name} differ in {name}: "
                f"{left} and {right}; {advice}"
            )
    expected = {(r.repeat, r.fold, r.seed) for run in runs for r in run.records}
    for run in runs:
        missing = sorted(expected - {(r.repeat, r.fold, r.seed) for r in run.records})
        if missing or not run.records:
            what = "repeat {} fold {} seed {}".format(*missing[0]) if missing else "every trial"
            reason = f" ({run.failures[0].error})" if run.failures else ""
            raise IncomparableRunsError(
                f"{run.description.name} has no result for {what}{reason}; "
                "finish it with the same `mtsbench run` command"
            )


def by_dataset(
    runs: Sequence[tuple[FinishedRun, RunStore]],
) -> tuple[tuple[tuple[FinishedRun, RunStore], ...], ...]:
    """The runs of each dataset and endpoint with their stores, in the order given.

    Raises:
        IncomparableRunsError: Preset or protocol differ between datasets, so that differences
            there would not be of the same methods; or a run is there twice, as a copy of it.
    """
    _check_copies(runs)
    groups: dict[tuple[str, str], list[tuple[FinishedRun, RunStore]]] = {}
    first = runs[0][0].description
    for run, store in runs:
        question = run.description.question
        for name in ("preset", "protocol"):
            left, right = first.question[name], question[name]
            if left != right:
                raise IncomparableRunsError(
                    f"{first.name} and {run.description.name} differ in {name}: {left} and "
                    f"{right}; run both models with the same settings"
                )
        key = str(question["dataset"]), str(question["endpoint"])
        groups.setdefault(key, []).append((run, store))
    return tuple(tuple(group) for group in groups.values())


def _check_copies(runs: Sequence[tuple[FinishedRun, RunStore]]) -> None:
    for (one, store), (other, copy) in combinations(runs, 2):
        # Two runs of one command take different times.
        if one.records and one.description == other.description and one.records == other.records:
            raise IncomparableRunsError(
                f"{store.folder} and {copy.folder} hold the very same trials of one run; name it "
                "once, or move the copy away"
            )


def _differences(
    left: RunDescription, right: RunDescription
) -> Mapping[str, tuple[JsonValue, JsonValue]]:
    pairs: dict[str, tuple[JsonValue, JsonValue]] = {
        name: (left.question.get(name), right.question.get(name))
        for name in sorted(left.question.keys() | right.question.keys())
    }
    pairs["splits"] = (left.splits_sha256[:12], right.splits_sha256[:12])
    pairs[TRUE_MASK] = (
        left.method.get("needs_mask_at_test"),
        right.method.get("needs_mask_at_test"),
    )
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
