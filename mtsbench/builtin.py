"""What core itself announces: the metrics of every record, and trackers of runs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mtsbench.components import Component
from mtsbench.errors import MissingPackageError
from mtsbench.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtsbench.interfaces import FoldMetric, Metric, PatientMetric, Tracker


@hookimpl
def mtsbench_metrics() -> Iterator[Component[Metric]]:
    """Metrics of the risks and curves of a test fold, and of each patient's mask."""
    yield from _survival_metrics()
    yield from _mask_metrics()


@hookimpl
def mtsbench_trackers() -> Iterator[Component[Tracker]]:
    """Trackers whose packages are extras: `pip install 'mtsbench[tensorboard]'`."""
    yield Component(
        name="tensorboard",
        summary="Curves, scores and example slices of each trial for TensorBoard",
        build=_build_tensorboard,
        reference="https://www.tensorflow.org/tensorboard",
    )
    yield Component(
        name="mlflow",
        summary="Runs with nested trials, scores and files in MLflow's SQLite store",
        build=_build_mlflow,
        reference="https://mlflow.org",
    )


def _survival_metrics() -> Iterator[Component[Metric]]:
    yield Component(
        name="harrell-c",
        summary="Harrell's C: share of comparable pairs whose order the risk tells",
        build=_build_harrell_c,
        reference="https://doi.org/10.1001/jama.1982.03320430047030",
    )
    yield Component(
        name="uno-c",
        summary="Uno's C up to tau, weighted so that censoring does not matter",
        build=_build_uno_c,
        reference="https://doi.org/10.1002/sim.4154",
    )
    yield Component(
        name="antolini-c",
        summary="Antolini's C^td of survival curves; not to be compared with Harrell's C",
        build=_build_antolini_c,
        reference="https://doi.org/10.1002/sim.2427",
    )
    yield Component(
        name="auc",
        summary="Cumulative/dynamic AUC of the risk at half of tau",
        build=_build_auc,
        reference="https://doi.org/10.1002/sim.5958",
    )
    yield Component(
        name="ibs",
        summary="Integrated Brier score of survival curves up to tau; lower is better",
        build=_build_ibs,
        reference="https://doi.org/10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5",
    )
    yield Component(
        name="ipa",
        summary="Index of prediction accuracy: 1 - IBS / IBS of Kaplan-Meier",
        build=_build_ipa,
        reference="https://doi.org/10.1186/s41512-018-0029-2",
    )


def _mask_metrics() -> Iterator[Component[Metric]]:
    yield Component(
        name="dice",
        summary="Dice overlap of the predicted and the true tumour mask of a patient",
        build=_build_dice,
        reference="https://doi.org/10.2307/1932409",
    )
    yield Component(
        name="hd95",
        summary="95th percentile Hausdorff distance in mm; the diagonal if nothing found",
        build=_build_hausdorff_95,
        reference="https://doi.org/10.1038/s41592-023-02151-z",
    )
    yield Component(
        name="surface-dice",
        summary="Share of both surfaces within 2 mm of the other, by area",
        build=_build_surface_dice,
        reference="https://doi.org/10.2196/26151",
    )
    yield Component(
        name="volume-error",
        summary="Absolute difference of predicted and true tumour volume in mL",
        build=_build_volume_error,
        reference="https://doi.org/10.1186/s12880-015-0068-x",
    )
    yield Component(
        name="detection",
        summary="Share of tumours found: intersection over union above 0.3",
        build=_build_detection,
        reference="https://doi.org/10.1038/s41592-023-02151-z",
    )


def _build_harrell_c() -> FoldMetric:
    from mtsbench.metrics.survival import HarrellC

    return HarrellC()


def _build_uno_c() -> FoldMetric:
    from mtsbench.metrics.survival import UnoC

    return UnoC()


def _build_antolini_c() -> FoldMetric:
    from mtsbench.metrics.survival import AntoliniC

    return AntoliniC()


def _build_auc() -> FoldMetric:
    from mtsbench.metrics.survival import HorizonAuc

    return HorizonAuc()


def _build_ibs() -> FoldMetric:
    from mtsbench.metrics.survival import IntegratedBrier

    return IntegratedBrier()


def _build_ipa() -> FoldMetric:
    from mtsbench.metrics.survival import PredictionAccuracy

    return PredictionAccuracy()


def _build_dice() -> PatientMetric:
    from mtsbench.metrics.segmentation import Dice

    return Dice()


def _build_hausdorff_95() -> PatientMetric:
    from mtsbench.metrics.segmentation import Hausdorff95

    return Hausdorff95()


def _build_surface_dice(*, tolerance: float = 2.0) -> PatientMetric:
    from mtsbench.metrics.segmentation import SurfaceDice

    return SurfaceDice(tolerance)


def _build_volume_error() -> PatientMetric:
    from mtsbench.metrics.segmentation import VolumeError

    return VolumeError()


def _build_detection(*, least: float = 0.3) -> PatientMetric:
    from mtsbench.metrics.segmentation import Detection

    return Detection(least)


def _build_tensorboard(
    runs: Path,
    *,
    folder: Annotated[
        str | None, Field(description="Of RUN/TRIAL/events...; default: `tensorboard` in `runs`")
    ] = None,
    images: Annotated[bool, Field(description="Show slices of three patients a trial")] = True,
) -> Tracker:
    with _needs_extra("tensorboard"):
        from mtsbench.trackers.tensorboard import TensorBoard
    return TensorBoard(runs / "tensorboard" if folder is None else Path(folder), images=images)


def _build_mlflow(
    runs: Path,
    *,
    store: Annotated[
        str | None, Field(description="Tracking URI; default: SQLite file `mlflow.db` in `runs`")
    ] = None,
    experiment: Annotated[str, Field(description="Experiment that holds the runs")] = "mtsbench",
) -> Tracker:
    with _needs_extra("mlflow"):
        from mtsbench.trackers.mlflow import MLflow, embedded_store
    files = runs.absolute() / "mlflow-artefacts"
    return MLflow(embedded_store(runs) if store is None else store, experiment, files)


@contextmanager
def _needs_extra(tracker: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingPackageError(
            f"tracker {tracker!r} needs a package that is not installed ({error}): "
            f"pip install 'mtsbench[{tracker}]'"
        ) from error
