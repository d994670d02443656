"""Datasets that differ from a real one in a known way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Case, ClinicalValue, ClinicalVariable, Outcomes
from mtsbench.volumes import Volume

if TYPE_CHECKING:
    from mtsbench.interfaces import Dataset


@dataclass(frozen=True, kw_only=True)
class Twin:
    """A second case of one patient.

    Attributes:
        of: The case that is repeated.
        image: Whether the images are the same; else they are disturbed.
        row: Whether clinical values and outcome are the same; else they are disturbed.
    """

    of: str
    image: bool
    row: bool


class AlteredDataset:
    """Implements `mtsbench.interfaces.Dataset` on top of another.

    Args:
        dataset: What is altered.
        outcomes: Given in place of the dataset's own.
        disturbed: Cases whose images, mask and clinical values are others.
        twins: Case id to the case that it repeats.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        outcomes: Outcomes | None = None,
        disturbed: frozenset[str] = frozenset(),
        twins: Mapping[str, Twin] | None = None,
    ) -> None:
        self.dataset = dataset
        self.twins = twins or {}
        self.disturbed = disturbed
        self._outcomes = outcomes
        self.case_ids: tuple[str, ...] = (*dataset.case_ids, *self.twins)
        self.channels: tuple[str, ...] = dataset.channels
        self.clinical_variables: tuple[ClinicalVariable, ...] = dataset.clinical_variables
        self.endpoints: tuple[str, ...] = dataset.endpoints
        self.simulated = dataset.simulated
        self.natural_spacing = dataset.natural_spacing
        self.natural_size = dataset.natural_size
        self.test_centre = dataset.test_centre

    def load(self, case_id: str) -> Case:
        """The case, disturbed or repeated where that is wanted."""
        twin = self.twins.get(case_id)
        if twin is None:
            case = self.dataset.load(case_id)
            return disturb(case, self) if case_id in self.disturbed else case
        case = self.dataset.load(twin.of)
        other = disturb(case, self)
        return replace(
            case if twin.image else other,
            case_id=case_id,
            clinical=(case if twin.row else other).clinical,
        )

    def outcomes(self, endpoint: str) -> Outcomes:
        """Those given instead; a twin has its patient's, or half the time."""
        found = self._outcomes or self.dataset.outcomes(endpoint)
        if not self.twins:
            return found
        rows = [found.case_ids.index(twin.of) for twin in self.twins.values()]
        factor = np.array([1.0 if twin.row else 0.5 for twin in self.twins.values()])
        return Outcomes(
            endpoint=endpoint,
            case_ids=(*found.case_ids, *self.twins),
            time=np.concatenate([found.time, found.time[rows] * factor]),
            event=np.concatenate([found.event, found.event[rows]]),
        )

    def centres(self) -> Mapping[str, str]:
        """Those of the dataset; a twin has its patient's."""
        found = self.dataset.centres()
        twins = {name: found[twin.of] for name, twin in self.twins.items() if twin.of in found}
        return {**found, **twins}

    def case_fingerprint(self, case_id: str) -> str:
        """Another where the case is another."""
        if case_id in self.twins:
            return f"twin {self.twins[case_id]}"
        found = self.dataset.case_fingerprint(case_id)
        return f"disturbed {found}" if case_id in self.disturbed else found

    def fingerprint(self) -> str:
        """Of the dataset; no run of an altered one is stored."""
        return self.dataset.fingerprint()


def disturb(case: Case, dataset: Dataset | AlteredDataset) -> Case:
    """The case mirrored, twice as bright, with clinical values that no other case has."""
    kinds = {one.name: one.kind for one in dataset.clinical_variables}
    return replace(
        case,
        images={name: _mirrored(one, 2.0, 1.0) for name, one in case.images.items()},
        mask=None if case.mask is None else _mirrored(case.mask),
        clinical={
            name: _disturbed(value, kinds.get(name, "categorical"))
            for name, value in case.clinical.items()
        },
    )


def _mirrored(volume: Volume, factor: float | None = None, offset: float = 0.0) -> Volume:
    array = np.ascontiguousarray(volume.array[..., ::-1])
    if factor is not None:
        array = (array.astype(np.float32) * factor + offset).astype(np.float32)
    return Volume(array=array, grid=volume.grid)


def _disturbed(value: ClinicalValue, kind: str) -> ClinicalValue:
    if kind == "categorical":
        return "disturbed"
    return 3.0 * float(value or 0.0) + 100.0
