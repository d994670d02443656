"""Figures of scores: leaderboard, differences from the reference, folds, cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

from mtsbench.comparison.cost import pareto
from mtsbench.comparison.fold_scores import fold_scores
from mtsbench.report.figures import COLOURS, Picture, new_figure

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis, Entry

ROW = 0.28  # inches a model
EMPHASIS, PLAIN = COLOURS[1], COLOURS[0]


def leaderboard_figure(analysis: Analysis) -> Picture:
    """C-index with its interval, best first."""
    entries = _ranked(analysis)
    figure = new_figure(7, 1.2 + ROW * len(entries))
    axes = figure.subplots()
    for row, entry in enumerate(entries):
        assert entry.c_index is not None  # _ranked leaves the others out
        colour = EMPHASIS if entry is analysis.reference else PLAIN
        hollow = bool(entry.run.description.method["needs_mask_at_test"])
        if entry.interval is not None:
            axes.plot(entry.interval, (row, row), color=colour)
        axes.plot(entry.c_index, row, "o", color=colour, mfc="white" if hollow else colour)
    axes.set_yticks(range(len(entries)), [entry.name for entry in entries])
    axes.invert_yaxis()
    axes.axvline(0.5, color="0.6", linewidth=0.8)
    axes.set_xlabel("C-index (chance 0.5)")
    return Picture(
        name="leaderboard",
        title="C-index of every model with its 95 % interval",
        caption=(
            "Harrell's C, mean over test folds. Intervals cover the sampling of patients with the "
            "fitted models held fixed; they are no test between models. A point without a line has "
            "no interval, for a reason below the table. Hollow: given the true tumour mask of test "
            "patients. Orange: the reference."
        ),
        figure=figure,
    )


def difference_figure(analysis: Analysis) -> Picture | None:
    """Difference from the reference with both intervals; None without a reference."""
    found = [one for one in analysis.comparisons.values() if one.difference is not None]
    if analysis.reference is None or not found:
        return None
    found.sort(key=lambda one: -(one.difference or 0.0))
    figure = new_figure(7, 1.4 + 1.2 * ROW * len(found))
    axes = figure.subplots()
    for row, one in enumerate(found):
        if one.algorithm is not None:
            axes.plot(one.algorithm.interval, (row - 0.15,) * 2, color=PLAIN)
            axes.plot(one.algorithm.mean, row - 0.15, "o", color=PLAIN)
        elif one.fitted is None and one.difference is not None:
            axes.plot(one.difference, row, "x", color=PLAIN)
        if one.fitted is not None:
            axes.plot(one.fitted.interval, (row + 0.15,) * 2, color=EMPHASIS, linestyle="--")
            axes.plot(one.fitted.value, row + 0.15, "s", color=EMPHASIS, markersize=4)
    axes.set_yticks(range(len(found)), [one.label.split(" (")[0] for one in found])
    axes.invert_yaxis()
    axes.axvline(0, color="0.6", linewidth=0.8)
    if any(one.algorithm for one in found):
        axes.plot([], [], "o-", color=PLAIN, label="methods (Nadeau-Bengio)")
    axes.plot([], [], "s--", color=EMPHASIS, markersize=4, label="fitted models (jackknife)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    axes.set_xlabel(f"difference in C from {analysis.reference.name} (right is better)")
    return Picture(
        name="differences",
        title=f"Difference in C-index of every model from {analysis.reference.name}",
        caption=(
            "Two questions side by side: would the method do better at this sample size "
            "(circles; corrected for folds that share training patients; from five test folds on), "
            "and do these fitted models differ on new patients (squares). 95 % intervals, not "
            "adjusted. Cross: a difference without any test."
        ),
        figure=figure,
    )


def fold_figure(analysis: Analysis) -> Picture:
    """C-index of every test fold."""
    entries = _ranked(analysis)
    figure = new_figure(7, 1.2 + ROW * len(entries))
    axes = figure.subplots()
    folds = sorted(fold_scores(entries[0].run, "harrell-c"))
    markers = "osD^v<>PX*"
    for fold in folds:
        scores = [fold_scores(entry.run, "harrell-c").get(fold) for entry in entries]
        values = [np.nan if score is None else score for score in scores]
        label = f"fold {fold[1]}" if fold[0] == 0 else None
        axes.plot(
            values,
            range(len(entries)),
            marker=markers[fold[1] % len(markers)],
            color=COLOURS[fold[1] % len(COLOURS)],
            linestyle="",
            alpha=0.8,
            label=label,
        )
    axes.set_yticks(range(len(entries)), [entry.name for entry in entries])
    axes.invert_yaxis()
    axes.axvline(0.5, color="0.6", linewidth=0.8)
    axes.set_xlabel("C-index of one test fold, mean over seeds")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5)
    return Picture(
        name="folds",
        title="C-index of every model in every test fold",
        caption="One mark a fold; all models meet the same patients in it. Repeats are overlaid.",
        figure=figure,
    )


def cost_figure(analysis: Analysis) -> Picture:
    """Concordance against training time, inference time and memory."""
    entries = _ranked(analysis)
    figure = new_figure(9, 3.6)
    kinds = {
        "training, s per fold": [entry.cost.training for entry in entries],
        "inference, s per patient": [entry.cost.inference for entry in entries],
        "peak memory, MiB": [entry.cost.memory for entry in entries],
    }
    scores = [entry.c_index or 0.0 for entry in entries]
    for axes, (name, costs) in zip(figure.subplots(1, 3, sharey=True), kinds.items(), strict=True):
        costs = [max(one, 1e-4) for one in costs]
        best = pareto(scores, costs)
        for entry, score, one, front in zip(entries, scores, costs, best, strict=True):
            axes.plot(one, score, "o", color=EMPHASIS if front else "0.6")
            if front:
                axes.annotate(
                    entry.name,
                    (one, score),
                    xytext=(4, 3),
                    textcoords="offset points",
                    fontsize=7,
                )
        axes.set(xscale="log", xlabel=name)
        axes.margins(x=0.3)
        steps = (1.0, 2.0, 5.0) if max(costs) < 20 * min(costs) else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps, numticks=6))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
        axes.xaxis.set_minor_locator(NullLocator())
    figure.axes[0].set_ylabel("C-index")
    return Picture(
        name="cost",
        title="C-index against training time, inference time and memory",
        caption=(
            "Named and orange: no other model is at least as good at no more cost. Times are of "
            "this machine and count only beside each other; memory is of the whole process."
        ),
        figure=figure,
    )


def _ranked(analysis: Analysis) -> list[Entry]:
    defined = [entry for entry in analysis.entries if entry.c_index is not None]
    return sorted(defined, key=lambda entry: -(entry.c_index or 0))
