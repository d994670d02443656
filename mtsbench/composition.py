"""A deep model as a list of parts: backbone, survival network, head, losses, training budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OptionValue = bool | int | float | str
MaskLink = Literal["soft", "detached", "hard"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component to build, by name, with options that differ from its defaults."""

    name: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WeightedLoss:
    """A loss component and its share in the total."""

    loss: Part
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Budget and recipe of gradient training; `--set training.NAME=VALUE` overrides one.

    Attributes:
        epochs: At most this many; early stopping may end sooner.
        steps_per_epoch: Optimiser steps between two looks at the validation fold.
        batch_size: Cases a step; half with and half without an event when `balanced`.
        learning_rates: (first epoch, rate) pairs, the first starting at epoch 0.
        patience: Epochs without a better validation score before training stops.
        select_by: Which validation score chooses the epoch that is kept: Harrell's C, or its
            mean with Dice (steadier when the validation fold is small).
        rotation: Largest rotation about each axis, degrees.
        translation: Largest shift along each augmented axis, mm.
        translation_mode: `range` draws uniformly from +-translation; `choice` draws one of the
            two ends, as the published DeepMTS code does.
        flip: Probability of a left-right flip.
        mask_threshold: Interpolated training masks are re-binarised at this value.
        batch_norm_momentum: torch's momentum of running statistics; None keeps the network's.
            A run of 100 steps needs a larger one than the published 0.01, with which a third
            of its running variance would still be the initial value.
    """

    epochs: int = 200
    steps_per_epoch: int = 50
    batch_size: int = 8
    balanced: bool = True
    learning_rates: tuple[tuple[int, float], ...] = ((0, 1e-4),)
    patience: int = 50
    select_by: Literal["c-index", "c-index+dice"] = "c-index"
    rotation: float = 5.0
    translation: float = 10.0
    translation_mode: Literal["range", "choice"] = "range"
    flip: float = 0.5
    mask_threshold: float = 0.2
    batch_norm_momentum: float | None = None


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What core's one engine assembles and trains.

    Attributes:
        backbone: Sees the image channels; may give tumour logits.
        survival_network: A second backbone that sees the image channels and the tumour map;
            None leaves it out.
        mask_link: How the tumour map reaches `survival_network`: the probability with its
            gradient, the probability without, or the thresholded mask (no gradient).
        backbone_features: Whether the head sees the backbone's own feature maps.
        head: Turns feature maps and clinical features into survival outputs.
        losses: Summed with their weights, plus the head's `penalty()`.
        training: The published recipe, used by presets `standard` and `paper`.
        paper_size: Voxels (D, H, W) of the published geometry, for preset `paper`.
        paper_spacing: mm (D, H, W) of the published geometry.
    """

    backbone: Part
    head: Part
    losses: tuple[WeightedLoss, ...]
    survival_network: Part | None = None
    mask_link: MaskLink = "soft"
    backbone_features: bool = True
    training: TrainingSettings = field(default_factory=TrainingSettings)
    paper_size: tuple[int, int, int] = (128, 128, 128)
    paper_spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
