"""Tables of a comparison, once, for the page, for CSV, for Markdown and for LaTeX."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.comparison.against_reference import explore
from mtsbench.comparison.both_endpoints import patient_errors
from mtsbench.comparison.common_trials import left_out_count
from mtsbench.comparison.resampled_tests import ResampledTest
from mtsbench.comparison.risk_strata import calibration, first_pass, risk_groups
from mtsbench.comparison.summary import score_names, summarise
from mtsbench.comparison.variance_shares import variance_shares
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.overlap import Overlap, aggregated_dice, empty_masks
from mtsbench.report.numbers import detectable_text, p_text, verdict_text
from mtsbench.report.profile_table import profile_table
from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mtsbench.comparison.analysis import Analysis, Entry
    from mtsbench.comparison.patients import RunPatients

COARSE = frozenset({"hd95", "volume-error"})  # mm and mL: a tenth is enough
VOXEL = 1e-6  # mL: volumes become whole numbers for the sums of overlap


def all_tables(analysis: Analysis) -> tuple[Table, ...]:
    """Every table that has something to say about these runs."""
    found = [
        leaderboard(analysis),
        difference_table(analysis),
        exploratory_table(analysis),
        calibration_table(analysis),
        endpoint_table(analysis),
        variance_table(analysis),
        profile_table(analysis),
    ]
    counted = ""
    if analysis.left_out:
        count = left_out_count(analysis.left_out, analysis.description)
        counted = f" {count} left out of every run: see table left-out."
    return tuple(
        replace(table, caption=table.caption + counted)
        for table in found
        if table is not None and table.rows
    )


def leaderboard(analysis: Analysis) -> Table:
    """Concordance, curves, masks and cost of every model, best concordance first."""
    entries = sorted(analysis.entries, key=lambda e: -1.0 if e.c_index is None else -e.c_index)
    names = dict.fromkeys(name for entry in entries for name in score_names(entry.run))
    others = [name for name in names if name != "harrell-c"]
    return Table(
        name="leaderboard",
        caption=(
            "Harrell's C, mean over test folds, with 95 % jackknife interval (patients sampled, "
            "fitted models fixed); other columns are means over trials. Training in seconds a "
            "fold, inference in seconds a patient, memory in MiB. For ibs, hd95 (mm) and "
            "volume-error (mL) lower is better." + _missing_intervals(entries)
        ),
        columns=("model", "C-index", "95 % interval", *others, "training", "inference", "memory"),
        rows=tuple(
            (
                entry.label,
                _number(entry.c_index),
                _interval(entry.interval),
                *(_mean(entry, name) for name in others),
                f"{entry.cost.training:.1f}",
                f"{entry.cost.inference:.3f}",
                f"{entry.cost.memory:.0f}",
            )
            for entry in entries
        ),
    )


def _missing_intervals(entries: Sequence[Entry]) -> str:
    """Which models have no interval, and why."""
    reasons = dict.fromkeys(one.no_interval for one in entries if one.no_interval)
    return "".join(
        f" No interval for {', '.join(e.label for e in entries if e.no_interval == reason)}: "
        f"{reason}."
        for reason in reasons
    )


def difference_table(analysis: Analysis) -> Table | None:
    """Every model against the reference by the primary metric; None without a reference."""
    if analysis.reference is None:
        return None
    rows = []
    for one in analysis.comparisons.values():
        test, fitted, shares = one.algorithm, one.fitted, one.posterior
        dropped = len(one.differences.undefined)
        rows.append(
            (
                one.label + (f" ({dropped} folds undefined)" if dropped else ""),
                "–" if one.difference is None else f"{one.difference:+.3f}",
                "–" if test is None else _interval(test.interval),
                "–" if test is None else p_text(test.p),
                "–" if one.adjusted_p is None else p_text(one.adjusted_p),
                "–"
                if shares is None
                else f"{shares.worse:.2f} / {shares.equivalent:.2f} / {shares.better:.2f}",
                "–" if fitted is None else _interval(fitted.interval),
                "–" if fitted is None else p_text(fitted.p),
                verdict_text(one),
                detectable_text(one, one.detectable.test),
                detectable_text(one, one.detectable.verdict),
                "; ".join(one.undefined),
            )
        )
    warned = [one.few_events for one in analysis.comparisons.values() if one.few_events]
    few = f" !: {warned[0]}." if warned else ""
    return Table(
        name="differences",
        caption=(
            f"Difference in C-index from {analysis.reference.label} (positive is better), mean "
            "over test folds. Method: Nadeau-Bengio corrected t over folds, Holm over the rows; "
            "posterior of worse / equivalent (within 0.01) / better. Fitted models: "
            "patient-clustered jackknife. Robust: both find the same direction at 5 %. Detectable "
            "by test, by verdict: the true difference that the corrected test, and the verdict, "
            "find with a chance of 80 %; none: not even one of 0.50."
            + (f" !: {few}." if few else "")
        ),
        columns=(
            *("model", "difference", "95 % method", "p", "p Holm", "posterior"),
            *(
                "95 % fitted",
                "p fitted",
                "robust",
                "detectable by test",
                "detectable by verdict",
                "why not",
            ),
        ),
        rows=tuple(rows),
    )


def exploratory_table(analysis: Analysis) -> Table | None:
    """All other metrics against the reference, unadjusted; None without a reference."""
    if analysis.reference is None:
        return None
    rows = []
    for entry in analysis.entries:
        if entry is analysis.reference:
            continue
        for metric in score_names(entry.run):
            if metric == "harrell-c" or metric not in score_names(analysis.reference.run):
                continue
            found = explore(analysis.reference.run, entry.run, metric)
            cells = ("–", "–", "–", found) if isinstance(found, str) else _cells(found)
            rows.append((entry.label, metric, *cells))
    return Table(
        name="exploratory",
        caption=(
            f"Other metrics minus those of {analysis.reference.label}: exploratory, not adjusted "
            "for their number. For ibs, hd95 and volume-error lower is better."
        ),
        columns=("model", "metric", "difference", "95 % interval", "p", "why not"),
        rows=tuple(rows),
    )


def calibration_table(analysis: Analysis) -> Table | None:
    """Risk groups, and calibration at the horizon, of every model."""
    horizon = analysis.description.horizon
    rows = []
    for entry in analysis.entries:
        groups = risk_groups(entry.tested)
        ratio = groups.hazard_ratio
        cells = [
            "–" if groups.log_rank is None else p_text(groups.log_rank.p),
            "–" if ratio is None else f"{ratio.value:.2f} ({_interval(ratio.interval, 2)})",
        ]
        try:
            if horizon is None:
                raise UndefinedMetricError("follow-up is too short for a horizon")
            found = calibration(entry.tested, horizon)
            smooth = found.smooth
            cells += [f"{one:.3f}" for one in (smooth.ici, smooth.e50, smooth.e90)]
            cells += [f"{found.observed_to_expected:.2f}", f"{found.whole.statistic:.1f}", ""]
        except UndefinedMetricError as undefined:
            cells += ["–"] * 5 + [str(undefined)]
        rows.append((entry.label, *cells))
    return Table(
        name="calibration",
        caption=(
            "Risk groups (median of the training fold; log-rank test and hazard ratio, both "
            "stratified by fold: better than no split, not better than another model) and "
            "calibration of survival curves by day "
            f"{'–' if horizon is None else f'{horizon:.0f}'}: ICI, E50, E90, observed over "
            "expected, and D-calibration's chi-squared (lower is better; no test is counted as "
            "passed)."
        ),
        columns=(
            *("model", "log-rank p", "hazard ratio", "ICI", "E50", "E90", "O/E", "D-cal"),
            "why not",
        ),
        rows=tuple(rows),
    )


def endpoint_table(analysis: Analysis) -> Table | None:
    """Survival and segmentation side by side, of the models with both."""
    rows = []
    for entry in analysis.entries:
        if not entry.tested.gives_masks():
            continue
        sizes = _overlaps(entry.tested)
        empty = empty_masks(sizes)
        try:
            errors = patient_errors(entry.tested)
            related = f"{errors.correlation:.2f} (p {p_text(errors.p)})"
        except UndefinedMetricError as undefined:
            related = str(undefined)
        rows.append(
            (
                *(entry.label, _number(entry.c_index), _mean(entry, "dice")),
                *(f"{aggregated_dice(sizes):.3f}", _mean(entry, "hd95")),
                *(_mean(entry, "surface-dice"), _mean(entry, "detection")),
                f"{empty.missed} of {empty.scored}",
                f"{empty.false_alarms} ({empty.false_alarm_volume:.1f} mL)",
                related,
            )
        )
    if not rows:
        return None
    return Table(
        name="both-endpoints",
        caption=(
            "Both endpoints. Aggregated Dice sums over all patients of one repeat; HD95 in mm, the "
            "image's diagonal where nothing was predicted; missed: patients with tumour and none "
            "predicted; false alarms: patients without tumour and some predicted; relation: "
            "Spearman's correlation of 1 - Dice and the share of wrongly ordered pairs."
        ),
        columns=(
            *("model", "C-index", "Dice", "aggregated Dice", "HD95", "surface Dice", "detected"),
            *("missed", "false alarms", "relation of errors"),
        ),
        rows=tuple(rows),
    )


def variance_table(analysis: Analysis) -> Table | None:
    """Where the C-index of each model varies; None if it can be told of none."""
    rows = []
    for entry in analysis.entries:
        try:
            found = variance_shares(entry.run, "harrell-c")
        except UndefinedMetricError:
            continue  # a constant or undefined score has no variance to share out
        shares = (found.repeats, found.folds, found.seeds)
        if sum(one is not None for one in shares) < 2:
            continue  # one kind of repetition has all the variance there is
        rows.append((entry.label, *("–" if one is None else f"{one:.0%}" for one in shares)))
    return Table(
        name="variance",
        caption=(
            "Share of the variance of the C-index between repeats, between folds of a repeat and "
            "between seeds of a fold; a dash where the protocol has only one."
        ),
        columns=("model", "repeats", "folds", "seeds"),
        rows=tuple(rows),
    )


def _overlaps(tested: RunPatients) -> list[Overlap]:
    found = []
    for fold in first_pass(tested):
        sizes = [fold.masks[name] for name in ("true_ml", "predicted_ml", "overlap_ml")]
        for true, predicted, both in zip(*sizes, strict=True):
            if np.isfinite(true):
                counts = (round(one / VOXEL) for one in (true, predicted, both))
                whole = dict(zip(("true", "predicted", "both"), counts, strict=True))
                found.append(Overlap(**whole, voxel=VOXEL))
    return found


def _cells(test: ResampledTest) -> tuple[str, str, str, str]:
    return f"{test.mean:+.3f}", _interval(test.interval), p_text(test.p), ""


def _mean(entry: Entry, metric: str) -> str:
    if metric not in score_names(entry.run):
        return "–"
    found = summarise(entry.run, metric)
    if metric in COARSE and found.mean is not None:
        return found.mean_text().replace(f"{found.mean:.3f}", f"{found.mean:.1f}")
    return found.mean_text()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(limits: tuple[float, float] | None, digits: int = 3) -> str:
    return "–" if limits is None else f"{limits[0]:.{digits}f} to {limits[1]:.{digits}f}"
