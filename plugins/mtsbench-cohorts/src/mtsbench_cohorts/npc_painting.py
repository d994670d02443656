"""A simulated patient in the scanner: where the head lies, and what is painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench_cohorts.npc_canvas import blank_canvas
from mtsbench_cohorts.npc_disease import paint_nodes, paint_primary
from mtsbench_cohorts.npc_factors import ANATOMY_STREAM, generator
from mtsbench_cohorts.npc_head import paint_head
from mtsbench_cohorts.npc_scanner import CT_FIELD, PET_FIELD, SCANNERS, field_of_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.volumes import Grid
    from mtsbench_cohorts.npc_canvas import Canvas, Point
    from mtsbench_cohorts.npc_factors import Patient

TABLE = (0.0, -150.0, -700.0)  # mean patient coordinates of the nasopharynx, mm
TABLE_SD = 8.0
# Half-ranges (x, y, z) mm: together at most 15 between the primary's origin and the field's middle.
OFF_MIDLINE = (9.0, 5.0, 5.0)
OFF_FIELD_LOW, OFF_FIELD_HIGH = (-5.0, -8.0, -9.0), (5.0, 8.0, 5.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Painting:
    """A patient before the scanners' blur and noise.

    Attributes:
        canvas: CT numbers and uptake on `ct_grid`.
        primary: (D, H, W) bool mask of the primary on `ct_grid`.
        nodes: (D, H, W) bool mask of the involved nodes on `ct_grid`.
        ct_grid: Of the CT, the mask and the canvas.
        pet_grid: Of the PET; inside the CT's field.
    """

    canvas: Canvas
    primary: NDArray[np.bool_]
    nodes: NDArray[np.bool_]
    ct_grid: Grid
    pet_grid: Grid


def paint_patient(cohort_seed: int, index: int, patient: Patient) -> Painting:
    """Paint `patient`, who is number `index` of the cohort."""
    scanner = SCANNERS[patient.centre]
    random = generator(cohort_seed, index, ANATOMY_STREAM)
    nasopharynx = random.normal(TABLE, TABLE_SD)
    scale = float(np.clip(random.normal(1.0, 0.035), 0.92, 1.08))
    origin = _point(random.uniform(-1.0, 1.0, 3) * OFF_MIDLINE)
    middle = nasopharynx + random.uniform(OFF_FIELD_LOW, OFF_FIELD_HIGH)
    ct_grid = field_of_view(_point(middle), CT_FIELD, scanner.ct_spacing)
    pet_middle = _point(middle + random.uniform(-1.0, 1.0, 3))
    pet_grid = field_of_view(pet_middle, PET_FIELD, scanner.pet_spacing)
    canvas = blank_canvas(ct_grid, _point(nasopharynx), scale)
    inside = paint_head(canvas, random)
    primary = paint_primary(canvas, inside, patient, origin, random)
    nodes = paint_nodes(canvas, inside, patient.nodes, primary, random)
    return Painting(canvas=canvas, primary=primary, nodes=nodes, ct_grid=ct_grid, pet_grid=pet_grid)


def _point(coordinates: NDArray[np.float64]) -> Point:
    x, y, z = coordinates.tolist()
    return x, y, z
