"""From a model's name and settings to a model that can be trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from mtsbench.composition import Composition
from mtsbench.errors import OptionError
from mtsbench.options import Value, said_options
from mtsbench.parts import set_options, split_options

if TYPE_CHECKING:
    from mtsbench.interfaces import Model
    from mtsbench.plugins import Components


def model_maker(
    name: str, settings: Mapping[str, object], components: Components, device: str
) -> Callable[[], Model]:
    """A function that builds the model anew for each trial."""

    def new_model() -> Model:
        built, _ = build_model(name, settings, components)
        if isinstance(built, Composition):
            from mtsbench.engine.deep_model import DeepModel

            return DeepModel(built, components, device)
        return cast("Model", built)

    return new_model


def build_model(
    name: str, settings: Mapping[str, object], components: Components
) -> tuple[object, dict[str, Value]]:
    """A model or composition with these settings, and the options of it that enter a key.

    Options of parts, such as `head.risk`, are among them where they were given.

    Raises:
        OptionError: An option does not exist or does not fit, or is one of a part of a model that
            is no composition.
        UnknownComponentError: No such model, or no such part.
    """
    own, of_parts = split_options(settings)
    found = components.get("model", name).component
    options = said_options(found.build, components.options("model", name, own))
    built = components.build("model", name, options=own)
    if not of_parts:
        return built, options
    if not isinstance(built, Composition):
        raise OptionError(
            f"model {name!r} is not made of parts, so {next(iter(of_parts))!r} has no options to "
            f"set; `mtsbench show model {name}` lists those of the model"
        )
    composition, settled = set_options(built, components, of_parts)
    return composition, options | settled
