"""Two simulated PET/CT scanners: grids, blur and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.volumes import Grid, Volume
from mtsbench_cohorts.npc_canvas import random_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench_cohorts.npc_canvas import Canvas, Point

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """How a hospital sees a head.

    Attributes:
        ct_spacing: mm (D, H, W).
        pet_spacing: mm (D, H, W).
        pet_resolution: FWHM of the PET's Gaussian point spread function, mm.
        pet_noise: SD of the PET's noise at SUV 1; it grows with the root of the uptake.
        ct_noise: SD of the CT's noise, HU.
    """

    ct_spacing: tuple[float, float, float]
    pet_spacing: tuple[float, float, float]
    pet_resolution: float
    pet_noise: float
    ct_noise: float


SCANNERS = {
    "A": Scanner(
        ct_spacing=(2.5, 1.95, 1.95),
        pet_spacing=(4.0, 4.07, 4.07),
        pet_resolution=5.2,
        pet_noise=0.16,
        ct_noise=14.0,
    ),
    "B": Scanner(
        ct_spacing=(3.0, 2.34, 2.34),
        pet_spacing=(3.27, 3.65, 3.65),
        pet_resolution=6.2,
        pet_noise=0.22,
        ct_noise=20.0,
    ),
}
CT_FIELD, PET_FIELD = 212.0, 204.0  # mm


def field_of_view(centre: Point, field: float, spacing: tuple[float, float, float]) -> Grid:
    """The grid of about `field` mm along each patient axis whose middle is `centre`."""
    depth, height, width = (round(field / step) for step in spacing)
    x, y, z = (
        middle - (count - 1) / 2 * step
        for middle, count, step in zip(centre, (width, height, depth), spacing[::-1], strict=True)
    )
    return Grid(size=(depth, height, width), spacing=spacing, origin=(x, y, z))


def take_ct(canvas: Canvas, grid: Grid, scanner: Scanner, random: np.random.Generator) -> Volume:
    """CT (D, H, W) int16 HU on the canvas' own grid."""
    from scipy.ndimage import gaussian_filter1d

    hu = canvas.hu.copy()
    for axis in range(3):
        gaussian_filter1d(hu, 0.5, axis=axis, output=hu, mode="nearest", truncate=3.0)
    noise = random_field(random, hu.shape, (0.4, 0.5, 0.5))
    noise *= scanner.ct_noise
    hu += noise
    np.clip(np.rint(hu, out=hu), -1024, 3071, out=hu)
    return Volume(array=hu.astype(np.int16), grid=grid)


def take_pet(
    canvas: Canvas, canvas_grid: Grid, grid: Grid, scanner: Scanner, random: np.random.Generator
) -> Volume:
    """PET (D, H, W) float32 SUV on a grid of its own, which must lie inside the canvas' grid."""
    from scipy.ndimage import gaussian_filter1d

    blurred = canvas.suv.copy()
    sigma = scanner.pet_resolution / FWHM_PER_SIGMA
    for axis, step in enumerate(canvas.spacing):
        gaussian_filter1d(blurred, sigma / step, axis=axis, output=blurred, mode="nearest")
    for axis in range(3):
        blurred = _interpolate(blurred, canvas_grid, grid, axis)
    noise = random_field(random, grid.size, (0.5, 0.6, 0.6))
    noisy = blurred + scanner.pet_noise * np.sqrt(blurred) * noise
    return Volume(array=np.maximum(noisy, 0).astype(np.float32), grid=grid)


def _interpolate(
    array: NDArray[np.float32], source: Grid, target: Grid, axis: int
) -> NDArray[np.float32]:
    """Linear interpolation from one grid to another along one axis (0 = D)."""
    patient_axis = 2 - axis
    offset = target.origin[patient_axis] - source.origin[patient_axis]
    position = (offset + target.spacing[axis] * np.arange(target.size[axis])) / source.spacing[axis]
    lower = np.floor(position).astype(np.intp)
    shape = [1, 1, 1]
    shape[axis] = len(lower)
    weight = (position - lower).astype(np.float32).reshape(shape)
    below, above = np.take(array, lower, axis=axis), np.take(array, lower + 1, axis=axis)
    result: NDArray[np.float32] = below + weight * (above - below)
    return result
