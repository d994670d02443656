"""What this package announces; torch, pycox and MONAI are imported when a part is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mtsbench.components import Component
from mtsbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from mtsbench.interfaces import Head, Loss
    from mtsbench_heads.discrete import Coding, DiscreteHead

COX = "https://doi.org/10.1111/j.2517-6161.1972.tb00899.x"
GENSHEIMER = "https://doi.org/10.7717/peerj.6257"
KVAMME = "https://doi.org/10.1007/s10985-021-09532-6"
MTLR = "https://papers.nips.cc/paper/2011/hash/1019c8091693ef5c5f55970346633f92-Abstract.html"
DEEPHIT = "https://doi.org/10.1609/aaai.v32i1.11842"
WEIBULL = "https://doi.org/10.1002/sim.4780111409"
FOCAL = "https://doi.org/10.1109/ICCV.2017.324"
TVERSKY = "https://doi.org/10.1007/978-3-319-67389-9_44"
MONAI = "https://docs.monai.io/en/stable/losses.html"

Channels = Mapping[str, tuple[int, ...]]
Hidden = Annotated[int, Field(ge=0, description="Width of the dense layer; 0: linear head")]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Penalty = Annotated[float, Field(ge=0, description="l2 * sum of squared kernels")]
GridPoints = Annotated[int, Field(ge=2, description="Days of the survival curves")]
Intervals = Annotated[int, Field(ge=2)]
Weight = Annotated[float, Field(ge=0)]
CutsOption = Annotated[
    Literal["quantile", "equidistant", "given"],
    Field(description="Cut points: learnt from training outcomes, or given"),
]
CutPoints = Annotated[
    tuple[float, ...], Field(description="Days from 0, increasing, with cuts=given")
]
RiskOption = Annotated[
    Literal["expected-mortality", "rmst"], Field(description="Sum of cumulative hazard, or -RMST")
]


def build_cox_head(
    channels: Channels,
    clinical_features: int,
    *,
    hidden: Hidden = 64,
    dropout: Dropout = 0.5,
    l2: Penalty = 0.1,
    grid_points: GridPoints = 512,
) -> Head:
    """Log risk with Breslow baseline."""
    from mtsbench_heads.continuous import CoxHead

    return CoxHead(
        channels,
        clinical_features,
        grid_points=grid_points,
        hidden=hidden,
        dropout=dropout,
        l2=l2,
    )


def build_weibull_head(
    channels: Channels,
    clinical_features: int,
    *,
    hidden: Hidden = 64,
    dropout: Dropout = 0.5,
    l2: Penalty = 0.1,
    grid_points: GridPoints = 64,
) -> Head:
    """Scale and shape."""
    from mtsbench_heads.continuous import WeibullHead

    return WeibullHead(
        channels,
        clinical_features,
        grid_points=grid_points,
        hidden=hidden,
        dropout=dropout,
        l2=l2,
    )


class DiscreteBuilder:
    """Builds a head of one coding; a class so that all codings share their options."""

    def __init__(self, coding: Coding) -> None:
        self.coding = coding

    def __call__(
        self,
        channels: Channels,
        clinical_features: int,
        *,
        intervals: Intervals = 10,
        cuts: CutsOption = "quantile",
        cut_points: CutPoints = (),
        risk: RiskOption = "expected-mortality",
        hidden: Hidden = 64,
        dropout: Dropout = 0.5,
        l2: Penalty = 0.1,
    ) -> DiscreteHead:
        """A head over intervals of time."""
        from mtsbench_heads.discrete import DiscreteHead

        return DiscreteHead(
            channels,
            clinical_features,
            coding=self.coding,
            intervals=intervals,
            cuts=cuts,
            cut_points=cut_points,
            risk=risk,
            hidden=hidden,
            dropout=dropout,
            l2=l2,
        )


def build_cox_loss(
    *,
    ties: Literal["breslow", "efron"] = "efron",
    memory: Annotated[
        int, Field(ge=0, description="Cases of earlier batches kept in the risk sets")
    ] = 0,
) -> Loss:
    """Partial likelihood."""
    from mtsbench_heads.cox_loss import CoxLoss

    return CoxLoss(ties, memory)


def build_logistic_hazard_loss(
    *,
    reduction: Annotated[
        Literal["sum", "mean"], Field(description="Over intervals; XSurv has the mean")
    ] = "sum",
    midpoint: Annotated[
        bool, Field(description="Censored cases survive an interval from its middle on")
    ] = False,
) -> Loss:
    """Likelihood of interval hazards."""
    from mtsbench_heads.discrete_losses import LogisticHazardLoss

    return LogisticHazardLoss(reduction, midpoint)


def build_pmf_loss() -> Loss:
    """Likelihood of the event's interval."""
    from mtsbench_heads.discrete_losses import pmf

    return pmf


