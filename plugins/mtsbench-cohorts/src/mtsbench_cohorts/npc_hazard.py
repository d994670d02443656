"""The known hazard of the simulated patients and their follow-up.

Weibull proportional hazards: S(t) = exp(-(t / SCALE) ** SHAPE * exp(log hazard ratio)), where
the log hazard ratio is the sum over the factors of coefficient * (value - mean) / sd. Means and
SDs are fixed numbers of the simulated population, not statistics of a cohort, so that a case is
the same in every cohort.

Source: Bender, Augustin, Blettner, Statistics in Medicine 24 (2005), 1713-1723 (survival times of
a Weibull proportional-hazards model by inversion).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench_cohorts.npc_factors import OUTCOME_STREAM, generator

if TYPE_CHECKING:
    from mtsbench_cohorts.npc_factors import Patient

SHAPE = 1.3
SCALE = 2700.0  # days
ACCRUAL = 3 * 365.25  # days from the first to the last patient's entry
STUDY = 8 * 365.25  # days from the first patient's entry to the end of the study
MEAN_TIME_TO_LOSS = 20 * 365.25  # days


@dataclass(frozen=True, kw_only=True)
class HazardFactor:
    """One term of the log hazard ratio.

    Attributes:
        name: Key in `Patient.factors`.
        mean: Of the simulated population.
        sd: Of the simulated population.
        coefficient: Log hazard ratio of one SD; above 0 = earlier events.
    """

    name: str
    mean: float
    sd: float
    coefficient: float


HAZARD = (
    HazardFactor(name="log_volume", mean=3.55, sd=0.59, coefficient=0.6),
    HazardFactor(name="uptake_heterogeneity", mean=0.33, sd=0.12, coefficient=0.65),
    HazardFactor(name="invasion", mean=1.5, sd=0.17, coefficient=0.35),
    HazardFactor(name="nodal_burden", mean=3.33, sd=1.4, coefficient=0.75),
    HazardFactor(name="age", mean=49.0, sd=11.0, coefficient=0.2),
    HazardFactor(name="stage", mean=0.33, sd=0.47, coefficient=0.15),
)


def log_hazard_ratio(patient: Patient) -> float:
    """Of the patient, against the mean patient; higher means an earlier event."""
    values = patient.factors()
    return sum(
        factor.coefficient * (values[factor.name] - factor.mean) / factor.sd for factor in HAZARD
    )


def follow_up(cohort_seed: int, index: int, patient: Patient) -> tuple[int, bool]:
    """Days to event or censoring (>= 1), and whether the event was observed.

    Censoring is independent of the factors: the study ends, or the patient is lost.
    """
    random = generator(cohort_seed, index, OUTCOME_STREAM)
    hazard_ratio = math.exp(log_hazard_ratio(patient))
    to_event = SCALE * (random.exponential() / hazard_ratio) ** (1 / SHAPE)
    to_end_of_study = STUDY - ACCRUAL * random.random()
    to_loss = MEAN_TIME_TO_LOSS * random.exponential()
    observed = to_event <= min(to_end_of_study, to_loss)
    return math.ceil(min(to_event, to_end_of_study, to_loss)), observed
