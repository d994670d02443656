"""How the runs of a comparison depart from the recipes their models were published with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mtsbench.comparison.labels import SPACES
from mtsbench.options import format_value
from mtsbench.recipe import recipe_lines
from mtsbench.report.text_table import Table

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis
    from mtsbench.records import RunDescription

EMPHASIS = "segmentation_emphasis"


def recipe_sentences(analysis: Analysis) -> tuple[str, ...]:
    """One sentence for each set of changes, with the models that share it."""
    models: dict[str, list[str]] = {}
    for entry in analysis.entries:
        for line in recipe_lines(entry.run.description.recipe):
            models.setdefault(line, []).append(entry.label)
    return tuple(
        f"{line[0].upper()}{line[1:]} (models: {', '.join(names)})."
        for line, names in models.items()
    )


def emphasis_limits(analysis: Analysis) -> tuple[str, ...]:
    """What a factor on the segmentation losses means for the scores, where a run has one."""
    models: dict[str, list[str]] = {}
    for entry in analysis.entries:
        recipe = entry.run.description.recipe
        for change in recipe.changes if recipe else ():
            if change.name == EMPHASIS:
                factor = format_value(change.used).removesuffix(".0")
                models.setdefault(factor, []).append(entry.label)
    return tuple(
        f"The losses of segmentation were multiplied by {factor} in training (models: "
        f"{', '.join(names)}): their scores of both tasks are those of this balance and not of the "
        "published one."
        for factor, names in models.items()
    )


def settings_table(analysis: Analysis) -> Table:
    """Every option and setting of the runs with the models that have it, equal ones once."""
    models: dict[str, dict[str, list[str]]] = {}
    for space, prefix in {**SPACES, "versions": "version of "}.items():
        for entry in analysis.entries:
            values = cast("Mapping[str, object]", entry.run.description.method.get(space, {}))
            for name, value in values.items():
                same = models.setdefault(f"{prefix}{name}", {})
                same.setdefault(format_value(value), []).append(entry.label)
    return Table(
        name="settings",
        caption=(
            "Options of the models, and settings of training and preprocessing, as --set takes "
            "them, and versions. Settings of training matter only to models that are trained step "
            "by step."
        ),
        columns=("setting", "value", "models"),
        rows=tuple(
            (name, value, "all" if len(of) == len(analysis.entries) else ", ".join(of))
            for name, values in models.items()
            for value, of in values.items()
        ),
    )


def recipe_rows(about: RunDescription) -> Sequence[tuple[str, str, str, str]]:
    """Setting, published value, value of this run, and who changed it."""
    return [
        (one.name, format_value(one.published), format_value(one.used), one.by)
        for one in (about.recipe.changes if about.recipe else ())
    ]
