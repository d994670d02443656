"""The simulated NPC cohort: each case is a function of the cohort seed and its number alone."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.data import Case, ClinicalVariable, Outcomes
from mtsbench.errors import DataError, OptionError
from mtsbench.volumes import Volume
from mtsbench_cohorts.npc_factors import (
    GENERATOR_VERSION,
    SCANNER_STREAM,
    draw_patient,
    generator,
)
from mtsbench_cohorts.npc_hazard import HAZARD, follow_up, log_hazard_ratio
from mtsbench_cohorts.npc_painting import paint_patient
from mtsbench_cohorts.npc_scanner import (
    SCANNERS,
    take_ct,
    take_pet,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mtsbench_cohorts.npc_factors import Patient

CASE_ID = re.compile(r"npc-(\d{4,9})")


class SimulatedNpc:
    """Advanced nasopharyngeal carcinoma that no patient had, with a known hazard.

    Args:
        cases: How many patients.
        cohort_seed: Another seed gives other patients.
        test_centre: Rule for the crop centre of a held-out case.

    Raises:
        OptionError: No case is asked for, or the seed is negative.
    """

    def __init__(self, *, cases: int, cohort_seed: int, test_centre: str = "field-of-view") -> None:
        if cases < 1:
            raise OptionError(f"cases must be at least 1, got {cases}")
        if cohort_seed < 0:
            raise OptionError(f"cohort_seed must be 0 or more, got {cohort_seed}")
        self.cohort_seed = cohort_seed
        self.case_ids = tuple(f"npc-{number:04d}" for number in range(1, cases + 1))
        self.channels: tuple[str, ...] = ("pet_suv", "ct_hu")
        self.clinical_variables: tuple[ClinicalVariable, ...] = (
            ClinicalVariable(name="age", kind="numeric"),
            ClinicalVariable(name="sex", kind="categorical"),
            ClinicalVariable(name="stage", kind="categorical"),
            ClinicalVariable(name="t_stage", kind="categorical"),
            ClinicalVariable(name="n_stage", kind="categorical"),
        )
        self.endpoints: tuple[str, ...] = ("pfs",)
        self.simulated = True
        self.natural_spacing = (3.0, 3.0, 3.0)
        self.natural_size = (64, 64, 64)
        self.test_centre = test_centre

    def load(self, case_id: str) -> Case:
        """Paint and scan one patient.

        Raises:
            DataError: The cohort has no such case.
        """
        index = self._index(case_id)
        patient = draw_patient(self.cohort_seed, index)
        painting = paint_patient(self.cohort_seed, index, patient)
        scanner = SCANNERS[patient.centre]
        random = generator(self.cohort_seed, index, SCANNER_STREAM)
        return Case(
            case_id=case_id,
            images={
                "pet_suv": take_pet(
                    painting.canvas, painting.ct_grid, painting.pet_grid, scanner, random
                ),
                "ct_hu": take_ct(painting.canvas, painting.ct_grid, scanner, random),
            },
            mask=Volume(array=painting.primary.astype(np.uint8), grid=painting.ct_grid),
            clinical={
                "age": float(patient.age),
                "sex": patient.sex,
                "stage": patient.stage,
                "t_stage": patient.t_stage,
                "n_stage": patient.n_stage,
            },
        )

    def has_mask(self, case_id: str) -> bool:
        """Every case has one. DataError for an unknown case."""
        return self._index(case_id) >= 0

    def outcomes(self, endpoint: str) -> Outcomes:
        """Follow-up of every case.

        Raises:
            DataError: The endpoint is not `pfs`.
        """
        if endpoint not in self.endpoints:
            raise DataError(
                f"the simulated NPC cohort has no endpoint {endpoint!r}; "
                f"it has {', '.join(self.endpoints)}"
            )
        followed = [
            follow_up(self.cohort_seed, index, draw_patient(self.cohort_seed, index))
            for index in range(len(self.case_ids))
        ]
        return Outcomes(
            endpoint=endpoint,
            case_ids=self.case_ids,
            time=np.array([time for time, _ in followed], dtype=np.float64),
            event=np.array([event for _, event in followed], dtype=np.bool_),
        )

    def centres(self) -> Mapping[str, str]:
        """Case id to one of the two simulated hospitals."""
        return {case_id: self._patient(case_id).centre for case_id in self.case_ids}

    def oracle_risk(self, case_ids: Sequence[str]) -> NDArray[np.float64]:
        """(N,) the true log hazard ratio of each case; higher means an earlier event.

        Raises:
            DataError: The cohort has no such case.
        """
        risks = [log_hazard_ratio(self._patient(case_id)) for case_id in case_ids]
        return np.array(risks, dtype=np.float64)

    def factors(self, case_ids: Sequence[str]) -> Mapping[str, NDArray[np.float64]]:
        """Factor of the hazard to (N,) values in its own unit, see `Patient`.

        Raises:
            DataError: The cohort has no such case.
        """
        values = [self._patient(case_id).factors() for case_id in case_ids]
        return {
            factor.name: np.array([value[factor.name] for value in values], dtype=np.float64)
            for factor in HAZARD
        }

    def case_fingerprint(self, case_id: str) -> str:
        """Of the generator's version, the cohort seed and the case's number alone.

        Raises:
            DataError: The cohort has no such case.
        """
        return _hash(f"npc case {GENERATOR_VERSION} {self.cohort_seed} {self._index(case_id)}")

    def fingerprint(self) -> str:
        """Of the generator's version, the cohort seed and the number of cases."""
        return _hash(f"npc cohort {GENERATOR_VERSION} {self.cohort_seed} {len(self.case_ids)}")

    def _patient(self, case_id: str) -> Patient:
        return draw_patient(self.cohort_seed, self._index(case_id))

    def _index(self, case_id: str) -> int:
        match = CASE_ID.fullmatch(case_id)
        index = int(match[1]) - 1 if match else -1
        if not 0 <= index < len(self.case_ids) or self.case_ids[index] != case_id:
            raise DataError(
                f"the simulated NPC cohort has no case {case_id!r}; it has "
                f"{self.case_ids[0]} to {self.case_ids[-1]}"
            )
        return index


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
