"""The runs on one dataset as every output of a comparison reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtsbench.comparison.against_reference import Comparison, compare_with_reference
from mtsbench.comparison.common_trials import common_trials
from mtsbench.comparison.cost import Cost, cost
from mtsbench.comparison.fitted_models import cross_validated
from mtsbench.comparison.labels import marked, run_names
from mtsbench.comparison.patients import read_patients
from mtsbench.errors import OptionError, UndefinedMetricError

if TYPE_CHECKING:
    from mtsbench.comparison.common_trials import LeftOut, OnMissing
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.comparison.patients import RunPatients
    from mtsbench.metrics.sampled_concordance import SampledConcordance
    from mtsbench.records import RunDescription
    from mtsbench.store import RunStore


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One run of the comparison.

    Attributes:
        name: Unique among the runs.
        sampled: The run's C-index with what each patient adds to it, or why it has none.
        interval: Its 95 % jackknife interval, conditional on the fitted models; None with
            `no_interval`.
        no_interval: Why there is none.
    """

    name: str
    run: FinishedRun
    tested: RunPatients
    cost: Cost
    sampled: SampledConcordance | str
    interval: tuple[float, float] | None
    no_interval: str | None

    @property
    def c_index(self) -> float | None:
        """Mean of Harrell's C over the test folds; None where no pair is comparable."""
        return None if isinstance(self.sampled, str) else self.sampled.value

    @property
    def label(self) -> str:
        """The name, and where a true mask was given."""
        return marked(self.name, self.run)


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """The runs on one dataset.

    Attributes:
        reference: Declared by the user; None where none was, or where it is not among these runs.
        comparisons: Label to its comparison with the reference.
        left_out: Trials that nothing here uses, because not every run has them.
        absent: The declared reference, where no run here is of it.
    """

    description: RunDescription
    entries: tuple[Entry, ...]
    reference: Entry | None
    comparisons: Mapping[str, Comparison]
    left_out: tuple[LeftOut, ...] = ()
    absent: str | None = None

    def leading(self, count: int) -> tuple[Entry, ...]:
        """The reference and the highest concordances, at most `count`, for figures."""
        ranked = sorted(self.entries, key=lambda e: -1.0 if e.c_index is None else -e.c_index)
        ranked.sort(key=lambda entry: entry is not self.reference)
        return tuple(ranked[:count])


def analyse(
    runs: Sequence[tuple[FinishedRun, RunStore]],
    reference: str | None,
    *,
    on_missing: OnMissing = "refuse",
) -> Analysis:
    """Read the patients of comparable runs and compare each with the reference.

    Args:
        runs: Of one dataset, checked to be comparable.
        reference: A model's name, or a run's where several runs are of one model.
        on_missing: What becomes of trials that only some of the runs have.

    Raises:
        IncomparableRunsError: Trials are missing; see `common_trials`.
        OptionError: No run, or more than one, has this name.
        DataError: A run's files are missing or damaged.
    """
    kept, left_out = common_trials([run for run, _ in runs], on_missing)
    entries = tuple(
        _entry(name, run, read_patients(store, run.records))
        for name, run, (_, store) in zip(run_names(kept), kept, runs, strict=True)
    )
    chosen = None if reference is None else _find(entries, reference)
    comparisons: dict[str, Comparison] = {}
    if chosen is not None:
        others = [(e.label, e.run, e.sampled) for e in entries if e is not chosen]
        found = compare_with_reference((chosen.run, chosen.sampled), others)
        comparisons = {one.label: one for one in found}
    return Analysis(
        description=entries[0].run.description,
        entries=entries,
        reference=chosen,
        comparisons=comparisons,
        left_out=left_out,
    )


def analyse_each(
    groups: Sequence[Sequence[tuple[FinishedRun, RunStore]]],
    reference: str | None,
    *,
    on_missing: OnMissing = "refuse",
) -> tuple[Analysis, ...]:
    """Analyse the runs of each question; where the reference is not among them, without tests.

    Raises:
        OptionError: No run of any question has the reference's name, or several of one have.
        IncomparableRunsError, DataError: See `analyse`.
    """
    here = [_any_called(group, reference) for group in groups]
    if reference is not None and not any(here):
        names = ", ".join(run.description.name for group in groups for run, _ in group)
        raise OptionError(f"--reference {reference!r} names no run; choose one of {names}")
    return tuple(
        analyse(group, reference, on_missing=on_missing)
        if there
        else replace(analyse(group, None, on_missing=on_missing), absent=reference)
        for group, there in zip(groups, here, strict=True)
    )


def _any_called(runs: Sequence[tuple[FinishedRun, RunStore]], name: str | None) -> bool:
    names = run_names([run for run, _ in runs])
    return any(
        name in (run.label, own, marked(own, run), run.description.name)
        for own, (run, _) in zip(names, runs, strict=True)
    )


def _entry(name: str, run: FinishedRun, tested: RunPatients) -> Entry:
    sampled: SampledConcordance | str
    interval, reason = None, None
    try:
        sampled = cross_validated(tested)
    except UndefinedMetricError as undefined:
        sampled = reason = str(undefined)
    else:
        try:
            interval = sampled.interval()
        except UndefinedMetricError as undefined:
            reason = str(undefined)
    return Entry(
        name=name,
        run=run,
        tested=tested,
        cost=cost(run),
        sampled=sampled,
        interval=interval,
        no_interval=reason,
    )


def _find(entries: Sequence[Entry], name: str) -> Entry:
    found = [e for e in entries if name in (e.run.label, e.name, e.label, e.run.description.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(entry.run.description.name for entry in entries)
    how = "no run" if not found else f"{len(found)} runs"
    raise OptionError(f"--reference {name!r} names {how}; choose one of {names}")
