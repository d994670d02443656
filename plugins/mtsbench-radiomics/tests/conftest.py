"""Patients in memory whose tumour size and age decide their follow-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtsbench.composition import TrainingSettings
from mtsbench.data import Case, Cohort, LabelledCohort, Outcomes, PreparedCase
from mtsbench.interfaces import FitContext
from mtsbench.volumes import Grid, Volume

SPACING = (3.0, 2.0, 2.5)


class Patients:
    """Ball-shaped tumours in noise; `mask` and `time` replace what a case has."""

    def __init__(self, count: int, size: int) -> None:
        rng = np.random.default_rng(0)
        self.case_ids = tuple(f"P{number:03d}" for number in range(count))
        self.radius = rng.uniform(5.0, 14.0, count)
        self.age = rng.normal(size=count)
        self.noise = rng.normal(size=count)
        log_hazard = 2 * ((self.radius - 9.5) / 2.6 + 1.3 * self.age)
        onset = 500 * rng.exponential(size=count) ** 0.3 * np.exp(-0.3 * log_hazard)
        self.event = rng.permutation(np.arange(count) % 3 > 0)
        self.time = np.where(self.event, onset, onset * rng.uniform(0.3, 1.0, count)) + 1
        self.masks: dict[str, np.ndarray] = {}
        self.grid = Grid(size=(size, size, size), spacing=SPACING)

    def tumour(self, case_id: str) -> np.ndarray:
        axes = [
            (np.arange(n) - (n - 1) / 2) * step
            for n, step in zip(self.grid.size, SPACING, strict=True)
        ]
        depth, height, width = np.meshgrid(*axes, indexing="ij")
        radius = self.radius[self.case_ids.index(case_id)]
        return depth**2 + height**2 + width**2 <= radius**2

    def mask(self, case_id: str) -> np.ndarray:
        return self.masks.get(case_id, self.tumour(case_id)).astype(np.uint8)

    def image(self, case_id: str) -> np.ndarray:
        rng = np.random.default_rng(self.case_ids.index(case_id))
        return rng.normal(1, 0.2, self.grid.size) + 6.0 * self.tumour(case_id)

    def read(self, case_id: str) -> PreparedCase:
        row = self.case_ids.index(case_id)
        image = self.image(case_id).astype(np.float32)
        return PreparedCase(
            case_id=case_id,
            image=np.stack([image, 0.1 * image]),
            mask=self.mask(case_id)[None],
            clinical=np.array([self.age[row], self.noise[row]], dtype=np.float32),
            grid=self.grid,
        )

    def read_native(self, case_id: str) -> Case:
        image = self.image(case_id)
        return Case(
            case_id=case_id,
            images={
                "pet_suv": Volume(array=image, grid=self.grid),
                "ct_hu": Volume(array=40 * image, grid=self.grid),
            },
            mask=Volume(array=self.mask(case_id), grid=self.grid),
            clinical={},
        )

    def cohort(self, start: int = 0, stop: int | None = None) -> Cohort:
        return Cohort(
            case_ids=self.case_ids[start:stop],
            channels=("pet_suv", "ct_hu"),
            clinical_features=("age", "noise"),
            read=self.read,
            read_native=self.read_native,
        )

    def labelled(self, start: int = 0, stop: int | None = None) -> LabelledCohort:
        return LabelledCohort(
            cohort=self.cohort(start, stop),
            outcomes=Outcomes(
                endpoint="pfs",
                case_ids=self.case_ids[start:stop],
                time=self.time[start:stop],
                event=self.event[start:stop],
            ),
        )

    def with_clinical(self, read) -> LabelledCohort:
        """All patients, with clinical features that `read` gives for a row."""
        labelled = self.labelled()

        def changed(case_id: str) -> PreparedCase:
            values = np.array(read(self.case_ids.index(case_id)), dtype=np.float32)
            return replace(self.read(case_id), clinical=values)

        return replace(labelled, cohort=replace(labelled.cohort, read=changed))


@pytest.fixture(scope="session")
def make_patients():
    def make(count: int, size: int = 16) -> Patients:
        return Patients(count, size)

    return make


@pytest.fixture
def context():
    """A context whose log can be read as `context.lines`."""
    lines = []

    def make(seed: int = 0, **training) -> FitContext:
        return FitContext(
            seed=seed,
            device="cpu",
            training=TrainingSettings(**training),
            log=lambda epoch, values: lines.append((epoch, dict(values))),
        )

    make.lines = lines
    return make
