"""How the training of a run differs from the recipe that its model was published with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING

import pydantic

from mtsbench.options import format_value
from mtsbench.records import Recipe, RecipeChange

if TYPE_CHECKING:
    from mtsbench.composition import Composition, TrainingSettings
    from mtsbench.protocol import PresetName

# They change nothing in a model that trains no segmentation.
OF_SEGMENTATION = frozenset(
    {
        *("segmentation_emphasis", "mask_threshold", "select_by"),
        *("balancing", "gamma", "first_stage"),
    }
)
BY_USER = "--set"
_PLAIN: pydantic.TypeAdapter[dict[str, pydantic.JsonValue]] = pydantic.TypeAdapter(
    dict[str, pydantic.JsonValue]
)


def recipe_of(
    composition: Composition | None,
    training: TrainingSettings,
    preset: PresetName,
    given: Collection[str] = (),
) -> Recipe | None:
    """Every training setting that is not the published one, and who changed it.

    Args:
        composition: Holds the published recipe; None where the engine trains nothing.
        training: What the run trains with.
        preset: Its name stands beside what the user did not set.
        given: Settings that the user set, without `training.`.
    """
    if composition is None:
        return None
    published, used = _plain(composition.training), _plain(training)
    segments = any(item.task == "segmentation" for item in composition.losses)
    return Recipe(
        changes=tuple(
            RecipeChange(
                name=name,
                published=value,
                used=used[name],
                by=BY_USER if name in given else f"preset {preset}",
            )
            for name, value in published.items()
            if value != used[name] and (segments or name not in OF_SEGMENTATION)
        )
    )


def change_text(change: RecipeChange) -> str:
    """`epochs 12 instead of 200`, or how much the segmentation losses count."""
    used, published = format_value(change.used), format_value(change.published)
    if change.name == "segmentation_emphasis":
        return (
            f"losses of segmentation multiplied by {_number(used)} instead of {_number(published)}"
        )
    return f"{change.name.replace('_', ' ')} {used} instead of {published}"


def recipe_lines(found: Recipe | None) -> tuple[str, ...]:
    """A line for each who changed the published recipe; none where it is as published."""
    if found is None:
        return ()
    return tuple(
        f"{by} changes the published recipe: "
        + ", ".join(change_text(one) for one in found.changes if one.by == by)
        for by in dict.fromkeys(one.by for one in found.changes)
    )


def _number(text: str) -> str:
    return text.removesuffix(".0")


def _plain(settings: TrainingSettings) -> dict[str, pydantic.JsonValue]:
    """As the values are read back from JSON: tuples are lists."""
    return _PLAIN.validate_json(pydantic.TypeAdapter(dict[str, object]).dump_json(asdict(settings)))
