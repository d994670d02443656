"""Patients whose tumour size decides their follow-up, and the smallest parts that can learn it.

Loaded by the fixture `phantom`; nothing else imports it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.composition import Composition, Part, TrainingSettings, WeightedLoss
from mtsbench.data import Cohort, LabelledCohort, Outcomes, PreparedCase
from mtsbench.interfaces import Features, FitContext
from mtsbench.plugins import Components
from mtsbench.volumes import Grid

# No two numbers are equal, so that a mix-up of axes cannot pass.
SIZE, SPACING = (8, 12, 16), (3.0, 2.0, 1.5)


class TinyBackbone(nn.Module):
    multiple = 2

    def __init__(self, channels: int, width: int, segments: bool) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.Conv3d(channels, width, 3, padding=1), nn.BatchNorm3d(width), nn.ReLU()
        )
        self.coarse = nn.Sequential(
            nn.Conv3d(width, 2 * width, 3, stride=2, padding=1),
            nn.BatchNorm3d(2 * width),
            nn.ReLU(),
        )
        self.logit = nn.Conv3d(width, 1, 1) if segments else None
        self.segments = segments
        self.channels = (width, 2 * width)

    def forward(self, image):
        fine = self.fine(image)
        return Features(
            maps=(fine, self.coarse(fine)),
            tumour_logit=None if self.logit is None else self.logit(fine),
        )


class CoarseBackbone(TinyBackbone):
    multiple = 8


class TinyCoxHead(nn.Module):
    def __init__(self, channels, clinical_features: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        width = sum(sum(group) for group in channels.values()) + clinical_features
        self.drop = nn.Dropout(dropout)
        self.linear = nn.Linear(width, 1)
        self.register_buffer("mean_time", torch.zeros(()))

    def forward(self, maps, clinical):
        pooled = [one.mean(dim=(2, 3, 4)) for group in maps.values() for one in group]
        return self.linear(self.drop(torch.cat([*pooled, clinical], dim=1)))

    def learn_outcomes(self, outcomes: Outcomes) -> None:
        self.mean_time.fill_(float(outcomes.time.mean()))

    def risk(self, survival):
        return survival[:, 0]

    def penalty(self):
        return 1e-4 * self.linear.weight.square().sum()


class CurveHead(TinyCoxHead):
    """Exponential survival with the hazard of the training cases as baseline."""

    survival_reading = "linear"

    def __init__(self, channels, clinical_features: int) -> None:
        super().__init__(channels, clinical_features)
        self.register_buffer("survival_time", torch.linspace(0, 3000, 7))
        self.register_buffer("hazard", torch.zeros(()))

    def learn_baseline(self, survival, outcomes: Outcomes) -> None:
        relative = survival[:, 0].exp()
        self.hazard.fill_(outcomes.event.sum() / (relative * torch.tensor(outcomes.time)).sum())

    def survival_curves(self, survival):
        return torch.exp(-self.hazard * survival.exp() * self.survival_time)


def cox_loss(outputs, targets):
    """Breslow's negative log partial likelihood per event."""
    risk = outputs.survival[:, 0]
    at_risk = targets.time[None, :] >= targets.time[:, None]
    log_sum = risk[None, :].masked_fill(~at_risk, -torch.inf).logsumexp(dim=1)
    return ((log_sum - risk) * targets.event).sum() / targets.event.sum().clamp(min=1)


def dice_loss(outputs, targets):
    probability = outputs.tumour_logit.sigmoid()
    overlap = (probability * targets.mask).sum()
    return 1 - 2 * overlap / (probability.sum() + targets.mask.sum() + 1e-6)


class FailingLoss:
    """Finite for some steps, then NaN."""

    def __init__(self, good_steps: int) -> None:
        self.left = good_steps

    def __call__(self, outputs, targets):
        self.left -= 1
        return outputs.survival.mean() * (1.0 if self.left >= 0 else torch.nan)


def build_segmenting(channels: int, *, width: int = 4) -> TinyBackbone:
    return TinyBackbone(channels, width, segments=True)


def build_encoder(channels: int, *, width: int = 4) -> TinyBackbone:
    return TinyBackbone(channels, width, segments=False)


def build_coarse(channels: int) -> CoarseBackbone:
    return CoarseBackbone(channels, 4, segments=True)


def build_failing(*, good_steps: int = 0) -> FailingLoss:
    return FailingLoss(good_steps)


