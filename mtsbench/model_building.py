"""From a model's name and settings to a model that can be trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from mtsbench.capabilities import takes_networks
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
        return complete_model(built, components, device)

    return new_model


def complete_model(built: object, components: Components, device: str) -> Model:
    """What a model's component has built, with all that it needs to be fitted or loaded.

    Args:
        built: A composition, or a model; one that `TakesNetworks` is given them.
        components: Where the parts of networks are built.
        device: torch device of a model that is loaded.
    """

    def new_network(composition: Composition) -> Model:
        from mtsbench.engine.deep_model import DeepModel

        return DeepModel(composition, components, device)

    if isinstance(built, Composition):
        return new_network(built)
    if takes_networks(built):
        built.take_networks(new_network)
    return cast("Model", built)


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
