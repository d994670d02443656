"""Whether anything of the test cases reaches a model while it is fitted or predicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.audit.altered import AlteredDataset
from mtsbench.audit.findings import Finding, Status
from mtsbench.audit.sealed import sealing
from mtsbench.audit.trials import Parts, Trials, risk_of
from mtsbench.audit.watching import Noted, cases_noted, secrets_withheld
from mtsbench.testing.models import close

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.composition import TrainingSettings
    from mtsbench.data import Outcomes
    from mtsbench.preprocessing import CaseCache
    from mtsbench.splits import Split

EPOCHS = 2  # a leak needs no long training to show

Risks = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """Fits one split several times, each time with one thing of the test cases changed.

    Attributes:
        trials: Of the experiment.
        cache: Of its dataset, prepared.
        split: Training, validation and test cases.
        training: A short budget; the fits are only compared with each other.
        watch: Told what is being fitted.
    """

    trials: Trials
    cache: CaseCache
    split: Split
    training: TrainingSettings
    watch: Callable[[str], None]

    def findings(self) -> Iterator[Finding]:
        """The checks, one after another.

        Raises:
            MtsbenchError: The model cannot be fitted on this dataset at all.
        """
        parts, noted, start = self._parts(), Noted(), time.monotonic()
        reference = self._watched(parts, noted)
        yield from _asked(noted, time.monotonic() - start)
        if reference is None:
            reference = self._risks(parts, "with nothing withheld")
        yield self._scrambled(reference)
        yield self._sealed(parts, reference)
        yield from self._disturbed(parts, reference)

    def _watched(self, parts: Parts, noted: Noted) -> Risks | None:
        """Risks of a model that was refused every outcome; None if it did not bear that."""
        self.watch("fitting with the outcomes withheld")
        dataset = self.cache.dataset
        try:
            with secrets_withheld(dataset, noted):
                with cases_noted(dataset, frozenset(self.split.test), noted):
                    model = self.trials.fit(parts.train, parts.validation, self.training)
                noted.fitted = True
                return risk_of(model, parts.test), risk_of(model, parts.seen)
        except Exception:
            if not noted.secrets:
                raise
        return None

    def _scrambled(self, reference: Risks) -> Finding:
        """The dataset tells other outcomes of the test cases."""
        start, outcomes = time.monotonic(), _scrambled(self.trials.outcomes, self.split.test)
        cache = self.trials.cache_of(AlteredDataset(self.cache.dataset, outcomes=outcomes))
        parts = self.trials.parts(cache, outcomes, self.split)
        return self._compared(
            "scrambled test outcomes change no risk",
            lambda: self._risks(parts, "with scrambled test outcomes"),
            reference,
            start,
        )

    def _sealed(self, parts: Parts, reference: Risks) -> Finding:
        """The same cases under other names, with no way back to the dataset."""
        start = time.monotonic()
        with sealing((*parts.seen.case_ids, *parts.test.case_ids)) as sealed:
            closed = replace(
                parts,
                train=sealed.labelled(parts.train),
                validation=sealed.labelled(parts.validation),
                test=sealed.cohort(parts.test),
                seen=sealed.cohort(parts.seen),
            )
            return self._compared(
                "renamed cases, cut off from the dataset, keep their risks",
                lambda: self._risks(closed, "with renamed cases"),
                reference,
                start,
            )

    def _disturbed(self, parts: Parts, reference: Risks) -> Iterator[Finding]:
        """Every other test case is another case."""
        start, changed = time.monotonic(), self.split.test[::2]
        dataset = AlteredDataset(self.cache.dataset, disturbed=frozenset(changed))
        cache = self.trials.cache_of(dataset)
        try:
            self.trials.prepare(cache, changed)
            other = self.trials.parts(cache, self.trials.outcomes, self.split)
            same = other.preprocessing.to_json() == parts.preprocessing.to_json()
            yield Finding(
                check="preprocessing learns nothing from test cases",
                status="passed" if same else "failed",
                measured=(
                    f"{'the same' if same else 'other'} statistics with {len(changed)} of "
                    f"{len(self.split.test)} test cases changed"
                ),
                seconds=time.monotonic() - start,
            )
            start = time.monotonic()
            yield self._compared(
                "changed test cases change no other risk",
                lambda: self._risks(other, "with changed test cases"),
                reference,
                start,
                np.arange(len(self.split.test)) % 2 == 1,
            )
        finally:
            cache.forget(changed)

    def _compared(
        self,
        check: str,
        fit: Callable[[], Risks],
        reference: Risks,
        start: float,
        kept: NDArray[np.bool_] | None = None,
    ) -> Finding:
        """Compare risks of test cases (those kept) and of all others with the reference."""
        chosen = slice(None) if kept is None else kept
        try:
            test, seen = fit()
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return Finding(
                check=check,
                status="failed",
                measured=f"the model fails: {told}",
                seconds=time.monotonic() - start,
            )
        same = close(test[chosen], reference[0][chosen]) and close(seen, reference[1])
        count = len(test[chosen]) + len(seen)
        measured = f"{count} risks are the same"
        status: Status = "passed"
        if not same:
            furthest = max(
                float(np.abs(a - b).max())
                for a, b in ((test[chosen], reference[0][chosen]), (seen, reference[1]))
            )
            status, measured = "failed", f"of {count} risks one moves by {furthest:.3g}"
            again = self._risks(self._parts(), "once more as it is")
            if not all(close(a, b) for a, b in zip(again, reference, strict=True)):
                status = "undecided"
                measured += ", but so they do when nothing is changed: fits with one seed differ"
        return Finding(
            check=check, status=status, measured=measured, seconds=time.monotonic() - start
        )

    def _parts(self) -> Parts:
        return self.trials.parts(self.cache, self.trials.outcomes, self.split)

    def _risks(self, parts: Parts, what: str) -> Risks:
        self.watch(f"fitting {what}")
        model = self.trials.fit(parts.train, parts.validation, self.training)
        return risk_of(model, parts.test), risk_of(model, parts.seen)


def short(training: TrainingSettings) -> TrainingSettings:
    """The same recipe, of two epochs at most."""
    return replace(training, epochs=min(training.epochs, EPOCHS))


def _asked(noted: Noted, seconds: float) -> Iterator[Finding]:
    secrets, cases = list(dict.fromkeys(noted.secrets)), list(dict.fromkeys(noted.cases))
    yield Finding(
        check="fit and predict ask for no outcome",
        status="failed" if secrets else "passed",
        measured=f"asked for {_some(secrets)}" if secrets else "none was asked for",
        seconds=seconds,
    )
    status: Status = "failed" if cases else "passed" if noted.fitted else "undecided"
    told = "none was read" if noted.fitted else "fit ended early"
    yield Finding(
        check="fit reads no test case",
        status=status,
        measured=f"it read {_some(cases)}" if cases else told,
    )


def _scrambled(outcomes: Outcomes, test: Sequence[str]) -> Outcomes:
    """The outcomes of the test cases dealt anew, with other times."""
    rows = np.flatnonzero(np.isin(outcomes.case_ids, test))
    order = np.random.default_rng(0).permutation(rows)
    times, events = outcomes.time.copy(), outcomes.event.copy()
    times[rows], events[rows] = 1.5 * outcomes.time[order], ~outcomes.event[order]
    return replace(outcomes, time=times, event=events)


def _some(found: Sequence[str], shown: int = 3) -> str:
    rest = f" and {len(found) - shown} more" if len(found) > shown else ""
    return ", ".join(found[:shown]) + rest
