"""What several datasets together say: forest plot, mean, and a test where there are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.comparison.across_datasets import (
    RandomEffects,
    friedman,
    random_effects,
    refusal,
    signed_rank_p,
)
from mtsbench.comparison.fold_scores import fold_scores
from mtsbench.comparison.resampled_tests import ResampledTest, holm
from mtsbench.errors import UndefinedMetricError
from mtsbench.report.figures import COLOURS, Picture, new_figure
from mtsbench.report.numbers import p_equation, p_text
from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis

Found = Mapping[str, Mapping[str, ResampledTest]]  # model to dataset to difference


def differences_by_model(analyses: Sequence[Analysis]) -> Found:
    """The differences from the reference of every model that two or more datasets have."""
    found: dict[str, dict[str, ResampledTest]] = {}
    for analysis in analyses:
        dataset = str(analysis.description.question["dataset"])
        dataset += " (SIMULATED)" if analysis.description.simulated else ""
        for entry in analysis.entries:
            one = analysis.comparisons.get(entry.label)
            if one is not None and one.algorithm is not None:
                found.setdefault(entry.label, {})[dataset] = one.algorithm
    return {model: tests for model, tests in found.items() if len(tests) > 1}


def forest_figure(found: Found, reference: str) -> Picture:
    """Each model's difference on each dataset, and its random-effects mean."""
    rows = sum(len(tests) + 1 for tests in found.values())
    figure = new_figure(8, 1.2 + 0.24 * rows)
    axes = figure.subplots()
    names, row = [], 0
    for model, tests in found.items():
        for dataset, test in tests.items():
            axes.plot(test.interval, (row, row), color=COLOURS[0])
            axes.plot(test.mean, row, "s", color=COLOURS[0], markersize=4)
            names.append(f"{model}: {dataset}")
            row += 1
        mean = _mean(tests)
        if isinstance(mean, str):
            continue  # the table says why there is none
        axes.plot(mean.interval, (row, row), color=COLOURS[1], linewidth=2.5)
        axes.plot(mean.mean, row, "D", color=COLOURS[1])
        names.append(f"{model}: mean")
        row += 1
    axes.set_yticks(range(row), names)
    axes.invert_yaxis()
    # With two datasets the mean's interval spans everything; the datasets' own set the range.
    every = [
        limit for tests in found.values() for test in tests.values() for limit in test.interval
    ]
    axes.set_xlim(min(-0.05, *every) * 1.1, max(0.05, *every) * 1.1)
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.set_xlabel(f"difference in C from {reference} (right is better)")
    return Picture(
        name="forest",
        title=f"Difference in C-index from {reference} on every dataset",
        caption=(
            "Squares: Nadeau-Bengio interval on one dataset. Diamonds: random-effects mean "
            "(DerSimonian-Laird, Hartung-Knapp interval), a description; intervals may leave "
            "the figure."
        ),
        figure=figure,
    )


def across_table(found: Found, analyses: Sequence[Analysis]) -> tuple[Table, tuple[str, ...]]:
    """Means over datasets, p-values where allowed, and sentences on what is refused."""
    said: list[str] = []
    p_values: dict[str, float] = {}
    for model, tests in found.items():
        try:
            p_values[model] = signed_rank_p(_arrays(tests)[0])
        except UndefinedMetricError as undefined:
            said.append(f"{model}: {undefined}.")
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    rows = []
    for model, tests in found.items():
        mean = _mean(tests)
        if isinstance(mean, str):
            said.append(f"{model}: {mean}.")
            cells = ("–", "–", "–")
        else:
            limits = f"{mean.interval[0]:.3f} to {mean.interval[1]:.3f}"
            cells = (f"{mean.mean:+.3f}", limits, f"{mean.between:.3f}")
        p_value = p_text(adjusted[model]) if model in adjusted else "–"
        rows.append((model, str(len(tests)), *cells, p_value))
    said.append(_ranks(analyses))
    table = Table(
        name="across-datasets",
        caption=(
            "Random-effects mean of the differences over datasets (description), standard "
            "deviation between datasets, and Wilcoxon's signed-rank p with Holm's adjustment."
        ),
        columns=("model", "datasets", "mean", "95 % interval", "between", "p Holm"),
        rows=tuple(rows),
    )
    unique = dict.fromkeys(said)
    if len({len(tests) for tests in found.values()}) == 1 and not p_values:
        # One sentence says it for all models.
        unique = dict.fromkeys([refusal(len(analyses)) + ".", _ranks(analyses)])
    return table, tuple(unique)


def rank_figure(analyses: Sequence[Analysis]) -> Picture | None:
    """Critical-difference diagram; None with fewer than ten datasets or three models."""
    models, scores = _complete(analyses)
    try:
        found = friedman(scores)
    except UndefinedMetricError:
        return None  # the sentences beside the table say so
    figure = new_figure(7, 1.4 + 0.25 * len(models))
    axes = figure.subplots()
    order = np.argsort(found.mean_rank)
    for row, place in enumerate(order):
        axes.plot(found.mean_rank[place], row, "o", color=COLOURS[0])
    for first in range(len(order)):
        start = found.mean_rank[order[first]]
        alike = np.flatnonzero(found.mean_rank[order] - start <= found.critical_difference)
        if alike[-1] > first:
            axes.plot((start, found.mean_rank[order[alike[-1]]]), (first + 0.3,) * 2, color="0.4")
    axes.set_yticks(range(len(models)), [models[place] for place in order])
    axes.invert_yaxis()
    axes.set_xlabel("mean rank over datasets (1 is best)")
    return Picture(
        name="critical-difference",
        title="Mean ranks over datasets with the critical difference",
        caption=(
            f"Friedman {p_equation(found.p)}; critical difference {found.critical_difference:.2f} "
            "(Nemenyi, 5 %). Lines join models that are not told apart. Ranks depend on which "
            "models take part."
        ),
        figure=figure,
    )


def _ranks(analyses: Sequence[Analysis]) -> str:
    try:
        found = friedman(_complete(analyses)[1])
    except UndefinedMetricError as undefined:
        return f"{str(undefined).capitalize()}."
    return f"Friedman's chi-squared {found.chi_squared:.2f}, {p_equation(found.p)}."


def _complete(analyses: Sequence[Analysis]) -> tuple[list[str], np.ndarray]:
    """Models that every dataset has, and their mean C (datasets by models)."""
    means: list[dict[str, float]] = []
    for analysis in analyses:
        scores = {e.label: fold_scores(e.run, "harrell-c").values() for e in analysis.entries}
        means.append(
            {
                model: float(np.mean([v for v in values if v is not None]))
                for model, values in scores.items()
                if any(v is not None for v in values)
            }
        )
    models = [model for model in means[0] if all(model in one for one in means)]
    return models, np.array([[one[model] for model in models] for one in means])


def _mean(tests: Mapping[str, ResampledTest]) -> RandomEffects | str:
    """The random-effects mean, or why there is none."""
    try:
        return random_effects(*_arrays(tests), possible=(-1.0, 1.0))
    except UndefinedMetricError as undefined:
        return str(undefined)


def _arrays(tests: Mapping[str, ResampledTest]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([test.mean for test in tests.values()]),
        np.array([test.standard_error for test in tests.values()]),
    )
