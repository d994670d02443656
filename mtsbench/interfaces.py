"""What a component must do. Structural: nothing here needs to be inherited from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mtsbench.events import Executor as Executor
from mtsbench.events import Tracker as Tracker
from mtsbench.events import TrialEvent as TrialEvent

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from mtsbench.composition import Composition, TrainingSettings
    from mtsbench.data import (
        Case,
        ClinicalVariable,
        Cohort,
        LabelledCohort,
        Outcomes,
        Predictions,
        SurvivalReading,
    )
    from mtsbench.volumes import Grid


class Dataset(Protocol):
    """A source of cases. `load` and `case_fingerprint` are called from several threads at once.

    Attributes:
        case_ids: Every case that can be loaded, with or without outcomes; stable order.
        channels: Image channels every case has, e.g. ("pet_suv", "ct_hu").
        clinical_variables: Columns of the clinical table; never an outcome.
        endpoints: Names accepted by `outcomes`, the default first; empty where none is known.
        simulated: True where no patient stands behind the data.
        natural_spacing: mm (D, H, W) of preset `standard`.
        natural_size: Voxels (D, H, W) of preset `standard`. A backbone that needs multiples of
            some number says so itself (`Backbone.multiple`).
        test_centre: Which rule finds the crop centre of a case without using its mask:
            `field-of-view` or `pet-uptake`.
    """

    case_ids: tuple[str, ...]
    channels: tuple[str, ...]
    clinical_variables: tuple[ClinicalVariable, ...]
    endpoints: tuple[str, ...]
    simulated: bool
    natural_spacing: tuple[float, float, float]
    natural_size: tuple[int, int, int]
    test_centre: str

    def load(self, case_id: str) -> Case:
        """One case. DataError names the case and the file that cannot be used."""
        ...

    def outcomes(self, endpoint: str) -> Outcomes:
        """Outcomes of the cases that have them. DataError for an unknown endpoint."""
        ...

    def centres(self) -> Mapping[str, str]:
        """Case id to hospital, for stratification; empty where unknown."""
        ...

    def case_fingerprint(self, case_id: str) -> str:
        """Changes whenever what `load` returns for this case would change."""
        ...

    def fingerprint(self) -> str:
        """Changes whenever any case, clinical value or outcome changes."""
        ...


@runtime_checkable
class KnownHazard(Protocol):
    """A simulated dataset that knows why its patients had their events."""

    def oracle_risk(self, case_ids: Sequence[str]) -> NDArray[np.float64]:
        """(N,) the true log hazard ratio of each case; higher means an earlier event."""
        ...

    def factors(self, case_ids: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
        """Name to (N,) value of each ground-truth factor of the hazard."""
        ...


@runtime_checkable
class KnownMasks(Protocol):
    """A dataset that can tell which cases have a tumour mask without reading their images.

    Then a model that needs masks is refused before any case is prepared, where one has none.
    """

    def has_mask(self, case_id: str) -> bool:
        """Whether `load` gives this case a mask; one that is empty is a mask."""
        ...


@dataclass(frozen=True, kw_only=True)
class Features:
    """What a backbone gives for a batch.

    Attributes:
        maps: Feature maps (B, C_i, D_i, H_i, W_i) in the order of the backbone's `channels`.
        tumour_logit: (B, 1, D, H, W), > 0 where tumour is likelier than not; None if the
            backbone does not segment.
    """

    maps: tuple[Tensor, ...]
    tumour_logit: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What a network gives for a batch.

    Attributes:
        survival: (B, K) whatever the head's own loss is written for; K = 1 log risk for Cox.
        tumour_logit: (B, 1, D, H, W), or None.
        time_grid: (T,) days, increasing: the cut points that a discrete head learnt from the
            training outcomes, from 0 to the end of the last interval; None from other heads.
    """

    survival: Tensor
    tumour_logit: Tensor | None
    time_grid: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What the losses compare outputs with.

    Attributes:
        time: (B,) days.
        event: (B,) bool.
        mask: (B, 1, D, H, W) float 0 or 1; None where the cohort has no masks.
    """

    time: Tensor
    event: Tensor
    mask: Tensor | None


class Backbone(Protocol):
    """A torch.nn.Module from image to feature maps.

    One whose images must be large enough is a `SmallestSize`, one for a single size a `OneSize`.

    Attributes:
        channels: C_i of each map.
        segments: Whether `tumour_logit` is given.
        multiple: Each spatial size must be a multiple of this.
    """

    channels: tuple[int, ...]
    segments: bool
    multiple: int

    def __call__(self, image: Tensor) -> Features:
        """image: (B, C, D, H, W)."""
        ...


class SmallestSize(Protocol):
    """A backbone that takes no small image.

    Attributes:
        smallest_side: Each spatial size must be at least this.
    """

    smallest_side: int


class OneSize(Protocol):
    """A backbone that takes images of one size only.

    Attributes:
        only_size: Voxels (D, H, W).
    """

    only_size: tuple[int, int, int]


class Head(Protocol):
    """A torch.nn.Module from feature maps and clinical features to survival outputs.

    A head whose loss needs cut points has a buffer `time_grid`, which the network passes on in
    `Outputs`. A head that can give survival curves is a `CurveHead`.
    """

    def __call__(self, maps: Mapping[str, Sequence[Tensor]], clinical: Tensor) -> Tensor:
        """maps: group (`backbone`, `survival_network`) to maps; clinical: (B, F); gives (B, K)."""
        ...

    def learn_outcomes(self, outcomes: Outcomes) -> None:
        """Learn what the output coding needs (cut points) from *training* outcomes only."""
        ...

    def risk(self, survival: Tensor) -> Tensor:
        """(B, K) outputs to (B,) risk, higher = earlier event."""
        ...

    def penalty(self) -> Tensor:
        """Scalar added to the training loss, e.g. weight decay on some kernels; 0 if none."""
        ...


class CurveHead(Head, Protocol):
    """A head that also gives each case's survival curve.

    Attributes:
        survival_time: (T,) days, increasing; the grid of `survival_curves`. Buffers that it is kept
            in have a length that is known when the head is built, so that a checkpoint fits.
        survival_reading: `step` if the curves fall only on the days of `survival_time` (Breslow's
            baseline), `linear` if they fall between them too and are read along straight lines.
    """

    survival_time: Tensor
    survival_reading: SurvivalReading

    def learn_baseline(self, survival: Tensor, outcomes: Outcomes) -> None:
        """After training: learn what curves need from the outputs (N, K) of the training cases.

        A Cox head estimates its baseline hazard here; a head that needs nothing does nothing.
        """
        ...

    def survival_curves(self, survival: Tensor) -> Tensor:
        """(B, K) outputs to (B, T) probabilities of being event-free at `survival_time`."""
        ...


class Loss(Protocol):
    """A scalar to minimise; must not depend on the order of the cases.

    A loss object belongs to one fit and may keep a memory of earlier batches.
    """

    def __call__(self, outputs: Outputs, targets: Targets) -> Tensor:
        """Finite for every batch, one without events included."""
        ...


@dataclass(frozen=True, kw_only=True)
class FitContext:
    """What a run tells a model about the trial it is fitted for.

    Attributes:
        seed: The only source of randomness.
        device: torch device name.
        training: Budget of gradient training under the chosen preset.
        log: Takes one event of training (epoch number and named values) for `log.jsonl`.
        case_memory: MiB of prepared cases that may be kept on the device; None is a share of what
            is free. It changes no result.
    """

    seed: int
    device: str
    training: TrainingSettings
    log: Callable[[int, Mapping[str, float]], None]
    case_memory: int | None = None


class Model(Protocol):
    """All that the runner knows of a method."""

    def fit(self, train: LabelledCohort, validation: LabelledCohort, context: FitContext) -> None:
        """Learn from `train`; choose epochs and hyper-parameters on `validation`."""
        ...

    def predict(self, cohort: Cohort) -> Predictions:
        """Predictions in the cohort's order. NotFittedError before `fit` or `load`."""
        ...

    def save(self, folder: Path) -> None:
        """Write safetensors, JSON, CSV or parquet; never a pickle. NotFittedError before fit."""
        ...

    def load(self, folder: Path) -> None:
        """Become what `save` wrote. CheckpointError if it is damaged or of another model."""
        ...


