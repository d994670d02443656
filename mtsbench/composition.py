"""A deep model as a list of parts: backbone, survival network, head, losses, training budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from mtsbench.errors import OptionError
from mtsbench.options import UNSAID, Value

MaskLink = Literal["soft", "detached", "hard"]
Precision = Literal["auto", "fp32", "bf16"]
Compilation = Literal["off", "on", "graphs"]
Balancing = Literal["fixed", "one-minus-gamma", "uncertainty", "two-stage"]
Region = Literal["whole", "tumour"]
Task = Literal["segmentation", "survival"]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component to build, by name, with options that differ from its defaults."""

    name: str
    options: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WeightedLoss:
    """A loss component, the task it trains, and its share in the total."""

    loss: Part
    task: Task
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
        select_by: Which validation score chooses the epoch that is kept: Harrell's C, Dice, or
            their mean (steadier when the validation fold is small).
        rotation: Largest rotation about each axis, degrees.
        translation: Largest shift along each augmented axis, mm.
        translation_mode: `range` draws uniformly from +-translation; `choice` draws one of the
            two ends, as the published DeepMTS code does.
        flip: Probability of a left-right flip.
        mask_threshold: Interpolated training masks are re-binarised at this value.
        segmentation_emphasis: Factor on the losses of the segmentation task, on top of the
            composition's own weights; 1 is the published balance.
        balancing: How the tasks share the total loss: `fixed` weights; `one-minus-gamma` gives
            survival 1 - gamma and segmentation gamma; `uncertainty` learns a log variance s for
            each task and minimises sum exp(-s) L + s / 2 (Kendall, CVPR 2018, with the factor
            1/2 of L dropped); `two-stage` trains segmentation alone for the first `first_stage`
            of the epochs, then survival alone.
        gamma: Share of segmentation under `one-minus-gamma`.
        first_stage: Share of the epochs that `two-stage` gives to segmentation.
        batch_norm_momentum: torch's momentum of running statistics; None keeps the network's.
            A run of 100 steps needs a larger one than the published 0.01, with which a third
            of its running variance would still be the initial value.
        precision: `bf16` autocast, whose range needs no loss scaling, or `fp32` throughout;
            `auto` is bf16 (and TF32 for what stays float32) on CUDA and fp32 on a CPU.
        compilation: Whether torch.compile fuses the network's operators; `graphs` replays them
            as CUDA graphs as well. Where the compiler fails, training goes on without it and a
            warning says why.
        checkpointing: Compute the activations of each block a second time in the backward pass
            instead of keeping them: less memory, about a third more time, the same gradients.

    Raises:
        ValueError: The learning rates do not begin at epoch 0 or their epochs do not rise.
    """

    epochs: Count = 200
    steps_per_epoch: Count = 50
    batch_size: Annotated[int, Field(ge=2)] = 8
    balanced: bool = True
    learning_rates: tuple[tuple[int, Positive], ...] = ((0, 1e-4),)
    patience: Count = 50
    select_by: Literal["c-index", "dice", "c-index+dice"] = "c-index"
    rotation: Annotated[float, Field(ge=0, le=180)] = 5.0
    translation: Annotated[float, Field(ge=0)] = 10.0
    translation_mode: Literal["range", "choice"] = "range"
    flip: Share = 0.5
    mask_threshold: Share = 0.2
    segmentation_emphasis: Positive = 1.0
    balancing: Balancing = "fixed"
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.5
    first_stage: Annotated[float, Field(gt=0, lt=1)] = 0.5
    batch_norm_momentum: Annotated[float, Field(gt=0, le=1)] | None = None
    precision: Precision = field(default="auto", metadata=UNSAID)
    compilation: Compilation = field(default="off", metadata=UNSAID)
    checkpointing: bool = field(default=False, metadata=UNSAID)

    def __post_init__(self) -> None:
        starts = [epoch for epoch, _ in self.learning_rates]
        if starts[:1] != [0] or sorted(set(starts)) != starts:
            raise ValueError(
                "learning_rates must begin at epoch 0 and rise, like 0:1e-4,50:5e-5, "
                f"got epochs {starts}"
            )
        if self.balancing == "two-stage" and self.epochs < 2:
            raise ValueError("two-stage training needs at least 2 epochs, got 1; raise epochs")


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
        channels: Image channels that the networks see, e.g. ("pet_suv",); None for all.
        region: What the networks see of the image: the whole crop, or only the voxels inside the
            true tumour mask, the others being 0 after normalisation. `tumour` needs the mask of a
            test case, which the model's component must declare.
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
    channels: tuple[str, ...] | None = None
    region: Region = "whole"
    training: TrainingSettings = field(default_factory=TrainingSettings)
    paper_size: tuple[int, int, int] = (128, 128, 128)
    paper_spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)


def check_balancing(composition: Composition, settings: TrainingSettings) -> None:
    """Refuse a balance between tasks of which there is one.

    Raises:
        OptionError: The balancing is not `fixed`, and the composition trains a single task.
    """
    tasks = {item.task for item in composition.losses}
    if settings.balancing != "fixed" and len(tasks) < 2:
        raise OptionError(
            f"training.balancing={settings.balancing} needs a segmentation and a survival loss, "
            f"but the model trains {' and '.join(tasks)} only; leave it at fixed"
        )
