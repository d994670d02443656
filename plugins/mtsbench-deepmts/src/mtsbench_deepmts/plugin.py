"""What this package announces to mtsbench; torch is imported when a part is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mtsbench.components import Component, ModelComponent
from mtsbench.composition import Composition
from mtsbench.hookspecs import hookimpl
from mtsbench_deepmts import models

if TYPE_CHECKING:
    from mtsbench.interfaces import Backbone, Head, Loss, Model

DEEPMTS = "https://doi.org/10.1109/JBHI.2022.3181791"
BRESLOW = "https://doi.org/10.2307/2529620"


def build_segmentation(channels: int) -> Backbone:
    """The shared segmentation backbone."""
    from mtsbench_deepmts.segmentation import SegmentationBackbone

    return SegmentationBackbone(channels)


def build_encoder(channels: int) -> Backbone:
    """The encoder alone."""
    from mtsbench_deepmts.encoder import EncoderBackbone

    return EncoderBackbone(channels)


def build_cascade(channels: int) -> Backbone:
    """The cascaded survival network."""
    from mtsbench_deepmts.cascade import CascadeNetwork

    return CascadeNetwork(channels)


def build_cox_head(
    channels: Mapping[str, tuple[int, ...]],
    clinical_features: int,
    *,
    hidden: Annotated[int, Field(ge=1)] = 64,
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5,
    l2: Annotated[float, Field(ge=0)] = 0.1,
) -> Head:
    """Pooled features and clinical variables to a log risk."""
    from mtsbench_deepmts.head import CoxHead

    return CoxHead(channels, clinical_features, hidden=hidden, dropout=dropout, l2=l2)


def build_dice_loss() -> Loss:
    """Negative soft Dice."""
    from mtsbench_deepmts.losses import soft_dice

    return soft_dice


def build_cox_loss() -> Loss:
    """Negative log partial likelihood."""
    from mtsbench_deepmts.losses import cox_partial_likelihood

    return cox_partial_likelihood


@hookimpl
def mtsbench_backbones() -> Iterator[Component[Backbone]]:
    """The two networks of DeepMTS, and the encoder of the first."""
    yield Component(
        name="deepmts-segmentation",
        summary="Residual U-shaped backbone with taps after the encoder levels",
        build=build_segmentation,
        reference=DEEPMTS,
        facts=_facts(2_675_350, 16, 16, "4, 8, 16, 32, 64"),
    )
    yield Component(
        name="deepmts-encoder",
        summary="The encoder of deepmts-segmentation with its taps, no decoder",
        build=build_encoder,
        reference=DEEPMTS,
        facts=_facts(1_931_884, 16, 16, "4, 8, 16, 32, 64"),
    )
    yield Component(
        name="deepmts-cascade",
        summary="Dense survival network on image and tumour map, valid-padded stem",
        build=build_cascade,
        reference=DEEPMTS,
        facts=_facts(1_018_312, 1, 19, "16, 32, 64"),
    )


def _facts(parameters: int, multiple: int, smallest: int, maps: str) -> dict[str, str]:
    return {
        "parameters": f"{parameters:,} with two image channels",
        "each axis": f"a multiple of {multiple}, from {smallest} voxels on",
        "maps": f"{maps} channels",
    }


@hookimpl
def mtsbench_heads() -> Iterator[Component[Head]]:
    """The Cox head."""
    yield Component(
        name="deepmts-cox",
        summary="Pooled features, clinical variables and dense layers to a Cox log risk",
        build=build_cox_head,
        reference=DEEPMTS,
    )


@hookimpl
def mtsbench_losses() -> Iterator[Component[Loss]]:
    """Soft Dice and Cox."""
    yield Component(
        name="deepmts-dice",
        summary="Negative soft Dice per case, as DeepMTS has it",
        build=build_dice_loss,
        reference=DEEPMTS,
    )
    yield Component(
        name="deepmts-cox",
        summary="Cox negative log partial likelihood over the batch, Breslow ties",
        build=build_cox_loss,
        reference=BRESLOW,
    )


# Name, summary, builder.
Described = tuple[tuple[str, str, Callable[..., Composition]], ...]
BOTH_TASKS: Described = (
    ("deepmts", "Joint tumour segmentation and Cox survival", models.build_deepmts),
    ("deepmts-no-cascade", "DeepMTS without its survival network", models.build_no_cascade),
    (
        "deepmts-cascade-only",
        "DeepMTS whose head sees the survival network alone",
        models.build_cascade_only,
    ),
    (
        "deepmts-hard-mask",
        "DeepMTS whose survival network sees the mask cut at 0.5",
        models.build_hard_mask,
    ),
    (
        "deepmts-detached-mask",
        "DeepMTS without survival gradient through the tumour map",
        models.build_detached_mask,
    ),
    (
        "joint",
        "Segmentation and survival from any segmenting backbone, head and losses",
        models.build_joint,
    ),
)
SURVIVAL_ALONE: Described = (
    (
        "deepmts-no-segmentation",
        "DeepMTS' encoder for survival alone",
        models.build_no_segmentation,
    ),
    ("deepmts-dense-alone", "DeepMTS' dense network on PET and CT", models.build_dense_alone),
)


@hookimpl
def mtsbench_models() -> Iterator[ModelComponent[Model | Composition]]:
    """DeepMTS, its ablations, and the same with other parts."""
    for name, summary, build in BOTH_TASKS:
        yield ModelComponent(
            name=name,
            summary=summary,
            build=build,
            reference=DEEPMTS,
            produces=frozenset({"risk", "survival", "mask"}),
            needs=frozenset({"image", "training-masks"}),
        )
    for name, summary, build in SURVIVAL_ALONE:
        yield ModelComponent(
            name=name,
            summary=summary,
            build=build,
            reference=DEEPMTS,
            produces=frozenset({"risk", "survival"}),
            needs=frozenset({"image"}),
        )
