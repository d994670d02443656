"""DeepMTS and its ablations as compositions of the same parts, and the same with other parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from mtsbench.composition import Composition, MaskLink, Part, TrainingSettings, WeightedLoss

Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(ge=0)]
TranslationMode = Literal["range", "choice"]
BackboneName = Annotated[str, Field(description="One of `mtsbench list backbones` that segments")]
SurvivalNetworkName = Annotated[
    str | None, Field(description="A second backbone, which sees image and tumour map")
]
HeadName = Annotated[str, Field(description="Any head of `mtsbench list heads`")]
SurvivalLossName = Annotated[str, Field(description="A survival loss that fits the head")]
SegmentationLossName = Annotated[str, Field(description="deepmts-dice, dice-ce, tversky, ...")]

# 50 steps an epoch, so the rate drops at steps 2500, 5000 and 10000.
PUBLISHED = TrainingSettings(
    epochs=200,
    steps_per_epoch=50,
    batch_size=8,
    learning_rates=((0, 1e-4), (50, 5e-5), (100, 1e-5), (200, 1e-6)),
    patience=50,
    rotation=5.0,
    translation=10.0,
    flip=0.5,
    mask_threshold=0.2,
)


def build_deepmts(
    *,
    backbone: str = "deepmts-segmentation",
    survival_network: str = "deepmts-cascade",
    segmentation_loss: str = "deepmts-dice",
    dropout: Probability = 0.5,
    l2: Weight = 0.1,
    segmentation_weight: Weight = 1.0,
    survival_weight: Weight = 1.0,
    translation_mode: TranslationMode = "range",
) -> Composition:
    """The published model: both groups of features, soft map with its gradient."""
    return Composition(
        backbone=Part(name=backbone),
        survival_network=Part(name=survival_network),
        head=Part(name="deepmts-cox", options={"dropout": dropout, "l2": l2}),
        losses=(
            WeightedLoss(
                loss=Part(name=segmentation_loss),
                task="segmentation",
                weight=segmentation_weight,
            ),
            WeightedLoss(loss=Part(name="deepmts-cox"), task="survival", weight=survival_weight),
        ),
        training=replace(PUBLISHED, translation_mode=translation_mode),
        paper_size=(128, 128, 128),
        paper_spacing=(1.0, 1.0, 1.0),
    )


def build_joint(
    *,
    backbone: BackboneName = "deepmts-segmentation",
    survival_network: SurvivalNetworkName = None,
    head: HeadName = "deepmts-cox",
    survival_loss: SurvivalLossName = "deepmts-cox",
    segmentation_loss: SegmentationLossName = "deepmts-dice",
) -> Composition:
    """Both tasks from any segmenting backbone, head and losses, with the budget of DeepMTS."""
    return Composition(
        backbone=Part(name=backbone),
        survival_network=None if survival_network is None else Part(name=survival_network),
        head=Part(name=head),
        losses=(
            WeightedLoss(loss=Part(name=segmentation_loss), task="segmentation"),
            WeightedLoss(loss=Part(name=survival_loss), task="survival"),
        ),
        training=PUBLISHED,
    )


def build_no_cascade(
    *,
    backbone: str = "deepmts-segmentation",
    dropout: Probability = 0.5,
    l2: Weight = 0.1,
    translation_mode: TranslationMode = "range",
) -> Composition:
    """Without the survival network: hard sharing of the encoder only."""
    whole = build_deepmts(
        backbone=backbone, dropout=dropout, l2=l2, translation_mode=translation_mode
    )
    return replace(whole, survival_network=None)


def build_cascade_only(
    *, dropout: Probability = 0.5, l2: Weight = 0.1, translation_mode: TranslationMode = "range"
) -> Composition:
    """Without the encoder's features in the head: only the survival network predicts."""
    whole = build_deepmts(dropout=dropout, l2=l2, translation_mode=translation_mode)
    return replace(whole, backbone_features=False)


def build_no_segmentation(
    *, dropout: Probability = 0.5, l2: Weight = 0.1, translation_mode: TranslationMode = "range"
) -> Composition:
    """Survival alone from the encoder, without decoder, map and segmentation loss."""
    return _survival_alone("deepmts-encoder", dropout, l2, translation_mode)


def build_dense_alone(
    *, dropout: Probability = 0.5, l2: Weight = 0.1, translation_mode: TranslationMode = "range"
) -> Composition:
    """Survival alone from the dense network, which sees PET and CT and no map."""
    return _survival_alone("deepmts-cascade", dropout, l2, translation_mode)


def build_hard_mask(
    *, dropout: Probability = 0.5, l2: Weight = 0.1, translation_mode: TranslationMode = "range"
) -> Composition:
    """The survival network sees the mask cut at 0.5 instead of the probability."""
    return _with_link("hard", dropout, l2, translation_mode)


def build_detached_mask(
    *, dropout: Probability = 0.5, l2: Weight = 0.1, translation_mode: TranslationMode = "range"
) -> Composition:
    """The survival loss cannot change the probability map."""
    return _with_link("detached", dropout, l2, translation_mode)


def _survival_alone(
    backbone: str, dropout: float, l2: float, translation_mode: TranslationMode
) -> Composition:
    whole = build_deepmts(dropout=dropout, l2=l2, translation_mode=translation_mode)
    return replace(
        whole,
        backbone=Part(name=backbone),
        survival_network=None,
        losses=tuple(item for item in whole.losses if item.task == "survival"),
    )


def _with_link(
    link: MaskLink, dropout: float, l2: float, translation_mode: TranslationMode
) -> Composition:
    whole = build_deepmts(dropout=dropout, l2=l2, translation_mode=translation_mode)
    return replace(whole, mask_link=link)
