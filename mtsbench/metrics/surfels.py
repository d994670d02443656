"""Areas of the surface elements of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.volumes import bounding_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A surface element lies amid 2 x 2 x 2 voxels. Its code has bit 128 where the first of them is in
# the mask, ..., bit 1 where the last is; a code and its complement have the same surface. The
# letter of each of the first 128 codes says which triangles the marching cubes algorithm puts
# there; a triangle is written as its absolute normal in eighths, at a spacing of 1 mm.
# Source: lookup_tables.py of DeepMind's surface-distance (Apache-2.0).
LETTERS = (
    "abbhbgfpbfgphppibdflfjmwfknsotxpbfdlfnksfmjwoxtphlleoyulouylAooh"
    "bffodjktfmnxlwspgjnyjcqjnqznyjngfmkukqrkmvqmumkfpwsltjkdxmnfoffb"
)
TRIANGLES = {
    "a": "",
    "b": "111",
    "c": "004 004",
    "d": "022 022",
    "e": "040 040",
    "f": "111 111",
    "g": "202 202",
    "h": "220 220",
    "i": "400 400",
    "j": "004 111 222",
    "k": "022 022 111",
    "l": "040 111 222",
    "m": "111 111 111",
    "n": "111 202 202",
    "o": "111 220 220",
    "p": "111 222 400",
    "q": "004 111 111 222",
    "r": "022 022 022 022",
    "s": "022 111 202 333",
    "t": "022 111 220 333",
    "u": "040 111 111 222",
    "v": "111 111 111 111",
    "w": "111 111 222 222",
    "x": "111 111 222 400",
    "y": "111 202 220 333",
    "z": "202 202 202 202",
    "A": "220 220 220 220",
}


def surfel_areas(
    mask: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places and areas of the surface elements of a mask that is not empty.

    Args:
        mask: (D, H, W).
        spacing: mm along (D, H, W).

    Returns:
        (S, 3) mm, all shifted by the same half voxel, and (S,) mm^2.
    """
    box = bounding_box(mask)
    padded = np.pad(mask[box], 1)
    shape = tuple(size - 1 for size in padded.shape)
    code = np.zeros(shape, dtype=np.uint8)
    for bit, corner in enumerate(np.ndindex(2, 2, 2)):
        place = tuple(slice(at, at + size) for at, size in zip(corner, shape, strict=True))
        voxel = padded[place]
        code |= voxel.astype(np.uint8) << (7 - bit)
    places = np.argwhere((code != 0) & (code != 255))
    areas = area_of_code(spacing)[code[tuple(places.T)]]
    return (places + [edge.start for edge in box]) * spacing, areas


def area_of_code(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """(256,) mm^2 of the surface amid eight voxels of each code."""
    depth, height, width = spacing
    face = np.array([height * width, depth * width, depth * height])
    area = {
        letter: sum(
            float(np.linalg.norm(np.array([int(digit) / 8 for digit in normal]) * face))
            for normal in triangles.split()
        )
        for letter, triangles in TRIANGLES.items()
    }
    half = [area[letter] for letter in LETTERS]
    return np.array(half + half[::-1])