class DeepInside(Protocol):
    """A model that is no composition but trains one as a part of itself.

    Preset geometry and training budget come from the composition, and the versions of its parts
    enter the key of every trial.
    """

    composition: Composition


@runtime_checkable
class TakesNetworks(Protocol):
    """A `DeepInside` whose networks core makes.

    So they are built from the plugins that are loaded already, and a stored model predicts on the
    device that the user named. Core calls `take_networks` before `fit` and before `load`.
    """

    def take_networks(self, new_network: Callable[[Composition], Model]) -> None:
        """Keep the function that makes a network of a composition, ready to be fitted or loaded."""
        ...


@dataclass(frozen=True, kw_only=True)
class Score:
    """A metric's value, or the reason why it is undefined here."""

    value: float | None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a score has either a value or a reason, got both or neither")


class FoldMetric(Protocol):
    """A metric whose value exists only within one test fold (concordance of risks)."""

    higher_is_better: bool

    def within_fold(self, predictions: Predictions, test: Outcomes, train: Outcomes) -> Score:
        """`test` is in the order of `predictions`."""
        ...


class PatientMetric(Protocol):
    """A segmentation metric with one value per patient, which may be pooled over folds.

    Patients are scored in threads side by side, so it keeps nothing of a patient.
    """

    higher_is_better: bool

    def per_patient(
        self, predicted: NDArray[np.bool_], mask: NDArray[np.bool_], grid: Grid
    ) -> Score:
        """Both (D, H, W) on `grid`, the native grid of the true mask."""
        ...


Metric = FoldMetric | PatientMetric
