"""The parts of a composition by role, and their options: `--set head.risk=rmst`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from mtsbench.components import Kind
    from mtsbench.composition import Composition, Part, Task
    from mtsbench.options import Value
    from mtsbench.plugins import Components

ROLES: Mapping[str, Kind] = {
    "backbone": "backbone",
    "survival_network": "backbone",
    "head": "head",
    "survival_loss": "loss",
    "segmentation_loss": "loss",
}
LOSS_TASKS: Mapping[str, Task] = {
    "survival_loss": "survival",
    "segmentation_loss": "segmentation",
}


def split_options(
    settings: Mapping[str, object],
) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    """Options of the model, and those of its parts by role: `head.risk` is `risk` of `head`."""
    own: dict[str, object] = {}
    of_parts: dict[str, dict[str, object]] = {}
    for name, value in settings.items():
        role, dot, option = name.partition(".")
        if dot:
            of_parts.setdefault(role, {})[option] = value
        else:
            own[name] = value
    return own, of_parts


def set_options(
    composition: Composition, components: Components, of_parts: Mapping[str, Mapping[str, object]]
) -> tuple[Composition, dict[str, Value]]:
    """The composition with these options of its parts, and each `ROLE.NAME` with what it became.

    Raises:
        OptionError: The composition has no such part or more than one, or the part no such option.
    """
    settled: dict[str, Value] = {}
    for role, given in of_parts.items():
        part = _part(composition, role)
        checked = components.options(ROLES[role], part.name, {**part.options, **given})
        changes = {name: checked[name] for name in given}
        settled |= {f"{role}.{name}": value for name, value in changes.items()}
        changed = replace(part, options={**part.options, **changes})
        composition = _with_part(composition, role, part, changed)
    return composition, settled


def _part(composition: Composition, role: str) -> Part:
    found = _parts(composition, role)
    if len(found) != 1:
        names = ", ".join(part.name for part in found) or "none"
        settable = [name for name in ROLES if len(_parts(composition, name)) == 1]
        raise OptionError(
            f"options of the {role} need a model with exactly one, and this one has {names}; "
            f"options can be set of its {', '.join(settable)}"
        )
    return found[0]


def _parts(composition: Composition, role: str) -> list[Part]:
    if role in LOSS_TASKS:
        return [item.loss for item in composition.losses if item.task == LOSS_TASKS[role]]
    part: Part | None = getattr(composition, role)
    return [] if part is None else [part]


def _with_part(composition: Composition, role: str, part: Part, changed: Part) -> Composition:
    if role == "backbone":
        return replace(composition, backbone=changed)
    if role == "survival_network":
        return replace(composition, survival_network=changed)
    if role == "head":
        return replace(composition, head=changed)
    losses = tuple(
        replace(item, loss=changed) if item.loss is part else item for item in composition.losses
    )
    return replace(composition, losses=losses)
