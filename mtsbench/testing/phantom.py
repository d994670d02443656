"""The kit's patients: 16^3 voxels, two channels, and an outcome that the uptake decides."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Case, Cohort, LabelledCohort, Outcomes, PreparedCase
from mtsbench.volumes import Grid, Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

CASES = 24
CHANNELS = ("pet_suv", "ct_hu")
CLINICAL = ("stage",)
SPACING = (4.0, 4.0, 4.0)
DAYS = 3000.0


@cache
def phantom_cohort(
    count: int = CASES, *, seed: int = 0, side: int = 16, masks: bool = True
) -> LabelledCohort:
    """Ball-shaped tumours; the higher the uptake, the larger the ball and the earlier the event.

    Args:
        count: Number of cases; two of three have an event.
        seed: Another seed gives other patients, with other ids.
        side: Voxels of 4 mm along each axis.
        masks: Whether tumour masks are shown.
    """
    rng = np.random.default_rng(seed)
    severity = rng.permutation((np.arange(count) + 0.5) / count)
    event = rng.permutation(np.arange(count) % 3 > 0)
    # Not quite: a perfectly separated cohort has no finite Cox estimate.
    onset = DAYS * np.exp(-3 * severity + rng.normal(0, 0.3, count))
    case_ids = tuple(f"K{seed}-{number:02}" for number in range(count))
    cases = {
        case_id: _case(case_id, value, side, masks, np.random.default_rng([seed, row]))
        for row, (case_id, value) in enumerate(zip(case_ids, severity, strict=True))
    }
    native = {case_id: _native(case, masks) for case_id, case in cases.items()}
    return LabelledCohort(
        cohort=Cohort(
            case_ids=case_ids,
            channels=CHANNELS,
            clinical_features=CLINICAL,
            read=MappingProxyType(cases).__getitem__,
            read_native=MappingProxyType(native).__getitem__,
        ),
        outcomes=Outcomes(
            endpoint="pfs",
            case_ids=case_ids,
            time=np.where(event, onset, onset * rng.uniform(0.6, 1.0, count)),
            event=event,
        ),
    )


def recording(labelled: LabelledCohort, asked: list[str]) -> LabelledCohort:
    """The same cohort, noting in `asked` the id of every case that is read."""

    def noting(read: Callable[[str], object]) -> Callable[[str], object]:
        def noted(case_id: str) -> object:
            asked.append(case_id)
            return read(case_id)

        return noted

    cohort = labelled.cohort
    watched = Cohort(
        case_ids=cohort.case_ids,
        channels=cohort.channels,
        clinical_features=cohort.clinical_features,
        read=noting(cohort.read),  # type: ignore[arg-type]
        read_native=noting(cohort.read_native),  # type: ignore[arg-type]
    )
    return LabelledCohort(cohort=watched, outcomes=labelled.outcomes)


def _case(
    case_id: str, severity: float, side: int, masks: bool, rng: np.random.Generator
) -> PreparedCase:
    tumour = _ball(side, 1.5 + 3.0 * severity)
    pet = rng.normal(0, 0.2, tumour.shape) + (1 + 3 * severity) * tumour
    ct = rng.normal(0, 0.2, tumour.shape) + 0.5 * tumour
    return PreparedCase(
        case_id=case_id,
        image=np.stack([pet, ct]).astype(np.float32),
        mask=tumour[None].astype(np.uint8) if masks else None,
        clinical=np.array([2 * severity - 1 + rng.normal(0, 0.1)], dtype=np.float32),
        grid=Grid(size=(side, side, side), spacing=SPACING),
    )


def _native(case: PreparedCase, masks: bool) -> Case:
    """In SUV and HU: uptake 1 beside the tumour, soft tissue of 40 HU."""
    pet, ct = case.image
    return Case(
        case_id=case.case_id,
        images={
            "pet_suv": Volume(array=np.clip(1 + 2 * pet, 0, None), grid=case.grid),
            "ct_hu": Volume(array=(40 + 20 * ct).astype(np.int16), grid=case.grid),
        },
        mask=Volume(array=case.mask[0], grid=case.grid)
        if masks and case.mask is not None
        else None,
        clinical={"stage": float(case.clinical[0])},
    )


def _ball(side: int, radius: float) -> NDArray[np.bool_]:
    axis = np.arange(side) - side / 2 + 0.25
    depth, height, width = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.asarray(depth**2 + height**2 + width**2 <= radius**2)
