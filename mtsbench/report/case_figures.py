"""Figures of patients: example cases, and errors of both endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.comparison.both_endpoints import PatientErrors, patient_errors
from mtsbench.comparison.risk_strata import first_pass
from mtsbench.errors import UndefinedMetricError
from mtsbench.report.figures import COLOURS, Picture, new_figure, panels
from mtsbench.slices import Reason, Slice, read_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mtsbench.comparison.analysis import Analysis, Entry
    from mtsbench.comparison.patients import RunPatients

PET_TOP, CT_WINDOW = 10.0, (-160.0, 240.0)
SHOWN = 6
# Under the title of a slice that was not chosen by the true tumour.
REASONS: Mapping[Reason, str] = {
    "true": "",
    "predicted": "no true tumour: most predicted",
    "neither": "no tumour: middle slice",
    "unknown": "slice chosen by an older version",
}


def segmenting(analysis: Analysis) -> tuple[Entry, ...]:
    """The models with tumour masks, the reference first."""
    found = [entry for entry in analysis.entries if entry.tested.gives_masks()]
    return tuple(sorted(found, key=lambda entry: entry is not analysis.reference))


def error_figure(analysis: Analysis) -> Picture | None:
    """Survival error against segmentation error of each patient; None if no model has both."""
    found: list[tuple[Entry, PatientErrors]] = []
    for entry in segmenting(analysis):
        try:
            found.append((entry, patient_errors(entry.tested)))
        except UndefinedMetricError:
            continue  # the table of both endpoints says why
    if not found:
        return None
    found = found[:SHOWN]
    figure = new_figure(10, 3.1 * -(-len(found) // 3))
    for axes, (entry, errors) in zip(panels(figure, len(found)), found, strict=True):
        axes.plot(
            errors.segmentation, errors.survival, "o", color=COLOURS[0], alpha=0.5, markersize=4
        )
        axes.set_title(f"{entry.name}: rho {errors.correlation:.2f}", fontsize=9)
        axes.set(xlabel="1 - Dice", ylabel="share of pairs in wrong order", ylim=(-0.03, 1.03))
    return Picture(
        name="both-endpoints",
        title="Survival error against segmentation error of each patient",
        caption=(
            "One mark a patient. Survival error is the share of the patient's comparable pairs "
            "that the risk orders wrongly; rho is Spearman's correlation."
        ),
        figure=figure,
    )


def example_figure(analysis: Analysis) -> Picture | None:
    """Best, median and worst patients of one model by either endpoint; None without slices.

    Of the first repeat and seed alone: the score beside a slice is that of the very trial that
    predicted the mask in it.
    """
    for entry in segmenting(analysis):
        tested = replace(entry.tested, folds=first_pass(entry.tested))
        try:
            errors = patient_errors(tested)
        except UndefinedMetricError:
            continue
        slices = [(title, _slice(tested, case_id)) for title, case_id in _choose(errors)]
        shown = [(title, one) for title, one in slices if one is not None and one.images]
        if shown:
            return _draw_examples(entry, shown)
    return None


def draw_slices(shown: Sequence[tuple[str, Slice]]) -> Figure:
    """Titled slices side by side, a row for each channel, with both contours."""
    channels = list(shown[0][1].images)
    figure = new_figure(1.9 * len(shown), 2.1 * len(channels) + 0.4)
    grid = figure.subplots(len(channels), len(shown), squeeze=False)
    for column, (title, one) in enumerate(shown):
        for row, name in enumerate(channels):
            _draw_slice(grid[row, column], one, name)
        lines = filter(None, (title, REASONS[one.chosen_by]))
        grid[0, column].set_title("\n".join(lines), fontsize=7)
    return figure


def _draw_examples(entry: Entry, shown: Sequence[tuple[str, Slice]]) -> Picture:
    return Picture(
        name="examples",
        title=f"Example patients of {entry.name} with true and predicted tumour",
        caption=(
            "The slice with most true tumour, unless its title says otherwise. Solid blue: true "
            f"contour; dashed orange: predicted. PET from SUV 0 (white) to {PET_TOP:g} (black); CT "
            f"from {CT_WINDOW[0]:g} to {CT_WINDOW[1]:g} HU. Patients chosen by rule, not by eye: "
            "best, median and worst by Dice, and by the share of pairs in the wrong order, in the "
            "first repeat and seed; the worst are failure cases."
        ),
        figure=draw_slices(shown),
    )


def _draw_slice(axes: Axes, one: Slice, channel: str) -> None:
    low, high = (0.0, PET_TOP) if channel == "pet_suv" else CT_WINDOW
    colours = "gray_r" if channel == "pet_suv" else "gray"
    aspect = one.spacing[0] / one.spacing[1]
    axes.imshow(one.images[channel], cmap=colours, vmin=low, vmax=high, aspect=aspect)
    for mask, colour, line in ((one.true, COLOURS[0], "-"), (one.predicted, COLOURS[1], "--")):
        if mask.any():
            # A mask that reaches the edge, or fills the slice, has its contour there.
            framed = np.pad(mask, 1).astype(float)
            rows, columns = (np.arange(count) - 1 for count in framed.shape)
            axes.contour(
                columns, rows, framed, [0.5], colors=colour, linestyles=line, linewidths=1.2
            )
    axes.set(xticks=[], yticks=[])
    axes.set_ylabel(channel, fontsize=7)


def _choose(errors: PatientErrors) -> list[tuple[str, str]]:
    chosen = []
    for name, values in (("Dice", errors.segmentation), ("survival", errors.survival)):
        order = np.argsort(values, kind="stable")
        places = {"best": order[0], "median": order[len(order) // 2], "worst": order[-1]}
        for place, row in places.items():
            value = 1 - values[row] if name == "Dice" else values[row]
            what = "Dice" if name == "Dice" else "pairs wrong"
            title = f"{place} by {name}\n{errors.case_ids[row]}\n{what} {value:.2f}"
            chosen.append((title, errors.case_ids[row]))
    return chosen


def _slice(tested: RunPatients, case_id: str) -> Slice | None:
    for fold in tested.folds:
        if case_id in fold.outcomes.case_ids:
            return read_slice(fold.slices, case_id)
    return None
