"""Makes the announced models from their parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from mtsbench_deepmts.models import build_deepmts, build_no_cascade

from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.marginal import Marginal
from mtsbench_radiomics.features.cohort_features import extract_cohort
from mtsbench_radiomics.features.settings import standard_settings
from mtsbench_radiomics.models.network_source import NetworkSource
from mtsbench_radiomics.models.preparation import PreparationSettings
from mtsbench_radiomics.models.sources import FixedSource, clinical_features
from mtsbench_radiomics.models.table_model import NetworkTableModel, TableModel
from mtsbench_radiomics.models.volume import tumour_volume

if TYPE_CHECKING:
    from mtsbench.composition import Composition
    from mtsbench_radiomics.estimators.design import Estimator
    from mtsbench_radiomics.features.regions import FixedRegion
    from mtsbench_radiomics.features.settings import RadiomicsSettings
    from mtsbench_radiomics.models.sources import Extract

Region = Literal["given", "suv-threshold", "predicted"]
# Coefficients per unit of the encoded features, as another Cox program gives them.
AS_GIVEN = PreparationSettings(standardise=False)


@dataclass(frozen=True, kw_only=True)
class ImageFeatures:
    """Which features of a region a model sees.

    Attributes:
        clinical: Whether clinical features are appended.
        wavelet: Whether the wavelet decompositions are measured too.
        log_sigma: Widths in mm of the Laplacians of Gaussians that are measured too.
        spacing: mm of the isotropic grid.
        bin_hu: Bin width of the CT.
        bin_suv: Bin width of the PET.
    """

    clinical: bool
    wavelet: bool
    log_sigma: tuple[float, ...]
    spacing: float
    bin_hu: float
    bin_suv: float

    def settings(self) -> RadiomicsSettings:
        """The standard settings with these filters, this grid and these bins."""
        standard = standard_settings()
        filters = standard.filters.model_copy(
            update={"wavelet": self.wavelet, "log_sigma": self.log_sigma}
        )
        grid = standard.interpolation.model_copy(update={"spacing": self.spacing})
        bins = {"ct_hu": self.bin_hu, "pet_suv": self.bin_suv}
        return standard.model_copy(
            update={"filters": filters, "interpolation": grid, "discretisation": bins}
        )


def marginal_model() -> TableModel:
    """Kaplan-Meier of the training part."""
    return TableModel(estimator=Marginal(), preparation=AS_GIVEN)


def clinical_model(estimator: Estimator, inner_folds: int = 5) -> TableModel:
    """Clinical features alone."""
    return TableModel(
        estimator=estimator,
        preparation=AS_GIVEN,
        source=FixedSource(parts=(clinical_features,)),
        inner_folds=inner_folds,
        options={"features": "clinical"},
    )


def volume_model(region: FixedRegion, ridge: float) -> TableModel:
    """Cox regression on the log volume of a region alone."""
    return TableModel(
        estimator=Cox(ridge=ridge),
        preparation=AS_GIVEN,
        source=FixedSource(parts=(partial(tumour_volume, region=region),)),
        options={"features": "volume", "region": region},
    )


def predicted_volume_model(ridge: float, network_folds: int) -> NetworkTableModel:
    """Cox regression on the log volume of predicted tumours alone."""
    return NetworkTableModel(
        estimator=Cox(ridge=ridge),
        preparation=AS_GIVEN,
        source=NetworkSource(
            segmentation_alone(),
            partial(tumour_volume, region="given"),
            clinical=False,
            risk=False,
            folds=network_folds,
        ),
        options={"features": "volume", "region": "predicted", "network_folds": network_folds},
    )


def radiomics_model(
    estimator: Estimator,
    preparation: PreparationSettings,
    region: FixedRegion,
    features: ImageFeatures,
    inner_folds: int,
) -> TableModel:
    """Radiomics features of a region that needs no network."""
    extract: Extract = partial(extract_cohort, region=region, settings=features.settings())
    return TableModel(
        estimator=estimator,
        preparation=preparation,
        source=FixedSource(parts=(extract, clinical_features) if features.clinical else (extract,)),
        inner_folds=inner_folds,
        options=_told(region, features),
    )


def predicted_radiomics_model(
    estimator: Estimator,
    preparation: PreparationSettings,
    features: ImageFeatures,
    *,
    risk: bool,
    inner_folds: int,
    network_folds: int,
) -> NetworkTableModel:
    """Radiomics features of the tumours a network predicts, with or without its risk."""
    # A predicted mask stands where the given one would.
    extract: Extract = partial(extract_cohort, region="given", settings=features.settings())
    return NetworkTableModel(
        estimator=estimator,
        preparation=preparation,
        source=NetworkSource(
            build_deepmts() if risk else segmentation_alone(),
            extract,
            clinical=features.clinical,
            risk=risk,
            folds=network_folds,
        ),
        inner_folds=inner_folds,
        options={**_told("predicted", features), "risk": risk, "network_folds": network_folds},
    )


def segmentation_alone() -> Composition:
    """DeepMTS' segmentation backbone, trained with its Dice loss and no outcome."""
    whole = build_no_cascade()
    return replace(
        whole, losses=tuple(item for item in whole.losses if item.task == "segmentation")
    )


def _told(region: Region, features: ImageFeatures) -> dict[str, object]:
    return {
        "features": features.settings().model_dump(mode="json"),
        "clinical": features.clinical,
        "region": region,
    }
