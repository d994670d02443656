"""Figures of survival: risk groups, calibration, AUC over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.comparison.risk_strata import auc_by_day, calibration, risk_groups
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import off_whole_days
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.report.figures import COLOURS, Picture, line_style, new_figure, panels
from mtsbench.report.numbers import p_equation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mtsbench.comparison.analysis import Analysis, Entry
    from mtsbench.comparison.risk_strata import RiskGroups

SHOWN = 6
YEAR = 365.25


def group_figure(analysis: Analysis) -> Picture:
    """Kaplan-Meier curves of two risk groups, with numbers at risk."""
    entries = analysis.leading(SHOWN)
    figure = new_figure(10, 3.4 * -(-len(entries) // 3))
    for axes, entry in zip(panels(figure, len(entries)), entries, strict=True):
        _draw_groups(axes, risk_groups(entry.tested), entry)
    return Picture(
        name="risk-groups",
        title="Kaplan-Meier curves of patients above and below the median training risk",
        caption=(
            "Cut at the median risk of each training fold, applied to its test fold; one repeat. "
            "Bands are pointwise 95 % intervals; below, patients at risk (high above low). The "
            "log-rank test and the hazard ratio (HR) are stratified by fold; the test asks whether "
            "the split is better than none, not whether one model beats another. Shown: the "
            "reference and the highest C."
        ),
        figure=figure,
    )


def _draw_groups(axes: Axes, groups: RiskGroups, entry: Entry) -> None:
    last = float(groups.time.max())
    ticks = np.arange(0, last / YEAR + 0.01, max(1.0, round(last / YEAR / 4)))
    for row, (name, member, colour) in enumerate(
        (("high", groups.high, COLOURS[1]), ("low", ~groups.high, COLOURS[0]))
    ):
        if not member.any():
            continue
        curve = kaplan_meier(groups.time[member], groups.event[member])
        days = np.concatenate([[0.0], curve.time])
        lower, upper = curve.interval(days)
        style = "-" if name == "high" else "--"
        axes.step(
            days / YEAR,
            curve.at(days),
            where="post",
            color=colour,
            linestyle=style,
            label=f"{name} risk",
        )
        axes.fill_between(days / YEAR, lower, upper, step="post", color=colour, alpha=0.15)
        for tick, count in zip(ticks, curve.numbers_at_risk(ticks * YEAR), strict=True):
            axes.text(
                tick,
                -0.33 - 0.1 * row,
                str(count),
                transform=axes.get_xaxis_transform(),
                ha="center",
                fontsize=7,
                color=colour,
            )
    test = groups.log_rank
    said = "; ".join(groups.undefined) if test is None else f"log-rank {p_equation(test.p)}"
    if groups.hazard_ratio is not None:
        low, high = groups.hazard_ratio.interval
        said += f"\nHR {groups.hazard_ratio.value:.2f} ({low:.2f} to {high:.2f})"
    axes.text(0.03, 0.04, said, transform=axes.transAxes, fontsize=7, wrap=True)
    axes.set_title(entry.name, fontsize=9)
    axes.set(xlabel="years", ylabel="event-free", ylim=(0, 1.02), xticks=ticks)
    axes.legend(fontsize=7, loc="upper right")


def calibration_figure(analysis: Analysis) -> Picture | None:
    """Observed against predicted risk at the horizon; None where no model gives curves."""
    horizon = analysis.description.horizon
    if horizon is None:
        return None
    found = []
    for entry in analysis.leading(len(analysis.entries)):
        try:
            found.append((entry, calibration(entry.tested, horizon)))
        except UndefinedMetricError:
            continue  # the table of calibration says why
    if not found:
        return None
    found = found[:SHOWN]
    figure = new_figure(10, 3.2 * -(-len(found) // 3))
    for axes, (entry, one) in zip(panels(figure, len(found)), found, strict=True):
        order = np.argsort(one.risk)
        axes.plot((0, 1), (0, 1), color="0.6", linewidth=0.8)
        axes.plot(one.risk[order], one.smooth.observed[order], color=COLOURS[0])
        axes.plot(one.risk, np.full(len(one.risk), -0.03), "|", color="0.4", markersize=4)
        axes.set_title(f"{entry.name}: ICI {one.smooth.ici:.3f}", fontsize=9)
        axes.set(xlabel="predicted risk", ylabel="observed risk", xlim=(0, 1), ylim=(-0.06, 1))
    return Picture(
        name="calibration",
        title=f"Observed against predicted risk of an event by day {horizon:.0f}",
        caption=(
            f"Risk of an event by day {horizon:.0f}, observed by a Cox model on a spline of the "
            "prediction (Austin 2020). The diagonal is perfect; ticks are patients. Few patients "
            "make the ends of the curves uncertain. Pooled over the folds of one repeat."
        ),
        figure=figure,
    )


def auc_figure(analysis: Analysis) -> Picture | None:
    """AUC against time up to tau; None where follow-up is too short for tau."""
    tau = analysis.description.tau
    if tau is None:
        return None
    days = np.unique(off_whole_days(np.linspace(tau / 8, tau, 15)))
    figure = new_figure(7, 3.6)
    axes = figure.subplots()
    for position, entry in enumerate(analysis.leading(SHOWN)):
        values = auc_by_day(entry.tested, days)
        colour, dash = line_style(position)
        axes.plot(days / YEAR, values, label=entry.name, color=colour, linestyle=dash)
    axes.axhline(0.5, color="0.6", linewidth=0.8)
    axes.set(xlabel="years", ylabel="AUC(t)")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(
        name="auc",
        title="Cumulative/dynamic AUC of the risk over time",
        caption=(
            f"Within test folds, then averaged, up to tau (day {tau:.0f}), weighted by the "
            "censoring of the whole cohort. Shown: the reference and the highest C."
        ),
        figure=figure,
    )
