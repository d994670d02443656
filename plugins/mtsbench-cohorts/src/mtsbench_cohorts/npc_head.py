"""A head and neck without disease: skin, fat, muscle, bone, air, glands and brain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench_cohorts.npc_canvas import Tissue, random_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench_cohorts.npc_canvas import Canvas, Point, Slices

AIR = Tissue(hu=-1000.0, suv=0.05)
FAT = Tissue(hu=-95.0, suv=0.3)
MUSCLE = Tissue(hu=58.0, suv=0.75)
CORTICAL_BONE = Tissue(hu=1050.0, suv=0.6)
SPONGY_BONE = Tissue(hu=330.0, suv=1.3)
SKULL_BASE = Tissue(hu=700.0, suv=0.9)
TOOTH = Tissue(hu=1900.0, suv=0.3)
DISC = Tissue(hu=85.0, suv=0.8)
CORD = Tissue(hu=35.0, suv=1.7)
EYE = Tissue(hu=15.0, suv=0.6)
VESSEL = Tissue(hu=140.0, suv=1.3)
WHOLE = (slice(None), slice(None), slice(None))

SKULL_CENTRE, SKULL_RADII = (0.0, 4.0, 42.0), (67.0, 86.0, 80.0)

ANATOMICAL_SD = 1.3  # mm, of each structure's centre
SLAB = 8  # slices
QUICK = 1e-4  # relative, ten times what the quick closeness may be off


def paint_head(canvas: Canvas, random: np.random.Generator) -> NDArray[np.bool_]:
    """Paint a healthy head and neck; `random` makes each one a little different.

    Returns:
        (D, H, W), True below the skin and its fat: where disease can be.
    """
    fine = random_field(random, canvas.hu.shape, tuple(2.2 / step for step in canvas.spacing))
    body, inside = _outline(canvas)
    canvas.paint(WHOLE, body, FAT)
    coarse = random_field(random, canvas.hu.shape, tuple(4.5 / step for step in canvas.spacing))
    canvas.paint(WHOLE, inside & (coarse + 0.35 * fine > -0.8), MUSCLE)
    _paint_skull(canvas, random, fine, coarse)
    _paint_face(canvas, random, fine)
    _paint_spine(canvas)
    _paint_airway(canvas, random)
    _paint_glands(canvas, random)
    return inside


def _outline(canvas: Canvas) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The body, and the body without skin and the fat below it."""
    body, inside = (np.empty(canvas.hu.shape, dtype=np.bool_) for _ in range(2))
    # A few slices at a time stay in the processor's cache.
    for start in range(0, len(body), SLAB):
        slab = (slice(start, start + SLAB), slice(None), slice(None))
        shapes = _shapes(canvas, slab)
        quick = _quick_closeness(shapes)
        for where, limit in ((body[slab], 1.0), (inside[slab], 0.84**-8)):
            np.greater(quick, np.float32(limit), out=where)
            doubtful = np.abs(quick - np.float32(limit)) < QUICK * limit
            exact = _closeness([shape[doubtful] for shape in shapes])
            where[doubtful] = exact > np.float32(limit)
    return body, inside


def _shapes(canvas: Canvas, box: Slices) -> list[NDArray[np.floating]]:
    """The quadrics whose union is the body."""
    neck = canvas.quadric(box, (0, 24, -90), (60, 56, np.inf))
    return [
        canvas.quadric(box, (0, 4, 42), (73, 92, 86)),  # cranium
        canvas.quadric(box, (0, -38, -22), (57, 56, 60)),  # face
        canvas.quadric(box, (0, -93, -8), (13, 15, 22)),  # nose
        neck + np.where(canvas.z[box[0]] > -8, 9, 0),
        canvas.quadric(box, (0, 30, -160), (150, 75, 62)),  # shoulders
    ]


