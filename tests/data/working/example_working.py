"""A plugin that does everything right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mtsbench.components import Component, ModelComponent
from mtsbench.composition import Composition, Part, WeightedLoss
from mtsbench.errors import DataError
from mtsbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = "https://example.org/"


@hookimpl
def mtsbench_datasets() -> Iterator[Component[object]]:
    yield Component(
        name="folder",
        summary="Says what it was built with",
        build=_build_folder,
        reference=REFERENCE,
    )


@hookimpl
def mtsbench_losses() -> Iterator[Component[object]]:
    yield Component(
        name="broken-inside", summary="Cannot be built", build=_build_broken, reference=REFERENCE
    )
    yield Component(
        name="missing-data", summary="Has no data", build=_build_missing, reference=REFERENCE
    )


@hookimpl
def mtsbench_models() -> Iterator[ModelComponent[object]]:
    yield ModelComponent(
        name="zebra", summary="Announced first", build=_build_plain, reference=REFERENCE
    )
    yield ModelComponent(
        name="parts",
        summary="A deep model made of parts",
        build=_build_parts,
        reference=REFERENCE,
        produces=frozenset({"risk", "mask"}),
        needs_mask_at_test=True,
        needs=frozenset({"pet_suv"}),
        facts={"parameters": "12"},
        needs_gpu=True,
    )


def _build_folder(
    root: Path | None,
    *,
    cases: Annotated[int, Field(ge=1, description="Number of cases")] = 4,
    channels: tuple[str, ...] = ("pet_suv", "ct_hu"),
) -> tuple[object, ...]:
    return root, cases, channels


def _build_broken() -> object:
    raise RuntimeError("first line\nsecond line")


def _build_missing() -> object:
    raise DataError("case 'a' has no file")


def _build_plain() -> object:
    raise AssertionError("a model that is no composition must not be built to be shown")


def _build_parts(
    *,
    dropout: Annotated[float, Field(ge=0, lt=1, description="Share of features dropped")] = 0.5,
    link: Literal["soft", "hard"] = "soft",
) -> Composition:
    return Composition(
        backbone=Part(name="unet", options={"width": 8, "deep": True}),
        survival_network=Part(name="dense"),
        mask_link=link,
        head=Part(name="cox-head", options={"dropout": dropout}),
        losses=(
            WeightedLoss(loss=Part(name="cox"), task="survival"),
            WeightedLoss(loss=Part(name="dice"), task="segmentation", weight=0.25),
        ),
    )
