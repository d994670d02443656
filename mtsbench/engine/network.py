"""Assembles backbone, survival network and head into one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, get_args

import torch
from torch import Tensor, nn

from mtsbench.capabilities import gives_curves, missing_members
from mtsbench.composition import check_balancing
from mtsbench.data import SurvivalReading
from mtsbench.engine.balancing import TaskBalance
from mtsbench.errors import PluginError
from mtsbench.interfaces import Backbone, CurveHead, Features, Head, Loss, Outputs, Targets

if TYPE_CHECKING:
    from mtsbench.composition import Composition, MaskLink, Task, TrainingSettings
    from mtsbench.plugins import Components


class MultiTaskNetwork(nn.Module):
    """Image and clinical features to survival outputs and tumour logits.

    The survival network sees the image channels followed by the tumour map, the form in which
    DeepMTS cascades it (Meng et al., JBHI 26 (2022) 4497, figure 1).
    """

    def __init__(
        self,
        backbone: Backbone,
        survival_network: Backbone | None,
        head: Head,
        mask_link: MaskLink,
        backbone_features: bool,
        *,
        gives_mask: bool,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.survival_network = survival_network
        self.head = head
        self.mask_link = mask_link
        self.backbone_features = backbone_features
        self.gives_mask = gives_mask

    def forward(self, image: Tensor, clinical: Tensor) -> Outputs:
        """Takes image (B, C, D, H, W) and clinical (B, F)."""
        features: Features = self.backbone(image)
        maps: dict[str, Sequence[Tensor]] = {}
        if self.backbone_features:
            maps["backbone"] = features.maps
        if self.survival_network is not None:
            assert features.tumour_logit is not None  # assemble() has checked it
            tumour_map = self._tumour_map(features.tumour_logit)
            maps["survival_network"] = self.survival_network(
                torch.cat([image, tumour_map.to(image.dtype)], dim=1)
            ).maps
        return Outputs(
            survival=self.head(maps, clinical),
            tumour_logit=features.tumour_logit if self.gives_mask else None,
            time_grid=getattr(self.head, "time_grid", None),
        )

    def _tumour_map(self, logit: Tensor) -> Tensor:
        if self.mask_link == "hard":
            return (logit.detach() > 0).to(logit.dtype)
        probability = logit.sigmoid()
        return probability.detach() if self.mask_link == "detached" else probability


def assemble(
    composition: Composition, components: Components, channels: int, clinical_features: int
) -> MultiTaskNetwork:
    """Build the parts of a composition for a number of image channels and clinical features.

    Raises:
        PluginError: A survival network is asked for behind a backbone that does not segment, the
            head would see no feature map at all, or it has curves but does not say what they are.
    """
    backbone = cast(
        "Backbone",
        components.build(
            "backbone", composition.backbone.name, channels, options=composition.backbone.options
        ),
    )
    head_channels: dict[str, tuple[int, ...]] = {}
    if composition.backbone_features:
        head_channels["backbone"] = backbone.channels
    survival_network = _build_survival_network(composition, components, backbone, channels)
    if survival_network is not None:
        head_channels["survival_network"] = survival_network.channels
    if not head_channels:
        raise PluginError(
            f"head {composition.head.name!r} would see no feature map: the composition has "
            "neither backbone features nor a survival network"
        )
    head = cast(
        "Head",
        components.build(
            "head",
            composition.head.name,
            head_channels,
            clinical_features,
            options=composition.head.options,
        ),
    )
    _check_curves(composition.head.name, head)
    return MultiTaskNetwork(
        backbone,
        survival_network,
        head,
        composition.mask_link,
        composition.backbone_features,
        # A map that no loss has trained is no prediction.
        gives_mask=any(item.task == "segmentation" for item in composition.losses),
    )


def _check_curves(name: str, head: Head) -> None:
    """Refuse a head whose curves would be left out, or read wrongly, without a word."""
    if not hasattr(head, "survival_curves"):
        return
    if not gives_curves(head):
        missing = missing_members(head, CurveHead)
        raise PluginError(
            f"head {name!r} has survival_curves but no {' and no '.join(missing)}; a CurveHead has "
            "all four, and its survival_reading is 'step' or 'linear'"
        )
    if head.survival_reading not in get_args(SurvivalReading):
        raise PluginError(
            f"head {name!r} has the survival_reading {head.survival_reading!r}; it must be 'step' "
            "for curves that fall only on the days of survival_time, or 'linear'"
        )


def _build_survival_network(
    composition: Composition, components: Components, backbone: Backbone, channels: int
) -> Backbone | None:
    """A second backbone, which sees the tumour map of the first as one more channel."""
    part = composition.survival_network
    if part is None:
        return None
    if not backbone.segments:
        raise PluginError(
            f"backbone {composition.backbone.name!r} gives no tumour map, but the survival "
            f"network {part.name!r} needs one; choose a segmenting backbone or leave the survival "
            "network out"
        )
    built = components.build("backbone", part.name, channels + 1, options=part.options)
    return cast("Backbone", built)


@dataclass(frozen=True, kw_only=True)
class BuiltLoss:
    """A loss, the task it trains, and its weight within the task."""

    loss: Loss
    task: Task
    weight: float


class TotalLoss:
    """Balanced sum of the tasks' losses and the head's penalty, every part named for the log."""

    def __init__(self, losses: Mapping[str, BuiltLoss], balance: TaskBalance) -> None:
        self.losses = losses
        self.balance = balance

    def __call__(
        self, outputs: Outputs, targets: Targets, penalty: Tensor, epoch: int
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The scalar to minimise, and its detached parts by name."""
        parts = {name: built.loss(outputs, targets) for name, built in self.losses.items()}
        tasks: dict[Task, Tensor] = {}
        for name, part in parts.items():
            built = self.losses[name]
            weighted = built.weight * part
            tasks[built.task] = tasks[built.task] + weighted if built.task in tasks else weighted
        total = self.balance(tasks, epoch) + penalty
        return total, {name: part.detach() for name, part in parts.items()}


def build_losses(
    composition: Composition, components: Components, settings: TrainingSettings
) -> TotalLoss:
    """Build the losses of a composition and the balance between their tasks.

    Raises:
        PluginError: A loss is named twice, so that one would stand for both.
        OptionError: See `check_balancing`.
    """
    names = [item.loss.name for item in composition.losses]
    for name in names:
        if names.count(name) > 1:
            raise PluginError(
                f"the composition names loss {name!r} {names.count(name)} times; name it once, "
                "with one weight"
            )
    check_balancing(composition, settings)
    built = {
        item.loss.name: BuiltLoss(
            loss=cast("Loss", components.build("loss", item.loss.name, options=item.loss.options)),
            task=item.task,
            weight=item.weight,
        )
        for item in composition.losses
    }
    return TotalLoss(built, TaskBalance(settings))
