"""Random rotation, translation and left-right flip in one resampling pass on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from mtsbench.engine.batches import Batch, to_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.composition import TrainingSettings


def draw_transforms(
    count: int, settings: TrainingSettings, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Affine maps (N, 3, 4) in mm about the image centre, from output to input, axes (x, y, z).

    Three rotations, one about each axis, then a shift along each axis, then a flip of the
    left-right axis x. The published code resamples three times, once per rotation; one combined
    map blurs less and is otherwise the same family of transforms.
    """
    transforms = np.zeros((count, 3, 4))
    for row in range(count):
        angles = np.deg2rad(generator.uniform(-settings.rotation, settings.rotation, size=3))
        if settings.translation_mode == "choice":
            shift = settings.translation * generator.choice([-1.0, 1.0], size=3)
        else:
            shift = generator.uniform(-settings.translation, settings.translation, size=3)
        matrix = _rotation(angles)
        if generator.random() < settings.flip:
            matrix = matrix @ np.diag([-1.0, 1.0, 1.0])
        transforms[row, :, :3] = matrix
        transforms[row, :, 3] = shift
    return transforms


def augment(
    batch: Batch,
    transforms: NDArray[np.float64],
    spacing: tuple[float, float, float],
    mask_threshold: float,
) -> Batch:
    """Resample image (linear, 0 outside, as published) and mask (linear, re-binarised).

    Args:
        batch: Images (B, C, D, H, W).
        transforms: (B, 3, 4) as `draw_transforms` gives them.
        spacing: mm (D, H, W).
        mask_threshold: An interpolated mask value above this is tumour.
    """
    count, channels, *size = batch.image.shape
    if not channels:  # a table without images
        return batch
    # grid_sample measures in half extents: x runs from -1 to 1 over the width.
    extent = np.array([n * s / 2 for n, s in zip(size, spacing, strict=True)])[::-1]
    theta = transforms.copy()
    theta[:, :, :3] *= extent[None, None, :] / extent[None, :, None]
    theta[:, :, 3] /= extent
    grid = functional.affine_grid(
        to_device(theta.astype(np.float32), batch.image.device),
        [count, channels, *size],
        align_corners=False,
    )
    stack = batch.image if batch.mask is None else torch.cat([batch.image, batch.mask], dim=1)
    moved = functional.grid_sample(stack, grid, align_corners=False)
    mask = None if batch.mask is None else (moved[:, channels:] > mask_threshold).float()
    return Batch(image=moved[:, :channels], clinical=batch.clinical, mask=mask)


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    product: NDArray[np.float64] = about_z @ about_y @ about_x
    return product
