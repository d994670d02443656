"""Simulated cohorts, divided into folds, and the two methods trained and tested on each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from simulated_methods import Patients, Scenario, TrueConcordance, ridge_cox

from mtsbench.comparison.patients import FoldPatients, RunPatients
from mtsbench.data import Outcomes, Predictions

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Cohorts of one kind and how they are divided; `repeats` in rising order."""

    scenario: Scenario
    patients: int
    events: int
    folds: int
    repeats: tuple[int, ...]

    def sizes(self) -> list[str]:
        """`60 / 12, 5 x 10` for each number of repeats: patients, events, folds x repeats."""
        return [f"{self.patients} / {self.events}, {self.folds} x {r}" for r in self.repeats]


def deal(event: NDArray[np.bool_], folds: int, random: np.random.Generator) -> list[Array]:
    """Rows tested in each fold of one repeat, stratified by event as `mtsbench run` does it."""
    place = np.empty(len(event), dtype=int)
    begin = 0
    for rows in (np.flatnonzero(event), np.flatnonzero(~event)):
        place[random.permutation(rows)] = (np.arange(len(rows)) + begin) % folds
        begin += len(rows)
    return [np.flatnonzero(place == fold) for fold in range(folds)]


def cross_validate(
    patients: Patients, cohort: Cohort, truth: TrueConcordance, random: np.random.Generator
) -> tuple[list[RunPatients], Array]:
    """Both models tested on every fold, and (2, J) the true C of each of their fits."""
    count, jobs = len(patients.time), cohort.folds * cohort.repeats[-1]
    tests = [
        rows
        for _ in range(cohort.repeats[-1])
        for rows in deal(patients.event, cohort.folds, random)
    ]
    trains = [np.setdiff1d(np.arange(count), rows) for rows in tests]
    beta = np.zeros((2, jobs, patients.variables[0].shape[1]))
    for size in {len(rows) for rows in trains}:
        chosen = [job for job, rows in enumerate(trains) if len(rows) == size]
        rows = np.stack([trains[job] for job in chosen])
        for model, variables in enumerate(patients.variables):
            beta[model, chosen] = ridge_cox(
                variables[rows], patients.time[rows], patients.event[rows]
            )
    names = tuple(f"P{row:03d}" for row in range(count))
    outcomes = Outcomes(endpoint="os", case_ids=names, time=patients.time, event=patients.event)
    parts = [outcomes.subset([names[row] for row in rows]) for rows in tests]
    runs = [
        RunPatients(
            outcomes=outcomes,
            folds=tuple(
                FoldPatients(
                    repeat=job // cohort.folds,
                    fold=job % cohort.folds,
                    seed=0,
                    predictions=Predictions(
                        case_ids=parts[job].case_ids, risk=variables[rows] @ beta[model, job]
                    ),
                    outcomes=parts[job],
                    training_risk=np.zeros(0),
                    masks={},
                    slices=Path("none"),
                )
                for job, rows in enumerate(tests)
            ),
        )
        for model, variables in enumerate(patients.variables)
    ]
    return runs, np.stack([truth(beta[0], 0), truth(beta[1], 1)])
