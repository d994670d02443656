"""Primary tumour and neck nodes, painted to the patient's factors.

The primary is star-shaped about its origin: its reach R(direction) is that of a ball with lobes
that grow where nasopharyngeal carcinoma grows. The tumour is the set of voxels with smallest
distance / R, as many of them as make up the patient's volume; their uptake is scaled to the
patient's mean and coefficient of variation. Volume, heterogeneity and nodal burden are exact to a
voxel; the farthest reach is that of the smooth shape, which the surface's roughness and the skin
change a little.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.volumes import bounding_box
from mtsbench_cohorts.npc_canvas import random_field

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mtsbench_cohorts.npc_canvas import Canvas, Point
    from mtsbench_cohorts.npc_factors import Node, Patient

# Parapharyngeal space left and right, clivus, sphenoid sinus, nasal cavity, oropharynx,
# infratemporal fossa left and right: unit vectors after normalisation.
ROUTES = np.array(
    [
        (1.0, 0.2, -0.2),
        (-1.0, 0.2, -0.2),
        (0.0, 0.7, 0.7),
        (0.1, -0.2, 1.0),
        (0.0, -1.0, 0.1),
        (0.0, 0.2, -1.0),
        (0.8, -0.6, 0.1),
        (-0.8, -0.6, 0.1),
    ]
)
STATION_CENTRES = {  # head coordinates on the left side, mm
    "II": (39.0, 12.0, -40.0),
    "III": (37.0, 10.0, -59.0),
    "V": (46.0, 36.0, -50.0),
    "Ib": (32.0, -20.0, -56.0),
}
NODE_SD = 3.5  # mm, of a node about its station
GAP = 5.0  # mm between the primary and any node
TEXTURE = 4.5  # mm, SD of the Gaussian that makes the uptake texture
NECROTIC_UPTAKE = 0.12  # of viable tumour
DIRECTIONS = 600
ROUGHNESS = 0.05


def paint_primary(
    canvas: Canvas,
    inside: NDArray[np.bool_],
    patient: Patient,
    origin: Point,
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Paint the primary about `origin` (head coordinates), where `inside` (D, H, W) allows.

    Returns:
        Its mask (D, H, W).
    """
    radius = (0.75 / np.pi * 1000 * patient.volume) ** (1 / 3)
    reach = radius * patient.invasion * 1.15 + 5
    box = canvas.box(origin, (reach, reach, reach))
    x, y, z = canvas.offsets(box, origin)
    distance = np.sqrt(x**2 + y**2 + z**2)
    lobes = _lobes(patient.invasion, random)
    safe = np.maximum(distance, np.float32(1e-3))
    outreach = lobes((x / safe, y / safe, z / safe))
    rough = random_field(random, distance.shape, tuple(5 / step for step in canvas.spacing))
    level = distance / outreach * (1 + np.float32(ROUGHNESS) * rough)
    level[~inside[box]] = np.inf
    tumour = _smallest(level, patient.volume / canvas.voxel_volume)
    depth = 1 - level[tumour] / level[tumour].max()
    viable = _viability(canvas, patient, tumour, depth, random)
    canvas.suv[box][tumour] = patient.uptake * viable
    canvas.hu[box][tumour] = 30 + 30 * np.clip(viable, 0, 1)
    mask = np.zeros(canvas.hu.shape, dtype=np.bool_)
    mask[box] = tumour
    return mask


