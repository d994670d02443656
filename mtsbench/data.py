"""What flows through a run: cases, outcomes, cohorts, predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mtsbench.errors import DataError
from mtsbench.tied_times import merge_equal_times

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mtsbench.volumes import Grid, Volume

ClinicalValue = float | str | None
SurvivalReading = Literal["step", "linear"]
ROUNDING = 1e-6  # a curve summed in float32 may rise by this much


@dataclass(frozen=True, kw_only=True)
class ClinicalVariable:
    """A column of the clinical table; `numeric` is standardised, `categorical` one-hot encoded."""

    name: str
    kind: Literal["numeric", "categorical"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One patient as the dataset gives it: native grids, physical units, nothing learnt.

    Attributes:
        images: Channel name (`pet_suv`, `ct_hu`) to volume; channels may lie on different grids.
        mask: Tumour mask (D, H, W), 1 = tumour, on a grid of its own; None where unknown.
        clinical: Clinical variable to value; None is missing. Never holds an outcome.
    """

    case_id: str
    images: Mapping[str, Volume]
    mask: Volume | None
    clinical: Mapping[str, ClinicalValue]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """Follow-up of a set of cases for one named endpoint.

    Attributes:
        endpoint: `pfs`, `rfs`, `os`, ...
        case_ids: Unique.
        time: (N,) float64 days to event or censoring, > 0. Times that differ only by rounding are
            made one (`mtsbench.tied_times`), so that everything made from them finds the ties.
        event: (N,) bool, True where the event was observed at `time`.

    Raises:
        DataError: Duplicate ids, lengths that differ, a time that is not a positive finite
            number, or events that are not bool.
    """

    endpoint: str
    case_ids: tuple[str, ...]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.case_ids)
        if self.time.shape != (count,) or self.event.shape != (count,):
            raise DataError(
                f"{self.endpoint}: {count} case ids, but time has shape {self.time.shape} and "
                f"event has shape {self.event.shape}; all must have one entry per case"
            )
        if self.event.dtype != np.bool_:
            raise DataError(
                f"{self.endpoint}: event must be bool, got {self.event.dtype}; "
                "1 = event observed must be converted to True"
            )
        seen: set[str] = set()
        for case_id, time in zip(self.case_ids, self.time, strict=True):
            if case_id in seen:
                raise DataError(
                    f"{self.endpoint}: case {case_id!r} appears twice in the outcomes; "
                    "keep one row per patient"
                )
            seen.add(case_id)
            if not np.isfinite(time) or time <= 0:
                raise DataError(
                    f"{self.endpoint}: case {case_id!r} has time {time:g}; expected days > 0. "
                    "Correct the row or leave the patient's endpoint empty"
                )
        object.__setattr__(self, "time", merge_equal_times(self.time))

    def __len__(self) -> int:
        return len(self.case_ids)

    def subset(self, case_ids: Sequence[str]) -> Outcomes:
        """The outcomes of these cases, in this order.

        Raises:
            DataError: A case has no outcome.
        """
        position = {case_id: i for i, case_id in enumerate(self.case_ids)}
        missing = [case_id for case_id in case_ids if case_id not in position]
        if missing:
            raise DataError(
                f"{self.endpoint}: no outcome for case {missing[0]!r}; {len(self)} cases have one"
            )
        rows = np.array([position[case_id] for case_id in case_ids], dtype=np.intp)
        return Outcomes(
            endpoint=self.endpoint,
            case_ids=tuple(case_ids),
            time=self.time[rows],
            event=self.event[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedCase:
    """One patient on the common grid, normalised; what a model sees.

    Attributes:
        image: float32 (C, D, H, W), channels in the order of the cohort's `channels`.
        mask: uint8 (1, D, H, W); None where the cohort withholds it or none exists.
        clinical: float32 (F,), encoded; F may be 0.
        grid: The common grid's place in this patient, to carry predictions back.
    """

    case_id: str
    image: NDArray[np.float32]
    mask: NDArray[np.uint8] | None
    clinical: NDArray[np.float32]
    grid: Grid


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohort:
    """Cases without outcomes: all that `predict` ever sees.

    Attributes:
        channels: Names of the image channels.
        clinical_features: Names of the encoded clinical features, length F.
        read: Gives one case; cheap to call again, so a cohort needs no memory of its own.
        read_native: Gives the case as the dataset has it, on its native grids and in physical
            units, for methods that do their own preprocessing; reads the files, so it is slow.
            Its mask is None where the cohort withholds it.
        cache_folder: Where a model may keep what it derives from a case, under a name that is a
            hash of all that it depends on; None where nothing can be kept.
    """

    case_ids: tuple[str, ...]
    channels: tuple[str, ...]
    clinical_features: tuple[str, ...]
    read: Callable[[str], PreparedCase]
    read_native: Callable[[str], Case]
    cache_folder: Path | None = None

    def __len__(self) -> int:
        return len(self.case_ids)

    def __getitem__(self, position: int) -> PreparedCase:
        return self.read(self.case_ids[position])


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledCohort:
    """A cohort with its outcomes, in the same order; only `fit` sees one.

    Raises:
        DataError: Cases and outcomes are not the same ids in the same order.
    """

    cohort: Cohort
    outcomes: Outcomes

    def __post_init__(self) -> None:
        if self.cohort.case_ids != self.outcomes.case_ids:
            raise DataError(
                f"a labelled cohort of {len(self.cohort)} cases was given outcomes of "
                f"{len(self.outcomes)} cases in another order or of other cases; "
                "take outcomes.subset(cohort.case_ids)"
            )

    def __len__(self) -> int:
        return len(self.cohort)


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What a model says of each case of a cohort, in the cohort's order.

    Attributes:
        risk: (N,) float64; higher means an earlier event. Only the order is comparable.
        survival: (N, T) probability of being event-free at `survival_time`, never increasing;
            None if not given.
        survival_time: (T,) days, strictly increasing, not below 0.
        survival_reading: How the curves are read between these days; must be given with them.
            `step`: they fall only on days of the grid and are constant from each day until the
            next (Kaplan-Meier, Breslow, trees). `linear`: they fall between the days too and are
            read along straight lines (probabilities of intervals, smooth curves).
        tumour_probability: N arrays float32 (D, H, W) on each case's common grid; None if the
            model does not segment.

    Raises:
        DataError: Lengths differ, a risk is not finite, a curve has no time grid or does not say
            how it is read, the grid does not increase, or a curve rises or leaves [0, 1].
    """

    case_ids: tuple[str, ...]
    risk: NDArray[np.float64]
    survival: NDArray[np.float64] | None = None
    survival_time: NDArray[np.float64] | None = None
    survival_reading: SurvivalReading | None = None
    tumour_probability: tuple[NDArray[np.float32], ...] | None = None

    def __post_init__(self) -> None:
        count = len(self.case_ids)
        if self.risk.shape != (count,):
            raise DataError(f"risk must have shape ({count},), got {self.risk.shape}")
        for case_id, risk in zip(self.case_ids, self.risk, strict=True):
            if not np.isfinite(risk):
                raise DataError(
                    f"the model gave case {case_id!r} the risk {risk}; every risk must be finite"
                )
        if self.tumour_probability is not None and len(self.tumour_probability) != count:
            raise DataError(
                f"tumour_probability must hold {count} volumes, got {len(self.tumour_probability)}"
            )
        if (self.survival is None) != (self.survival_time is None):
            raise DataError("survival and survival_time must be given together")
        _check_reading(self.survival_reading, given=self.survival is not None)
        if self.survival is not None and self.survival_time is not None:
            expected = (count, len(self.survival_time))
            if self.survival.shape != expected:
                raise DataError(f"survival must have shape {expected}, got {self.survival.shape}")
            _check_curves(self.case_ids, self.survival, self.survival_time)


def _check_reading(reading: str | None, *, given: bool) -> None:
    if not given and reading is not None:
        raise DataError(
            f"survival_reading {reading!r} was given without survival curves; give them together"
        )
    if given and reading not in get_args(SurvivalReading):
        raise DataError(
            f"survival curves were given with survival_reading {reading!r}; say 'step' for curves "
            "that fall only on the days of their grid (Kaplan-Meier, Breslow, trees), or 'linear' "
            "for curves that fall between these days too"
        )


def _check_curves(
    case_ids: Sequence[str], survival: NDArray[np.float64], survival_time: NDArray[np.float64]
) -> None:
    increases = (np.diff(survival_time) > 0).all() and (survival_time >= 0).all()
    if not (increases and np.isfinite(survival_time).all()):
        raise DataError(
            "survival_time must be finite, not negative and strictly increasing, got "
            f"{np.array2string(survival_time, threshold=6)}"
        )
    wrong = ~((survival >= 0) & (survival <= 1)).all(axis=1)
    wrong |= (np.diff(survival, axis=1) > ROUNDING).any(axis=1)
    if wrong.any():
        raise DataError(
            f"the survival curve of case {case_ids[int(wrong.argmax())]!r} is not a probability "
            "that never rises with time; check the model's survival_curves"
        )
