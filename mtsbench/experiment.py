"""What the user asked for, resolved: the parts of every trial's key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mtsbench import __version__
from mtsbench.capabilities import has_network_inside
from mtsbench.composition import Composition, TrainingSettings, check_balancing
from mtsbench.errors import DataError, OptionError
from mtsbench.identity import trial_key
from mtsbench.model_building import build_model, model_maker
from mtsbench.options import UNSAID, replace_fields
from mtsbench.parts import ROLES
from mtsbench.protocol import (
    PresetName,
    Protocol,
    choose_preset,
    default_protocol,
    geometry,
    training_budget,
)
from mtsbench.recipe import recipe_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from mtsbench.announcements import Announced
    from mtsbench.components import ModelComponent
    from mtsbench.interfaces import Dataset, Model
    from mtsbench.plugins import Components
    from mtsbench.preprocessing import PreprocessingSettings
    from mtsbench.preprocessing.settings import TestCentre
    from mtsbench.records import Recipe
    from mtsbench.splits import Split

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]
NAMESPACES = ("dataset", "training", "preprocessing")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run as the command line names it; None means the default.

    Attributes:
        settings: `--set` assignments; keys may begin with `dataset.`, `training.` or
            `preprocessing.`, others are options of the model or, with a role such as `head.` in
            front, of a part of it.
    """

    model: str
    dataset: str
    data_root: Path | None = None
    endpoint: str | None = None
    preset: str = "auto"
    folds: int | None = None
    repeats: int | None = None
    validation_share: float | None = None
    seeds: tuple[int, ...] | None = None
    device: str = "auto"
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run with every choice made.

    Attributes:
        needs_mask_at_test: The true mask of a test case is given to the model or to its crop.
        needs_masks: That, or the model learns from the masks of its training cases.
        trains_network: The epoch of a network is chosen on the validation part.
    """

    model_name: str
    dataset_name: str
    dataset: Dataset
    fingerprint: str
    endpoint: str
    preset: PresetName
    protocol: Protocol
    preprocessing: PreprocessingSettings
    training: TrainingSettings
    device: str
    model_options: Mapping[str, JsonValue]
    dataset_options: Mapping[str, JsonValue]
    versions: Mapping[str, str]
    needs_mask_at_test: bool
    recipe: Recipe | None
    needs_masks: bool
    trains_network: bool
    new_model: Callable[[], Model]

    def question(self) -> dict[str, JsonValue]:
        """What two runs must share to be comparable, apart from the splits."""
        return {
            "dataset": self.dataset_name,
            "fingerprint": self.fingerprint,
            "endpoint": self.endpoint,
            "preset": self.preset,
            "protocol": _plain(asdict(self.protocol)),
        }

    def method(self) -> dict[str, JsonValue]:
        """What makes this run's method: model, options, recipe, geometry and versions."""
        return {
            "model": self.model_name,
            "options": dict(self.model_options),
            "training": _plain(said(self.training)),
            "preprocessing": _plain(said(self.preprocessing)),
            "needs_mask_at_test": self.needs_mask_at_test,
            "versions": dict(self.versions),
        }

    def key(self, split: Split, seed: int) -> str:
        """The trial's key: same key, same work."""
        return trial_key(self.question(), self.method(), split.hash(), seed)


def resolve(request: Request, components: Components) -> Experiment:
    """Look components up, validate every option and settle preset, geometry and budget.

    Raises:
        UnknownComponentError: No such model or dataset.
        OptionError: An option does not exist or does not fit.
        DataError: The data root cannot be used, or the dataset lacks what the model needs.
    """
    from mtsbench.engine.precision import choose_device

    device = choose_device(request.device)
    preset = choose_preset(request.preset, cuda=device.startswith("cuda"))
    settings = by_namespace(request.settings)
    model = components.get("model", request.model)
    announced = components.get("dataset", request.dataset)
    dataset_options = components.options("dataset", request.dataset, settings["dataset"])
    dataset = cast(
        "Dataset",
        components.build(
            "dataset", request.dataset, request.data_root, options=settings["dataset"]
        ),
    )
    built, model_options = build_model(request.model, settings["model"], components)
    composition = _composition(built)
    record = cast("ModelComponent[object]", model.component)
    _check_needs(record, dataset, request.dataset)
    preprocessing = _preprocessing(preset, dataset, composition, settings["preprocessing"])
    published = composition.training if composition else TrainingSettings()
    training = replace_fields(training_budget(preset, published), settings["training"], "training")
    if composition is not None:
        check_balancing(composition, training)
    needs_mask_at_test = record.needs_mask_at_test or preprocessing.test_centre == "mask"
    return Experiment(
        model_name=request.model,
        dataset_name=request.dataset,
        dataset=dataset,
        fingerprint=dataset.fingerprint(),
        endpoint=choose_endpoint(request.endpoint, dataset, request.dataset),
        preset=preset,
        protocol=_protocol(request, preset),
        preprocessing=preprocessing,
        training=training,
        device=device,
        model_options=_plain(model_options),
        dataset_options=_plain(dataset_options),
        versions=_versions([model, announced, *_parts(composition, components)]),
        needs_mask_at_test=needs_mask_at_test,
        needs_masks=needs_mask_at_test or "training-masks" in record.needs,
        trains_network=composition is not None,
        recipe=recipe_of(composition, training, preset, settings["training"]),
        new_model=model_maker(request.model, settings["model"], components, device),
    )


