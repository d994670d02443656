"""`build` of the models that need no network; heavy packages are imported inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench_radiomics.option_types import (
    BinHU,
    BinSUV,
    Clinical,
    Correlation,
    Count,
    FixedRegion,
    Folds,
    Leaves,
    Monotone,
    Rate,
    Ratio,
    Ridge,
    Screened,
    Sigmas,
    Spacing,
    Stages,
    Wavelet,
    Weakest,
)

if TYPE_CHECKING:
    from mtsbench.interfaces import Model


def build_km() -> Model:
    """The floor."""
    from mtsbench_radiomics.models.build import marginal_model

    return marginal_model()


def build_clinical_cox(*, ridge: Ridge = 0.0, monotone: Monotone = "ridge") -> Model:
    """Cox regression, Efron ties."""
    from mtsbench_radiomics.estimators.cox import Cox
    from mtsbench_radiomics.models.build import clinical_model

    return clinical_model(Cox(ridge=ridge, monotone=monotone))


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


def build_coxnet(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    spacing: Spacing = 2.0,
    bin_hu: BinHU = 25.0,
    bin_suv: BinSUV = 0.25,
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
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        inner_folds,
    )


def build_rsf(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    spacing: Spacing = 2.0,
    bin_hu: BinHU = 25.0,
    bin_suv: BinSUV = 0.25,
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
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        inner_folds,
    )


def build_gbm(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    spacing: Spacing = 2.0,
    bin_hu: BinHU = 25.0,
    bin_suv: BinSUV = 0.25,
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
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        inner_folds,
    )


def build_icare(
    region: FixedRegion,
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    spacing: Spacing = 2.0,
    bin_hu: BinHU = 25.0,
    bin_suv: BinSUV = 0.25,
    bags: Count = 300,
) -> Model:
    """Bagged sign voting; it filters features itself, in every bag."""
    from mtsbench_radiomics.estimators.icare import Icare
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    features = build.ImageFeatures(
        clinical=clinical,
        wavelet=wavelet,
        log_sigma=log_sigma,
        spacing=spacing,
        bin_hu=bin_hu,
        bin_suv=bin_suv,
    )
    return build.radiomics_model(Icare(bags=bags), PreparationSettings(), region, features, 2)
