"""The simulated patients: what decides both their images and their outcomes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

# Bump whenever any patient, image or outcome changes.
GENERATOR_VERSION = 1

FACTORS_STREAM, OUTCOME_STREAM, ANATOMY_STREAM, SCANNER_STREAM = range(4)

STATIONS = ("II", "III", "V", "Ib")
STATION_SHARES = (0.6, 0.2, 0.13, 0.07)


@dataclass(frozen=True, kw_only=True)
class Node:
    """An involved neck node, never part of the tumour mask.

    Attributes:
        station: Neck level.
        side: 1 = the patient's left, -1 = right.
        volume: ml.
        uptake: Mean SUV before the scanner's blur.
    """

    station: str
    side: int
    volume: float
    uptake: float


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Everything known of a simulated patient before a voxel is painted.

    Attributes:
        centre: Hospital, which decides the scanner.
        volume: Primary tumour, ml.
        uptake: Mean SUV of the primary before the scanner's blur.
        heterogeneity: SD / mean of the primary's SUV before the scanner's blur.
        invasion: Farthest reach of the primary from its origin, in radii of the sphere of equal
            volume; 1 = a ball.
        nodes: Involved neck nodes; may be empty.
        age: Years.
        stage: AJCC 8: IVA if T4 or N3, else III.
    """

    centre: str
    volume: float
    uptake: float
    heterogeneity: float
    invasion: float
    nodes: tuple[Node, ...]
    age: int
    sex: str
    t_stage: str
    n_stage: str
    stage: str

    @property
    def nodal_burden(self) -> float:
        """Log of 1 + the nodes' total volume (ml) times SUV."""
        return math.log1p(sum(node.volume * node.uptake for node in self.nodes))

    def factors(self) -> Mapping[str, float]:
        """The factors of the hazard, in their own units."""
        return {
            "log_volume": math.log(self.volume),
            "uptake_heterogeneity": self.heterogeneity,
            "invasion": self.invasion,
            "nodal_burden": self.nodal_burden,
            "age": float(self.age),
            "stage": float(self.stage == "IVA"),
        }


def generator(cohort_seed: int, index: int, stream: int) -> np.random.Generator:
    """The random numbers of one purpose in one case, whatever else was drawn before."""
    return np.random.default_rng([cohort_seed, index, stream])


def draw_patient(cohort_seed: int, index: int) -> Patient:
    """Patient number `index` of the cohort."""
    random = generator(cohort_seed, index, FACTORS_STREAM)
    size = random.standard_normal()
    spread = 0.3 * size + math.sqrt(1 - 0.3**2) * random.standard_normal()
    nodes = _draw_nodes(random, size)
    t_stage, n_stage = _draw_stages(random, size, spread, nodes)
    return Patient(
        centre="A" if random.random() < 0.6 else "B",
        volume=float(np.clip(35.0 * math.exp(0.6 * size), 8.0, 150.0)),
        uptake=float(np.clip(7.5 * math.exp(0.22 * random.standard_normal()), 4.0, 14.0)),
        heterogeneity=float(np.clip(0.33 + 0.12 * random.standard_normal(), 0.06, 0.60)),
        invasion=float(np.clip(1.5 + 0.17 * spread, 1.12, 1.95)),
        nodes=nodes,
        age=int(np.clip(round(49 + 11 * random.standard_normal()), 18, 80)),
        sex="male" if random.random() < 0.72 else "female",
        t_stage=t_stage,
        n_stage=n_stage,
        stage="IVA" if t_stage == "T4" or n_stage == "N3" else "III",
    )


def _draw_nodes(random: np.random.Generator, size: float) -> tuple[Node, ...]:
    """No nodes in one patient of ten; else one to eight, alike within a patient."""
    if random.random() < 0.1:
        return ()
    count = 1 + min(int(random.poisson(1.8)), 7)
    patient_volume = 2.6 * math.exp(0.15 * size + 0.65 * random.standard_normal())
    patient_uptake = 5.5 * math.exp(0.3 * random.standard_normal())
    main_side = 1 if random.random() < 0.5 else -1
    return tuple(
        Node(
            station=str(random.choice(STATIONS, p=STATION_SHARES)),
            side=main_side if random.random() < 0.7 else -main_side,
            volume=float(
                np.clip(patient_volume * math.exp(0.5 * random.standard_normal()), 0.6, 20)
            ),
            uptake=float(
                np.clip(patient_uptake * math.exp(0.15 * random.standard_normal()), 2.5, 15)
            ),
        )
        for _ in range(count)
    )


def _draw_stages(
    random: np.random.Generator, size: float, spread: float, nodes: tuple[Node, ...]
) -> tuple[str, str]:
    """T and N as a reader would give them: from extent and nodes, with disagreement.

    All patients are advanced: one who would be below stage III is read as T3.
    """
    extent = 0.8 * spread + 0.4 * size + 0.6 * random.standard_normal()
    t_stage = ("T2", "T3", "T4")[int(np.searchsorted([-0.6, 0.75], extent))]
    burden = math.log1p(sum(node.volume * node.uptake for node in nodes))
    n_stage = "N0"
    if nodes:
        reading = burden + 0.5 * random.standard_normal()
        n_stage = ("N1", "N2", "N3")[int(np.searchsorted([3.2, 5.0], reading))]
    if t_stage == "T2" and n_stage in ("N0", "N1"):
        t_stage = "T3"
    return t_stage, n_stage