def paint_nodes(
    canvas: Canvas,
    inside: NDArray[np.bool_],
    nodes: tuple[Node, ...],
    primary: NDArray[np.bool_],
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Paint every node at its station, below the skin, clear of the primary and other nodes.

    Returns:
        (D, H, W), True in any node.
    """
    free = inside & (canvas.hu < 200)
    _keep_clear(free, primary, canvas.spacing)
    painted = np.zeros_like(free)
    for node in nodes:
        x, y, z = np.asarray(STATION_CENTRES[node.station]) + NODE_SD * random.standard_normal(3)
        radius = (0.75 / np.pi * 1000 * node.volume) ** (1 / 3)
        stretch = np.exp(0.15 * random.standard_normal(3))
        radii = radius * stretch / stretch.prod() ** (1 / 3) * np.array([0.9, 0.95, 1.17])
        centre = (float(node.side * x), float(y), float(z))
        box = canvas.box(centre, (3 * radius, 3 * radius, 3 * radius))
        level = canvas.quadric(box, centre, (float(radii[0]), float(radii[1]), float(radii[2])))
        level[~free[box]] = np.inf
        region = _smallest(level, node.volume / canvas.voxel_volume)
        canvas.suv[box][region] = node.uptake
        canvas.hu[box][region] = 52.0
        free[box] &= ~region
        painted[box] |= region
    return painted


def _keep_clear(
    free: NDArray[np.bool_], primary: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> None:
    """Take from `free` what lies within `GAP` mm of the primary."""
    from scipy.ndimage import distance_transform_edt

    if not primary.any():
        return
    # A voxel more than the gap on each side: outside this box all is clear.
    around = [
        slice(max(0, edge.start - math.ceil(GAP / step) - 1), edge.stop + math.ceil(GAP / step) + 1)
        for edge, step in zip(bounding_box(primary), spacing, strict=True)
    ]
    box = around[0], around[1], around[2]
    free[box] &= distance_transform_edt(~primary[box], sampling=spacing) > GAP


def _lobes(
    invasion: float, random: np.random.Generator
) -> Callable[[tuple[NDArray[np.float32], ...]], NDArray[np.float32]]:
    """R(direction) whose maximum is `invasion` times the radius of the equal-volume ball."""
    count = int(random.integers(1, 5))
    routes = random.choice(ROUTES, size=count, replace=False)
    routes = routes + 0.2 * random.standard_normal(routes.shape)
    routes /= np.linalg.norm(routes, axis=1, keepdims=True)
    heights = np.concatenate([[1.0], random.uniform(0.3, 0.9, count - 1)])
    widths = random.uniform(4.0, 9.0, count)

    def bumps(directions: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        x, y, z = directions
        total = np.zeros_like(x * y * z)
        for (ux, uy, uz), height, width in zip(routes, heights, widths, strict=True):
            cosine = np.float32(ux) * x + np.float32(uy) * y + np.float32(uz) * z
            total += np.float32(height) * np.exp(np.float32(width) * (cosine - 1))
        return total

    sampled = bumps(_sphere())

    def reach(strength: float) -> float:
        radii = 1 + strength * sampled
        return float(radii.max() / np.cbrt(np.mean(radii**3)))

    strength = _solve(reach, invasion, 0.0, 8.0)
    return lambda directions: 1 + np.float32(strength) * bumps(directions)


def _sphere() -> tuple[NDArray[np.float32], ...]:
    """Evenly spread directions: a Fibonacci lattice."""
    steps = np.arange(DIRECTIONS) + 0.5
    z = 1 - 2 * steps / DIRECTIONS
    angle = np.pi * (1 + 5**0.5) * steps
    ring = np.sqrt(1 - z**2)
    return tuple(
        axis.astype(np.float32) for axis in (ring * np.cos(angle), ring * np.sin(angle), z)
    )


def _viability(
    canvas: Canvas,
    patient: Patient,
    tumour: NDArray[np.bool_],
    depth: NDArray[np.float32],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Relative uptake of the tumour's voxels: mean 1, SD the patient's heterogeneity.

    Necrosis prefers the core; the weaker the heterogeneity, the smoother the texture.
    """
    from scipy.special import expit

    texture = random_field(random, tumour.shape, tuple(TEXTURE / step for step in canvas.spacing))
    pattern = texture[tumour] - 1.2 * depth
    pattern = (pattern - pattern.mean()) / pattern.std() + np.float32(0.25)

    def uptake(contrast: float) -> NDArray[np.float32]:
        viable: NDArray[np.float32] = expit(np.float32(contrast) * pattern)
        return np.float32(NECROTIC_UPTAKE) + np.float32(1 - NECROTIC_UPTAKE) * viable

    def variation(contrast: float) -> float:
        values = uptake(contrast)
        return float(values.std() / values.mean())

    values = uptake(_solve(variation, patient.heterogeneity, 0.0, 60.0))
    result: NDArray[np.float32] = values / values.mean()
    return result


def _smallest(level: NDArray[np.float32], count: float) -> NDArray[np.bool_]:
    """Where the `count` (rounded) smallest finite levels are."""
    number = min(max(round(count), 1), int(np.isfinite(level).sum()))
    chosen = np.zeros(level.size, dtype=np.bool_)
    chosen[np.argpartition(level, number - 1, axis=None)[:number]] = True
    return chosen.reshape(level.shape)


def _solve(increasing: Callable[[float], float], target: float, low: float, high: float) -> float:
    """The argument at which an increasing function has a value, by bisection."""
    for _ in range(30):
        middle = (low + high) / 2
        if increasing(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
