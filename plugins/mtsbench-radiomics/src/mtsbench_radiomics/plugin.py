"""What this package announces to mtsbench; heavy packages are imported when a model is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mtsbench.components import ModelComponent, Need, Product
from mtsbench.hookspecs import hookimpl
from mtsbench_radiomics import builders, network_builders

if TYPE_CHECKING:
    from mtsbench.composition import Composition
    from mtsbench.interfaces import Model
    from mtsbench_radiomics.option_types import FixedRegion

COX = "https://doi.org/10.1111/j.2517-6161.1972.tb00899.x"
KAPLAN_MEIER = "https://doi.org/10.1080/01621459.1958.10501452"
FOREST = "https://doi.org/10.1214/08-AOAS169"
COXNET = "https://doi.org/10.18637/jss.v039.i05"
BOOSTING = "https://scikit-survival.readthedocs.io/en/stable/user_guide/boosting.html"
ICARE = "https://github.com/Lrebaud/ICARE"
RADIO_DEEPMTS = "https://arxiv.org/abs/2211.05409"

CURVES: frozenset[Product] = frozenset({"risk", "survival"})
CURVES_AND_MASK: frozenset[Product] = frozenset({"risk", "survival", "mask"})
MASKS: frozenset[Need] = frozenset({"image", "training-masks"})
SUV: frozenset[Need] = frozenset({"image", "pet_suv"})
PET_CT: frozenset[Need] = frozenset({"image", "pet_suv", "ct_hu"})


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to learn from radiomics, and how it is built for each kind of region."""

    name: str
    summary: str
    reference: str
    fixed: Callable[..., Model]
    predicted: Callable[..., Model]


METHODS = (
    Method(
        name="coxnet",
        summary="Elastic net Cox regression",
        reference=COXNET,
        fixed=builders.build_coxnet,
        predicted=partial(network_builders.build_coxnet_predicted, False),
    ),
    Method(
        name="rsf",
        summary="Random survival forest",
        reference=FOREST,
        fixed=builders.build_rsf,
        predicted=network_builders.build_rsf_predicted,
    ),
    Method(
        name="gbm",
        summary="Gradient boosting of the Cox likelihood",
        reference=BOOSTING,
        fixed=builders.build_gbm,
        predicted=network_builders.build_gbm_predicted,
    ),
    Method(
        name="icare",
        summary="Bagged sign voting (ICARE)",
        reference=ICARE,
        fixed=builders.build_icare,
        predicted=network_builders.build_icare_predicted,
    ),
)


@hookimpl
def mtsbench_models() -> Iterator[ModelComponent[Model | Composition]]:
    """Every model of the package."""
    yield ModelComponent(
        name="km",
        summary="Kaplan-Meier curve of the training part for everyone: the floor",
        build=builders.build_km,
        reference=KAPLAN_MEIER,
        produces=CURVES,
        ranks_cases=False,
    )
    yield ModelComponent(
        name="clinical-cox",
        summary="Cox regression on the clinical variables, Efron ties",
        build=builders.build_clinical_cox,
        reference=COX,
        produces=CURVES,
        needs=frozenset({"clinical"}),
    )
    yield ModelComponent(
        name="clinical-rsf",
        summary="Random survival forest on the clinical variables",
        build=builders.build_clinical_rsf,
        reference=FOREST,
        produces=CURVES,
        needs=frozenset({"clinical"}),
    )
    yield from _volume_models()
    yield from _radiomics_models()


def _volume_models() -> Iterator[ModelComponent[Model]]:
    described: tuple[tuple[str, FixedRegion, str, frozenset[Need], bool], ...] = (
        ("", "given", "true tumour mask", MASKS, True),
        ("-threshold", "suv-threshold", "largest part above SUV 2.5", SUV, False),
    )
    for suffix, region, of, needs, true_mask in described:
        yield ModelComponent(
            name=f"volume{suffix}",
            summary=f"Cox regression on the volume of the {of} alone",
            build=partial(builders.build_volume, region),
            reference=COX,
            produces=CURVES,
            needs=needs,
            needs_mask_at_test=true_mask,
        )
    yield ModelComponent(
        name="volume-predicted",
        summary="Cox regression on the volume of a predicted tumour alone",
        build=network_builders.build_volume_predicted,
        reference=COX,
        produces=CURVES_AND_MASK,
        needs=MASKS,
    )


def _radiomics_models() -> Iterator[ModelComponent[Model]]:
    for method in METHODS:
        yield ModelComponent(
            name=f"radiomics-{method.name}",
            summary=f"{method.summary} on features of the true mask",
            build=partial(method.fixed, "given"),
            reference=method.reference,
            produces=CURVES,
            needs=PET_CT | MASKS,
            needs_mask_at_test=True,
        )
        yield ModelComponent(
            name=f"radiomics-{method.name}-threshold",
            summary=f"{method.summary} on features of a fixed SUV region",
            build=partial(method.fixed, "suv-threshold"),
            reference=method.reference,
            produces=CURVES,
            needs=PET_CT,
        )
        yield ModelComponent(
            name=f"radiomics-{method.name}-predicted",
            summary=f"{method.summary} on features of a predicted mask",
            build=method.predicted,
            reference=method.reference,
            produces=CURVES_AND_MASK,
            needs=PET_CT | MASKS,
        )
    yield ModelComponent(
        name="deepmts-radiomics",
        summary="Elastic net Cox regression on DeepMTS' risk and features of its masks",
        build=partial(network_builders.build_coxnet_predicted, True),
        reference=RADIO_DEEPMTS,
        produces=CURVES_AND_MASK,
        needs=PET_CT | MASKS,
    )