def said(settings: DataclassInstance) -> dict[str, object]:
    """The fields that enter a key: those declared `UNSAID` only where they differ from default."""
    values: dict[str, object] = asdict(settings)
    return {
        one.name: values[one.name]
        for one in fields(settings)
        if one.metadata != UNSAID or values[one.name] != one.default
    }


def by_namespace(settings: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Settings of `dataset`, `training` and `preprocessing`, each without its prefix, and `model`.

    Those of the model's parts stay with the model, prefix and all.

    Raises:
        OptionError: Another prefix.
    """
    spaces: dict[str, dict[str, str]] = {name: {} for name in (*NAMESPACES, "model")}
    for key, value in settings.items():
        space, dot, rest = key.partition(".")
        if dot and space in NAMESPACES:
            spaces[space][rest] = value
        elif dot and space not in ROLES:
            raise OptionError(
                f"setting {key!r} begins with {space!r}; expected one of "
                f"{', '.join((*NAMESPACES, *ROLES))}, or a plain option of the model"
            )
        else:
            spaces["model"][key] = value
    return spaces


def _composition(built: object) -> Composition | None:
    """What a model trains with the engine, itself or inside."""
    if has_network_inside(built):
        return built.composition
    return built if isinstance(built, Composition) else None


def _check_needs(model: ModelComponent[object], dataset: Dataset, name: str) -> None:
    has = {"clinical"} if dataset.clinical_variables else set()
    has |= {"image", *dataset.channels} if dataset.channels else set()
    # Whether the cases have masks is checked for those with an outcome: see `check_masks`.
    lacking = sorted(model.needs - has - {"training-masks"})
    if lacking:
        raise DataError(
            f"model {model.name!r} needs {', '.join(lacking)}, but dataset {name!r} has "
            f"{', '.join(sorted(has)) or 'neither images nor clinical variables'}; "
            "choose another model (`mtsbench list models` tells what each needs)"
        )


def _preprocessing(
    preset: PresetName,
    dataset: Dataset,
    composition: Composition | None,
    settings: Mapping[str, str],
) -> PreprocessingSettings:
    from mtsbench.preprocessing import PreprocessingSettings

    size, spacing = geometry(preset, dataset, composition)
    default = PreprocessingSettings(
        size=size, spacing=spacing, test_centre=cast("TestCentre", dataset.test_centre)
    )
    return replace_fields(default, settings, "preprocessing")


def _protocol(request: Request, preset: PresetName) -> Protocol:
    default = default_protocol(preset)
    return Protocol(
        folds=default.folds if request.folds is None else request.folds,
        repeats=default.repeats if request.repeats is None else request.repeats,
        validation_share=(
            default.validation_share
            if request.validation_share is None
            else request.validation_share
        ),
        seeds=default.seeds if request.seeds is None else request.seeds,
    )


def choose_endpoint(wanted: str | None, dataset: Dataset, name: str) -> str:
    """The endpoint meant by `--endpoint`, by default the dataset's first.

    Raises:
        OptionError: The dataset has no outcomes, or not this endpoint.
    """
    if not dataset.endpoints:
        raise OptionError(
            f"dataset {name!r} gives no outcomes here, so nothing can be trained or tested; "
            "use `mtsbench predict` for new patients, or add the table of outcomes"
        )
    endpoint = dataset.endpoints[0] if wanted is None else wanted.lower()
    if endpoint not in dataset.endpoints:
        raise OptionError(
            f"dataset {name!r} has no endpoint {wanted!r}; it has {', '.join(dataset.endpoints)}"
        )
    return endpoint


def _parts(composition: Composition | None, components: Components) -> list[Announced]:
    if composition is None:
        return []
    parts = [components.get("backbone", composition.backbone.name)]
    if composition.survival_network is not None:
        parts.append(components.get("backbone", composition.survival_network.name))
    parts.append(components.get("head", composition.head.name))
    return parts + [components.get("loss", item.loss.name) for item in composition.losses]


def _versions(announced: list[Announced]) -> dict[str, str]:
    return {
        "mtsbench": __version__,
        **{
            f"{item.kind} {item.component.name}": f"{item.distribution} {item.version}"
            for item in announced
        },
    }


def _plain(value: object) -> dict[str, JsonValue]:
    """Tuples to lists, so that what is hashed equals what is read back from JSON."""
    return cast("dict[str, JsonValue]", json.loads(json.dumps(value)))
