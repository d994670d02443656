"""What this package announces to mtsbench; heavy packages are imported when a model is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from mtsbench.components import ModelComponent, Need, Product
from mtsbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from mtsbench.composition import Composition
    from mtsbench.interfaces import Model

FixedRegion = Literal["given", "suv-threshold"]
Folds = Annotated[int, Field(ge=2, description="of the inner cross-validation")]
NetworkFolds = Annotated[int, Field(ge=2, description="parts of the out-of-fold networks")]
Screened = Annotated[int, Field(ge=1, description="image features kept by univariate C")]
Correlation = Annotated[float, Field(gt=0, le=1, description="largest allowed, absolute")]
Ridge = Annotated[float, Field(ge=0, description="penalty on squared log hazard ratios per SD")]
Sigma = Annotated[float, Field(gt=0)]
Ratio = Annotated[float, Field(ge=0.01, le=1, description="share of the lasso penalty")]
Weakest = Annotated[float, Field(gt=0, lt=1, description="penalty over the strongest one")]
Count = Annotated[int, Field(ge=1)]
Leaves = Annotated[tuple[Count, ...], Field(min_length=1, description="smallest leaves to try")]
Stages = Annotated[tuple[Count, ...], Field(min_length=1, description="numbers of trees to try")]
Rate = Annotated[float, Field(gt=0, le=1)]
Wavelet = Annotated[bool, Field(description="measure the wavelet decompositions too")]
Sigmas = Annotated[tuple[Sigma, ...], Field(description="mm, Laplacians of Gaussians to measure")]
Clinical = Annotated[bool, Field(description="append the clinical features")]

COX = "https://doi.org/10.1111/j.2517-6161.1972.tb00899.x"
KAPLAN_MEIER = "https://doi.org/10.1080/01621459.1958.10501452"
FOREST = "https://doi.org/10.1214/08-AOAS169"
COXNET = "https://doi.org/10.18637/jss.v039.i05"
BOOSTING = "https://scikit-survival.readthedocs.io/en/stable/user_guide/boosting.html"
ICARE = "https://github.com/Lrebaud/ICARE"
RADIO_DEEPMTS = "https://arxiv.org/abs/2211.05409"


def build_km() -> Model:
    """The floor."""
    from mtsbench_radiomics.models.build import marginal_model

    return marginal_model()


def build_clinical_cox(*, ridge: Ridge = 0.0) -> Model:
    """Cox regression, Efron ties."""
    from mtsbench_radiomics.estimators.cox import Cox
    from mtsbench_radiomics.models.build import clinical_model

    return clinical_model(Cox(ridge=ridge))


def build_clinical_rsf(
    *, trees: Count = 200, leaves: Leaves = (15, 8, 4), inner_folds: Folds = 5
) -> Model:
    """Random survival forest."""
    from mtsbench_radiomics.estimators.forest import RandomSurvivalForest
    from mtsbench_radiomics.models.build import clinical_model

    return clinical_model(RandomSurvivalForest(trees=trees, leaves=leaves), inner_folds)


def build_volume(region: FixedRegion, *, ridge: Ridge = 0.0) -> Model:
    """Cox regression on the log volume."""
    from mtsbench_radiomics.models.build import volume_model

    return volume_model(region, ridge)


def build_volume_predicted(*, ridge: Ridge = 0.0, network_folds: NetworkFolds = 2) -> Model:
    """Cox regression on the log volume of tumours that a segmentation network predicts."""
    from mtsbench_radiomics.models.build import predicted_volume_model

    return predicted_volume_model(ridge, network_folds)


def build_coxnet(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    screened: Screened = 20,
    correlation: Correlation = 0.9,
    l1_ratio: Ratio = 0.5,
    weakest: Weakest = 0.03,
    inner_folds: Folds = 5,
) -> Model:
    """Penalised Cox regression."""
    from mtsbench_radiomics.estimators.coxnet import Coxnet
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.radiomics_model(
        Coxnet(l1_ratio=l1_ratio, weakest=weakest),
        PreparationSettings(screened=screened, correlation=correlation),
        region,
        build.ImageFeatures(clinical=clinical, wavelet=wavelet, log_sigma=log_sigma),
        inner_folds,
    )


def build_rsf(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    screened: Screened = 20,
    correlation: Correlation = 0.9,
    trees: Count = 200,
    leaves: Leaves = (15, 8, 4),
    inner_folds: Folds = 5,
) -> Model:
    """Random survival forest."""
    from mtsbench_radiomics.estimators.forest import RandomSurvivalForest
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.radiomics_model(
        RandomSurvivalForest(trees=trees, leaves=leaves),
        PreparationSettings(screened=screened, correlation=correlation),
        region,
        build.ImageFeatures(clinical=clinical, wavelet=wavelet, log_sigma=log_sigma),
        inner_folds,
    )


def build_gbm(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    screened: Screened = 20,
    correlation: Correlation = 0.9,
    trees: Stages = (10, 25, 50, 100, 200),
    learning_rate: Rate = 0.05,
    depth: Count = 2,
    subsample: Rate = 0.7,
    inner_folds: Folds = 5,
) -> Model:
    """Gradient boosting."""
    from mtsbench_radiomics.estimators.forest import GradientBoosting
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.radiomics_model(
        GradientBoosting(
            trees=trees, learning_rate=learning_rate, depth=depth, subsample=subsample
        ),
        PreparationSettings(screened=screened, correlation=correlation),
        region,
        build.ImageFeatures(clinical=clinical, wavelet=wavelet, log_sigma=log_sigma),
        inner_folds,
    )


def build_icare(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    bags: Count = 300,
) -> Model:
    """Bagged sign voting; it filters features itself, in every bag."""
    from mtsbench_radiomics.estimators.icare import Icare
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    features = build.ImageFeatures(clinical=clinical, wavelet=wavelet, log_sigma=log_sigma)
    return build.radiomics_model(Icare(bags=bags), PreparationSettings(), region, features, 2)


def build_predicted(
    risk: bool,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    screened: Screened = 20,
    correlation: Correlation = 0.9,
    l1_ratio: Ratio = 0.5,
    weakest: Weakest = 0.03,
    inner_folds: Folds = 5,
    network_folds: NetworkFolds = 2,
) -> Model:
    """Penalised Cox regression on tumours that a network predicts, and on its risk if wanted."""
    from mtsbench_radiomics.estimators.coxnet import Coxnet
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.predicted_radiomics_model(
        Coxnet(l1_ratio=l1_ratio, weakest=weakest),
        PreparationSettings(screened=screened, correlation=correlation),
        build.ImageFeatures(clinical=clinical, wavelet=wavelet, log_sigma=log_sigma),
        risk=risk,
        inner_folds=inner_folds,
        network_folds=network_folds,
    )


CURVES: frozenset[Product] = frozenset({"risk", "survival"})
CURVES_AND_MASK: frozenset[Product] = frozenset({"risk", "survival", "mask"})
MASKS: frozenset[Need] = frozenset({"image", "training-masks"})
SUV: frozenset[Need] = frozenset({"image", "pet_suv"})
PET_CT: frozenset[Need] = frozenset({"image", "pet_suv", "ct_hu"})
METHODS: tuple[tuple[str, str, Callable[..., Model], str], ...] = (
    ("coxnet", "Elastic net Cox regression", build_coxnet, COXNET),
    ("rsf", "Random survival forest", build_rsf, FOREST),
    ("gbm", "Gradient boosting of the Cox likelihood", build_gbm, BOOSTING),
    ("icare", "Bagged sign voting (ICARE)", build_icare, ICARE),
)


@hookimpl
def mtsbench_models() -> Iterator[ModelComponent[Model | Composition]]:
    """Every model of the package."""
    yield ModelComponent(
        name="km",
        summary="Kaplan-Meier curve of the training part for everyone: the floor",
        build=build_km,
        reference=KAPLAN_MEIER,
        produces=CURVES,
        ranks_cases=False,
    )
    yield ModelComponent(
        name="clinical-cox",
        summary="Cox regression on the clinical variables, Efron ties",
        build=build_clinical_cox,
        reference=COX,
        produces=CURVES,
        needs=frozenset({"clinical"}),
    )
    yield ModelComponent(
        name="clinical-rsf",
        summary="Random survival forest on the clinical variables",
        build=build_clinical_rsf,
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
            build=partial(build_volume, region),
            reference=COX,
            produces=CURVES,
            needs=needs,
            needs_mask_at_test=true_mask,
        )
    yield ModelComponent(
        name="volume-predicted",
        summary="Cox regression on the volume of a predicted tumour alone",
        build=build_volume_predicted,
        reference=COX,
        produces=CURVES_AND_MASK,
        needs=MASKS,
    )


def _radiomics_models() -> Iterator[ModelComponent[Model]]:
    for name, summary, build, reference in METHODS:
        yield ModelComponent(
            name=f"radiomics-{name}",
            summary=f"{summary} on features of the true mask",
            build=partial(build, "given"),
            reference=reference,
            produces=CURVES,
            needs=PET_CT | MASKS,
            needs_mask_at_test=True,
        )
        yield ModelComponent(
            name=f"radiomics-{name}-threshold",
            summary=f"{summary} on features of a fixed SUV region",
            build=partial(build, "suv-threshold"),
            reference=reference,
            produces=CURVES,
            needs=PET_CT,
        )
    yield ModelComponent(
        name="radiomics-coxnet-predicted",
        summary="Elastic net Cox regression on features of a predicted mask",
        build=partial(build_predicted, False),
        reference=COXNET,
        produces=CURVES_AND_MASK,
        needs=PET_CT | MASKS,
    )
    yield ModelComponent(
        name="deepmts-radiomics",
        summary="Elastic net Cox regression on DeepMTS' risk and features of its masks",
        build=partial(build_predicted, True),
        reference=RADIO_DEEPMTS,
        produces=CURVES_AND_MASK,
        needs=PET_CT | MASKS,
    )
