"""What becomes of trials that some run of a comparison lacks: refused, or left out of every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal, cast, get_args

from mtsbench.comparison.questions import question_words
from mtsbench.errors import IncomparableRunsError, OptionError
from mtsbench.events import trial_label

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.records import RunDescription

OnMissing = Literal["refuse", "common-folds"]
Trial = tuple[int, int, int]  # repeat, fold, seed
NOT_FINISHED = "not finished"
NAMED = 3  # trials of a run that a message names; the others are counted
AGAIN = "Repeat the `mtsbench run` command of each, which tries these trials again"
OR_COMMON = (
    "; if one cannot be finished, --on-missing common-folds compares what every run has and says "
    "what is left out"
)
OR_FEWER = "; no trial has a result in all of these runs, so until then compare fewer of them"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A trial that no table, test or figure uses, because a run of the comparison lacks it.

    Attributes:
        reasons: Name of each run without a result to why it has none.
    """

    repeat: int
    fold: int
    seed: int
    reasons: Mapping[str, str]

    @property
    def label(self) -> str:
        """`repeat 0 fold 1 seed 0`."""
        return trial_label(self.repeat, self.fold, self.seed)


def parse_on_missing(text: str) -> OnMissing:
    """The policy meant by `--on-missing`. OptionError for another word."""
    if text not in get_args(OnMissing):
        raise OptionError(f"--on-missing must be {' or '.join(get_args(OnMissing))}, got {text!r}")
    return cast("OnMissing", text)


def common_trials(
    runs: Sequence[FinishedRun], on_missing: OnMissing = "refuse"
) -> tuple[tuple[FinishedRun, ...], tuple[LeftOut, ...]]:
    """The runs with the records of those trials that every run has, and what is left out.

    A trial that no run has is never a difference between runs: it is left out and counted.

    Args:
        runs: Of one question.
        on_missing: `refuse` runs of which some have a trial that others lack, or keep the
            trials that all of them have.

    Raises:
        IncomparableRunsError: Trials are missing and the policy is `refuse`, or no trial is left.
            The message tells which, and why each failed.
    """
    has = [{(r.repeat, r.fold, r.seed) for r in run.records} for run in runs]
    common = set.intersection(*has)
    if on_missing == "refuse" or not common:
        _refuse_missing(runs, has, OR_COMMON if common else OR_FEWER)
    expected = sorted(set.union(*has, *map(_asked, runs)))
    left_out = tuple(
        LeftOut(
            repeat=trial[0],
            fold=trial[1],
            seed=trial[2],
            reasons={
                run.description.name: _reason(run, trial)
                for run, own in zip(runs, has, strict=True)
                if trial not in own
            },
        )
        for trial in expected
        if trial not in common
    )
    kept = tuple(
        replace(run, records=tuple(r for r in run.records if (r.repeat, r.fold, r.seed) in common))
        for run in runs
    )
    return kept, left_out


def left_out_text(left_out: Sequence[LeftOut], about: RunDescription) -> str:
    """A sentence that counts the trials left out and tells which and why; empty without any."""
    if not left_out:
        return ""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for one in left_out:
        alike.setdefault(tuple(one.reasons.items()), []).append(one.label)
    told = "; ".join(
        f"{', '.join(labels)}: {', '.join(f'{run} {why}' for run, why in reasons)}"
        for reasons, labels in alike.items()
    )
    count = left_out_count(left_out, about)
    return f"{count} left out of every run, because not all runs have a result there ({told})."


def left_out_count(left_out: Sequence[LeftOut], about: RunDescription) -> str:
    """`2 of 15 folds were`, or trials where a fold has several seeds."""
    unit = "trials" if "," in question_words(about).get("seeds", "") else "folds"
    return f"{len(left_out)} of {about.trials} {unit} {'was' if len(left_out) == 1 else 'were'}"


def _refuse_missing(runs: Sequence[FinishedRun], has: Sequence[set[Trial]], advice: str) -> None:
    somewhere = set.union(*has)
    faults = []
    for run, own in zip(runs, has, strict=True):
        missing = sorted(somewhere - own) if own else _asked(run)
        if missing or not own:
            told = [f"{trial_label(*one)} ({_reason(run, one)})" for one in missing[:NAMED]]
            told += [f"{len(missing) - NAMED} more"] * (len(missing) > NAMED)
            what = ", ".join(told) or "any trial"
            faults.append(f"{run.description.name} has no result for {what}")
    if faults:
        raise IncomparableRunsError(f"{'; '.join(faults)}. {AGAIN}{advice}")


def _asked(run: FinishedRun) -> list[Trial]:
    """Every trial of the run's protocol."""
    protocol = run.description.question["protocol"]
    match protocol:
        case {"repeats": int(repeats), "folds": int(folds), "seeds": [*seeds]}:
            numbers = [seed for seed in seeds if isinstance(seed, int)]
            return list(product(range(repeats), range(folds), numbers))
    return [(one.repeat, one.fold, one.seed) for one in run.failures]


def _reason(run: FinishedRun, trial: Trial) -> str:
    for one in run.failures:
        if (one.repeat, one.fold, one.seed) == trial:
            return f"failed: {one.error}"
    return NOT_FINISHED
