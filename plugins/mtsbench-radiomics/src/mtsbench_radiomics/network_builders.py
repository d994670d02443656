"""`build` of the models that train a network inside; heavy packages are imported inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtsbench_radiomics.option_types import (
    BinHU,
    BinSUV,
    Clinical,
    Correlation,
    Count,
    Folds,
    Leaves,
    NetworkFolds,
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


def build_volume_predicted(*, ridge: Ridge = 0.0, network_folds: NetworkFolds = 2) -> Model:
    """Cox regression on the log volume of tumours that a segmentation network predicts."""
    from mtsbench_radiomics.models.build import predicted_volume_model

    return predicted_volume_model(ridge, network_folds)


def build_coxnet_predicted(
    risk: bool,
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
    network_folds: NetworkFolds = 2,
) -> Model:
    """Penalised Cox regression on tumours that a network predicts, and on its risk if wanted."""
    from mtsbench_radiomics.estimators.coxnet import Coxnet
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.predicted_radiomics_model(
        Coxnet(l1_ratio=l1_ratio, weakest=weakest),
        PreparationSettings(screened=screened, correlation=correlation),
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        risk=risk,
        inner_folds=inner_folds,
        network_folds=network_folds,
    )


def build_rsf_predicted(
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
    network_folds: NetworkFolds = 2,
) -> Model:
    """Random survival forest on tumours that a network predicts."""
    from mtsbench_radiomics.estimators.forest import RandomSurvivalForest
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.predicted_radiomics_model(
        RandomSurvivalForest(trees=trees, leaves=leaves),
        PreparationSettings(screened=screened, correlation=correlation),
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        risk=False,
        inner_folds=inner_folds,
        network_folds=network_folds,
    )


def build_gbm_predicted(
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
    network_folds: NetworkFolds = 2,
) -> Model:
    """Gradient boosting on tumours that a network predicts."""
    from mtsbench_radiomics.estimators.forest import GradientBoosting
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.predicted_radiomics_model(
        GradientBoosting(
            trees=trees, learning_rate=learning_rate, depth=depth, subsample=subsample
        ),
        PreparationSettings(screened=screened, correlation=correlation),
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        risk=False,
        inner_folds=inner_folds,
        network_folds=network_folds,
    )


def build_icare_predicted(
    *,
    clinical: Clinical = True,
    wavelet: Wavelet = False,
    log_sigma: Sigmas = (),
    spacing: Spacing = 2.0,
    bin_hu: BinHU = 25.0,
    bin_suv: BinSUV = 0.25,
    bags: Count = 300,
    network_folds: NetworkFolds = 2,
) -> Model:
    """Bagged sign voting on tumours that a network predicts."""
    from mtsbench_radiomics.estimators.icare import Icare
    from mtsbench_radiomics.models import build
    from mtsbench_radiomics.models.preparation import PreparationSettings

    return build.predicted_radiomics_model(
        Icare(bags=bags),
        PreparationSettings(),
        build.ImageFeatures(
            clinical=clinical,
            wavelet=wavelet,
            log_sigma=log_sigma,
            spacing=spacing,
            bin_hu=bin_hu,
            bin_suv=bin_suv,
        ),
        risk=False,
        inner_folds=2,
        network_folds=network_folds,
    )