def _closeness(shapes: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Smooth union: the sum of steep powers turns the seams into folds of skin."""
    closeness = np.zeros(shapes[0].shape, dtype=np.float32)
    for shape in shapes:
        closeness += np.maximum(shape, np.float32(0.05)) ** -8
    return closeness


def _quick_closeness(shapes: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    """The same to 1e-5 of itself, without the slow power."""
    closeness = np.zeros(shapes[0].shape, dtype=np.float32)
    for shape in shapes:
        power = np.maximum(shape.astype(np.float32, copy=False), np.float32(0.05))
        for _ in range(3):
            power *= power
        closeness += np.reciprocal(power, out=power)
    return closeness


def _skull_base(canvas: Canvas) -> NDArray[np.float32]:
    """(1, H, W) height of the skull base: orbital roof, middle fossae beside the sella, occiput."""
    slope = np.clip(24 - 0.5 * canvas.y, -20, 42)
    fossa = ((np.abs(canvas.x) - 36) / 15) ** 2 + ((canvas.y + 8) / 20) ** 2
    sella = (canvas.x / 12) ** 2 + ((canvas.y - 4) / 12) ** 2
    height: NDArray[np.float32] = slope - 16 * np.exp(-fossa) + 5 * np.exp(-sella)
    return height.astype(np.float32)


def _skull_box(canvas: Canvas) -> Slices:
    """What holds the skull, a mm wider: box and ellipsoid need not round alike."""
    rx, ry, rz = SKULL_RADII
    return canvas.box(SKULL_CENTRE, (rx + 1, ry + 1, rz + 1))


def _paint_skull(
    canvas: Canvas,
    random: np.random.Generator,
    fine: NDArray[np.float32],
    coarse: NDArray[np.float32],
) -> None:
    box = _skull_box(canvas)
    outer = canvas.quadric(box, SKULL_CENTRE, SKULL_RADII) < 1
    height = canvas.z[box[0]] - _skull_base(canvas)[:, box[1], box[2]] + 1.2 * coarse[box]
    inner = canvas.quadric(box, SKULL_CENTRE, (61, 80, 74))
    canvas.paint(box, outer & (inner >= 1) & (height > -3), CORTICAL_BONE)
    base = outer & (np.abs(height + 1) < 2.6 + 1.5 * coarse[box]) & (fine[box] < 1.4)
    canvas.paint(box, base, SKULL_BASE)
    _paint_brain(canvas, box, random, inner, height, fine[box])
    for side in (-1, 1):
        _paint_temporal_bone(canvas, random, fine, side)
    canvas.ellipsoid(_near(random, (0, 19, 8)), (13, 8, 17), SPONGY_BONE)  # clivus
    canvas.ellipsoid(_near(random, (0, -6, 23)), (11, 12, 9), AIR)  # sphenoid sinus


def _paint_temporal_bone(
    canvas: Canvas, random: np.random.Generator, fine: NDArray[np.float32], side: int
) -> None:
    """Petrous part, and the mastoid with its air cells."""
    canvas.ellipsoid(_near(random, (36 * side, 24, 10)), (22, 9, 8), CORTICAL_BONE)
    mastoid, radii = _near(random, (52 * side, 32, 0)), (10, 14, 18)
    box = canvas.box(mastoid, radii)
    region = canvas.quadric(box, mastoid, radii) < 1
    canvas.paint(box, region, CORTICAL_BONE)
    canvas.paint(box, region & (fine[box] > 0.1), AIR)


def _paint_brain(
    canvas: Canvas,
    box: Slices,
    random: np.random.Generator,
    inner: NDArray[np.float32],
    height: NDArray[np.float32],
    fine: NDArray[np.float32],
) -> None:
    """Grey matter at the rim and in folds, white matter, ventricles; arrays are of the box."""
    brain = (inner < 0.97) & (height > 4)
    uptake = 6.5 * np.exp(0.2 * random.standard_normal())
    depth = np.minimum((np.float32(0.97) - inner[brain]) * 40, height[brain] - 4)
    grey = 1 / (1 + np.exp(depth / 4 - 2.2 - 1.3 * fine[brain]))
    canvas.hu[box][brain] = 31 + 6 * grey
    canvas.suv[box][brain] = uptake * (0.42 + 0.75 * grey)
    for side in (-1, 1):
        canvas.ellipsoid(_near(random, (11 * side, 2, 72)), (6, 26, 9), Tissue(hu=8.0, suv=1.0))
        nuclei = Tissue(hu=37.0, suv=1.05 * float(uptake))
        canvas.ellipsoid(_near(random, (21 * side, -4, 66)), (9, 19, 11), nuclei)


def _paint_face(canvas: Canvas, random: np.random.Generator, fine: NDArray[np.float32]) -> None:
    for side in (-1, 1):
        orbit = _near(random, (30 * side, -52, 22))
        canvas.ellipsoid(orbit, (20, 27, 19), CORTICAL_BONE)
        canvas.ellipsoid(orbit, (18, 26, 17), FAT)
        canvas.ellipsoid((orbit[0], orbit[1] - 17, orbit[2]), (12, 12, 12), EYE)
        canvas.ellipsoid((orbit[0] - 4 * side, orbit[1] + 8, orbit[2]), (5, 15, 5), MUSCLE)
        sinus = _near(random, (27 * side, -52, -12))
        canvas.ellipsoid(sinus, (17, 20, 19), CORTICAL_BONE)
        canvas.ellipsoid(sinus, (15, 18, 17), AIR)
    canvas.ellipsoid(_near(random, (0, -52, 2)), (13, 32, 20), Tissue(hu=40.0, suv=1.7))
    nasal = canvas.box((0, -52, 2), (12, 31, 19))
    cavity = canvas.quadric(nasal, (0, -52, 2), (12, 31, 19)) < 1
    septum = np.abs(canvas.x[:, :, nasal[2]]) < 1.6
    canvas.paint(nasal, cavity & (fine[nasal] > -0.2) & ~septum, AIR)
    _paint_jaws(canvas, fine)


def _paint_jaws(canvas: Canvas, fine: NDArray[np.float32]) -> None:
    """Hard palate, upper teeth, mandible with lower teeth: arcs open to the back."""
    centre = (0.0, -26.0, -46.0)
    box = canvas.box(centre, (58, 66, 48))
    x, y, z = canvas.offsets(box, centre)
    arc = np.sqrt((x / 47) ** 2 + (y / 56) ** 2)
    front = y < 22
    mandible = (np.abs(arc - 0.88) < 0.1) & front & (np.abs(z + 24 - 0.25 * y) < 13)
    canvas.paint(box, mandible, CORTICAL_BONE)
    canvas.paint(box, mandible & (np.abs(arc - 0.88) < 0.05), SPONGY_BONE)
    ramus = (np.abs(np.abs(x) - 45) < 4.5) & (np.abs(y - 26) < 13) & (np.abs(z - 12) < 32)
    canvas.paint(box, ramus, CORTICAL_BONE)
    palate = (arc < 0.72) & (y < 6) & (np.abs(z - 15) < 2)
    upper_jaw = (np.abs(arc - 0.72) < 0.1) & (y < -8) & (np.abs(z - 12) < 6)
    canvas.paint(box, palate | upper_jaw, CORTICAL_BONE)
    teeth = (np.abs(arc - 0.78) < 0.08) & (y < -10) & (np.abs(z + 2) < 8) & (fine[box] > -0.6)
    canvas.paint(box, teeth, TOOTH)


def _paint_spine(canvas: Canvas) -> None:
    """Vertebral bodies with discs, arches, cord."""
    centre = (0.0, 36.0, -75.0)
    box = canvas.box(centre, (30, 45, 65))
    x, y, z = canvas.offsets(box, centre)
    y = y - 0.0012 * (z - 10) ** 2
    level = np.mod(z, 17.0)
    body = (x / 13) ** 2 + (y / 10) ** 2
    canvas.paint(box, (body < 1) & (level >= 4.5), CORTICAL_BONE)
    canvas.paint(box, (body < 0.72) & (level >= 5.5) & (level < 16), SPONGY_BONE)
    canvas.paint(box, (body < 1) & (level < 4.5), DISC)
    arch = (x / 19) ** 2 + ((y - 20) / 15) ** 2
    canvas.paint(box, (np.abs(arch - 0.8) < 0.2) & (y > 8) & (level >= 4.5), CORTICAL_BONE)
    spine = (np.abs(x) < 3) & (np.abs(y - 40) < 9) & (np.abs(level - 11) < 4)
    canvas.paint(box, spine, CORTICAL_BONE)
    cord = (x / 7) ** 2 + ((y - 20) / 6) ** 2 < 1
    canvas.paint(box, cord, CORD)


def _paint_airway(canvas: Canvas, random: np.random.Generator) -> None:
    mucosa = Tissue(hu=48.0, suv=float(1.9 * np.exp(0.2 * random.standard_normal())))
    nasopharynx = _near(random, (0, -8, -4))
    canvas.ellipsoid(nasopharynx, (17, 15, 17), mucosa)
    canvas.ellipsoid(nasopharynx, (12, 11, 13), AIR)
    pharynx = _near(random, (0, 8, -55))
    canvas.ellipsoid(pharynx, (17, 11, 46), mucosa)
    canvas.ellipsoid(pharynx, (10, 6, 42), AIR)
    tongue = Tissue(hu=55.0, suv=1.2)
    canvas.ellipsoid(_near(random, (0, -32, -52)), (25, 34, 22), tongue)
    larynx = _near(random, (0, -4, -104))
    canvas.ellipsoid(larynx, (20, 17, 26), Tissue(hu=90.0, suv=1.6))
    canvas.ellipsoid(larynx, (8, 10, 30), AIR)


def _paint_glands(canvas: Canvas, random: np.random.Generator) -> None:
    """Salivary glands, tonsils and neck vessels of both sides."""
    parotid = Tissue(hu=-5.0, suv=float(2.0 * np.exp(0.3 * random.standard_normal())))
    submandibular = Tissue(hu=45.0, suv=float(2.3 * np.exp(0.25 * random.standard_normal())))
    tonsil = Tissue(hu=60.0, suv=float(3.0 * np.exp(0.25 * random.standard_normal())))
    for side in (-1, 1):
        canvas.ellipsoid(_near(random, (48 * side, 15, -24)), (9, 16, 22), parotid)
        canvas.ellipsoid(_near(random, (31 * side, -14, -66)), (9, 15, 11), submandibular)
        canvas.ellipsoid(_near(random, (17 * side, 0, -38)), (6, 8, 11), tonsil)
        canvas.ellipsoid(_near(random, (28 * side, 22, -70)), (4.5, 4.5, 60), VESSEL)
        canvas.ellipsoid(_near(random, (36 * side, 28, -70)), (6.5, 5.5, 60), VESSEL)


def _near(random: np.random.Generator, centre: Point) -> Point:
    x, y, z = (value + ANATOMICAL_SD * random.standard_normal() for value in centre)
    return float(x), float(y), float(z)
