"""Single-task deep survival models as compositions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from mtsbench_deepmts.models import PUBLISHED
from pydantic import Field

from mtsbench.composition import Composition, Part, Region, WeightedLoss

SEEN = {"all": None, "pet": ("pet_suv",), "ct": ("ct_hu",)}
Seen = Annotated[Literal["all", "pet", "ct"], Field(description="Image channels the model sees")]
HeadName = Annotated[str, Field(description="Any head of `mtsbench list heads`")]
LossName = Annotated[str, Field(description="A survival loss that fits the head")]
BackboneName = Annotated[str, Field(description="Any backbone of `mtsbench list backbones`")]


def build_singletask(
    *,
    backbone: BackboneName = "timm3d:resnet18",
    head: HeadName = "cox",
    loss: LossName = "cox",
    channels: Seen = "all",
) -> Composition:
    """Survival from any backbone."""
    return _composition(backbone, head, loss, channels, "whole")


def build_resnet18(
    *, head: HeadName = "cox", loss: LossName = "cox", channels: Seen = "all"
) -> Composition:
    """Survival from a 3D ResNet-18."""
    return _composition("timm3d:resnet18", head, loss, channels, "whole")


def build_densenet121(
    *, head: HeadName = "cox", loss: LossName = "cox", channels: Seen = "all"
) -> Composition:
    """Survival from a 3D DenseNet-121."""
    return _composition("monai:densenet121", head, loss, channels, "whole")


def build_resnet18_masked(
    *, head: HeadName = "cox", loss: LossName = "cox", channels: Seen = "all"
) -> Composition:
    """Survival from a 3D ResNet-18 that sees the tumour alone."""
    return _composition("timm3d:resnet18", head, loss, channels, "tumour")


def build_densenet121_masked(
    *, head: HeadName = "cox", loss: LossName = "cox", channels: Seen = "all"
) -> Composition:
    """Survival from a 3D DenseNet-121 that sees the tumour alone."""
    return _composition("monai:densenet121", head, loss, channels, "tumour")


def build_deepconvsurv(
    *, head: HeadName = "cox", loss: LossName = "cox", channels: Seen = "all"
) -> Composition:
    """Three convolutions and a Cox head; 32 hidden units, as published."""
    whole = _composition("deepconvsurv", head, loss, channels, "whole")
    return replace(whole, head=Part(name=head, options={"hidden": 32}))


def build_clinical_deep(*, head: HeadName = "cox", loss: LossName = "cox") -> Composition:
    """A dense network on clinical variables alone (DeepSurv where the head is Cox)."""
    return _composition("no-image", head, loss, "all", "whole")


def _composition(backbone: str, head: str, loss: str, seen: str, region: Region) -> Composition:
    return Composition(
        backbone=Part(name=backbone),
        head=Part(name=head),
        losses=(WeightedLoss(loss=Part(name=loss), task="survival"),),
        channels=SEEN[seen],
        region=region,
        # The budget of DeepMTS, so that a comparison is one of methods.
        training=PUBLISHED,
    )