def build_mtlr_loss() -> Loss:
    """Likelihood of multi-task logistic regression."""
    from mtsbench_heads.discrete_losses import mtlr

    return mtlr


def build_deephit_loss(
    *,
    alpha: Annotated[float, Field(ge=0, le=1, description="Share of the likelihood")] = 0.2,
    sigma: Annotated[
        float, Field(ge=0.02, description="Scale of the ranking loss; float32 holds exp(1/sigma)")
    ] = 0.1,
) -> Loss:
    """Likelihood and ranking."""
    from mtsbench_heads.discrete_losses import DeepHitLoss

    return DeepHitLoss(alpha, sigma)


def build_weibull_loss() -> Loss:
    """Weibull likelihood."""
    from mtsbench_heads.weibull_loss import weibull_aft

    return weibull_aft


def build_dice_ce(*, ce_weight: Weight = 1.0) -> Loss:
    """Dice plus cross entropy."""
    from mtsbench_heads.segmentation_losses import dice_ce

    return dice_ce(ce_weight)


def build_dice_focal(*, gamma: Weight = 2.0, focal_weight: Weight = 1.0) -> Loss:
    """Dice plus focal loss."""
    from mtsbench_heads.segmentation_losses import dice_focal

    return dice_focal(gamma, focal_weight)


def build_tversky(*, false_positive: Weight = 0.3, false_negative: Weight = 0.7) -> Loss:
    """Tversky loss."""
    from mtsbench_heads.segmentation_losses import tversky

    return tversky(false_positive, false_negative)


@hookimpl
def mtsbench_heads() -> Iterator[Component[Head]]:
    """Survival heads; each gives risk and survival curves."""
    yield Component(
        name="cox",
        summary="Linear log risk, Breslow baseline for the curves",
        build=build_cox_head,
        reference=COX,
    )
    yield Component(
        name="weibull-aft",
        summary="Scale and shape of a Weibull survival time",
        build=build_weibull_head,
        reference=WEIBULL,
    )
    yield Component(
        name="logistic-hazard",
        summary="Hazard of each interval (Nnet-survival)",
        build=DiscreteBuilder("hazard"),
        reference=GENSHEIMER,
    )
    yield Component(
        name="pmf",
        summary="Probability of the event in each interval",
        build=DiscreteBuilder("mass"),
        reference=KVAMME,
    )
    yield Component(
        name="mtlr",
        summary="Multi-task logistic regression over intervals",
        build=DiscreteBuilder("mtlr"),
        reference=MTLR,
    )
    yield Component(
        name="deephit",
        summary="Probability of the event in each interval, for the DeepHit loss",
        build=DiscreteBuilder("mass"),
        reference=DEEPHIT,
    )


@hookimpl
def mtsbench_losses() -> Iterator[Component[Loss]]:
    """Survival and segmentation losses."""
    yield Component(
        name="cox",
        summary="Cox negative log partial likelihood, Efron or Breslow ties, memory bank",
        build=build_cox_loss,
        reference=COX,
    )
    yield Component(
        name="logistic-hazard",
        summary="Negative log likelihood of interval hazards (Nnet-survival)",
        build=build_logistic_hazard_loss,
        reference=GENSHEIMER,
    )
    yield Component(
        name="pmf",
        summary="Negative log likelihood of the event's interval",
        build=build_pmf_loss,
        reference=KVAMME,
    )
    yield Component(
        name="mtlr",
        summary="Negative log likelihood of multi-task logistic regression",
        build=build_mtlr_loss,
        reference=MTLR,
    )
    yield Component(
        name="deephit",
        summary="Likelihood of the event's interval and ranking, single risk",
        build=build_deephit_loss,
        reference=DEEPHIT,
    )
    yield Component(
        name="weibull-aft",
        summary="Negative log likelihood of a Weibull survival time",
        build=build_weibull_loss,
        reference=WEIBULL,
    )
    yield from _segmentation_losses()


def _segmentation_losses() -> Iterator[Component[Loss]]:
    yield Component(
        name="dice-ce",
        summary="Soft Dice plus cross entropy",
        build=build_dice_ce,
        reference=MONAI,
    )
    yield Component(
        name="dice-focal",
        summary="Soft Dice plus focal loss",
        build=build_dice_focal,
        reference=FOCAL,
    )
    yield Component(
        name="tversky",
        summary="Dice that weighs missed and wrong voxels differently",
        build=build_tversky,
        reference=TVERSKY,
    )