PARTS = (
    ("backbone", "segmenting", build_segmenting),
    ("backbone", "encoder", build_encoder),
    ("backbone", "coarse", build_coarse),
    ("head", "cox", TinyCoxHead),
    ("loss", "cox", lambda: cox_loss),
    ("loss", "dice", lambda: dice_loss),
    ("loss", "minus", lambda: lambda outputs, targets: dice_loss(outputs, targets) - 2),
    ("head", "curves", lambda channels, clinical: CurveHead(channels, clinical)),
    ("loss", "failing", build_failing),
)


def components() -> Components:
    announced = tuple(
        Announced(
            component=Component(
                name=name, summary="tiny", build=build, reference="https://example.org/"
            ),
            kind=kind,
            distribution="phantom",
            version="1",
        )
        for kind, name, build in PARTS
    )
    plugin = Plugin(entry_point="phantom", distribution="phantom", version="1", announced=announced)
    return Components(plugins=(plugin,))


def composition(*losses: WeightedLoss, backbone: str = "segmenting", **changes) -> Composition:
    """Backbone and Cox head; Cox and Dice losses unless others are named."""
    usual = (loss("cox"), loss("dice")) if backbone != "encoder" else (loss("cox"),)
    changes = {"head": Part(name="cox"), **changes}
    return Composition(backbone=Part(name=backbone), losses=losses or usual, **changes)


def loss(name: str, weight: float = 1.0, **options) -> WeightedLoss:
    return WeightedLoss(
        loss=Part(name=name, options=options),
        task="segmentation" if name == "dice" else "survival",
        weight=weight,
    )


def minus_dice() -> WeightedLoss:
    """A segmentation loss below 0."""
    return WeightedLoss(loss=Part(name="minus"), task="segmentation")


def settings(**changes) -> TrainingSettings:
    """A training of a second."""
    quick = {
        "epochs": 3,
        "steps_per_epoch": 4,
        "learning_rates": ((0, 1e-2),),
        "translation": 2.0,
        "batch_norm_momentum": 0.3,
    }
    return TrainingSettings(**{**quick, **changes})


def context(training: TrainingSettings, seed: int = 0, log=lambda epoch, values: None):
    return FitContext(seed=seed, device="cpu", training=training, log=log)


@cache
def patients(count: int, *, seed: int = 0, masks: bool = True, size=SIZE) -> LabelledCohort:
    """Ball-shaped tumours in noise; the larger, the earlier the event; a third is censored."""
    rng = np.random.default_rng(seed)
    case_ids = tuple(f"P{seed}-{number:02}" for number in range(count))
    radius = rng.uniform(3.0, 9.0, count)
    onset = 3000 * np.exp(-radius / 2) * rng.uniform(0.9, 1.1, count)
    event = rng.permutation(np.arange(count) % 3 > 0)
    cases = {
        case_id: _case(case_id, radius[row], masks, size, np.random.default_rng([seed, row]))
        for row, case_id in enumerate(case_ids)
    }
    return LabelledCohort(
        cohort=Cohort(
            case_ids=case_ids,
            channels=("pet_suv", "ct_hu"),
            clinical_features=("age",),
            read=cases.__getitem__,
            read_native=_no_native,
        ),
        outcomes=Outcomes(
            endpoint="pfs",
            case_ids=case_ids,
            time=np.where(event, onset, onset * rng.uniform(0.3, 1.0, count)),
            event=event,
        ),
    )


def _no_native(case_id: str):
    raise NotImplementedError("the phantom has prepared cases only")


def _case(case_id: str, radius: float, masks: bool, size, rng) -> PreparedCase:
    grid = Grid(size=size, spacing=SPACING)
    axes = [
        (np.arange(n) - (n - 1) / 2) * step for n, step in zip(grid.size, grid.spacing, strict=True)
    ]
    depth, height, width = np.meshgrid(*axes, indexing="ij")
    tumour = depth**2 + height**2 + width**2 <= radius**2
    noise = rng.normal(0, 0.3, (2, *grid.size))
    return PreparedCase(
        case_id=case_id,
        image=(noise + np.stack([3.0 * tumour, 0.0 * tumour])).astype(np.float32),
        mask=tumour[None].astype(np.uint8) if masks else None,
        clinical=rng.normal(size=1).astype(np.float32),
        grid=grid,
    )
