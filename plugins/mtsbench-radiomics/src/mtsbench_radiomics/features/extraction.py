"""Radiomics features of one case, by flash-radiomics."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError
from mtsbench.preprocessing.resampling import resample_image, resample_mask
from mtsbench.volumes import Grid, Volume, to_sitk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import Case
    from mtsbench_radiomics.features.settings import RadiomicsSettings


# Shape features for which flash-radiomics gives NaN unless trimesh is installed.
NEED_TRIMESH = frozenset(
    {"AreaDensityAABB", "AreaDensityConvexHull", "VolumeDensityAABB", "VolumeDensityConvexHull"}
)


@dataclass(frozen=True, kw_only=True)
class CaseFeatures:
    """Features of one case, or why there are none.

    Attributes:
        values: Name such as `pet_suv.original.glcm.JointEntropy` or `shape.MeshVolume` to value;
            one that is not defined for this region is not among them.
        reason: Why values are missing; None if none is.
    """

    values: Mapping[str, float]
    reason: str | None


def extract_case(case: Case, mask: Volume, settings: RadiomicsSettings) -> CaseFeatures:
    """Every feature of a region of a case.

    Images and mask are carried to one isotropic grid round the region. Voxels of the region that
    an image does not reach (a tumour at the end of the CT) are left out for all channels.

    Differences of flash-radiomics 1.0.0 from pyradiomics' reference tables: kurtosis is the excess
    kurtosis (3 less); energy, total energy and root mean square are of the values themselves,
    while the tables were made after adding 2000 (`voxelArrayShift`). From IBSI's: the axis lengths
    divide by N voxels instead of N - 1.

    Raises:
        DataError: The case lacks a channel that the settings name, or the region lies outside
            the images.
    """
    if not mask.array.any():
        return CaseFeatures(values={}, reason="the region is empty, so it has no features")
    grid = isotropic_grid(mask, settings.interpolation.spacing, settings.interpolation.margin)
    images = {channel: _image(case, channel, grid) for channel in settings.discretisation}
    region = resample_mask(mask, grid) > 0
    reached = region & np.logical_and.reduce([np.isfinite(image) for image in images.values()])
    if region.any() and not reached.any():
        raise DataError(
            f"case {case.case_id!r}: the region lies outside {' or '.join(images)}; check that "
            "mask and images are registered"
        )
    if np.count_nonzero(reached) < 2:
        return CaseFeatures(
            values={}, reason="the region has fewer than 2 voxels, too few for features"
        )
    inside = Volume(array=reached.astype(np.uint8), grid=grid)
    values: dict[str, float] = {}
    for number, (channel, width) in enumerate(settings.discretisation.items()):
        # What lies outside the image is looked at by filters only.
        filled = np.nan_to_num(images[channel], nan=float(images[channel][reached].min()))
        image = Volume(array=filled.astype(np.float32), grid=grid)
        with_shape = settings.classes.shape and number == 0
        try:
            found = measure(image, inside, width, settings, with_shape=with_shape)
        except ValueError as error:
            return CaseFeatures(values={}, reason=f"flash-radiomics: {error}")
        values.update(_named(found, channel))
    defined = {name: value for name, value in values.items() if math.isfinite(value)}
    undefined = sorted(set(values) - set(defined))
    reason = f"not defined for this region: {', '.join(undefined)}" if undefined else None
    return CaseFeatures(values=defined, reason=reason)


def isotropic_grid(mask: Volume, spacing: float, margin: float) -> Grid:
    """The grid along the patient axes that holds the mask's voxels and a margin, both in mm.

    One of its points is the mask's lowest voxel centre, so that a mask of the same spacing keeps
    its voxels and its volume.
    """
    indices = np.argwhere(mask.array)
    corners = [
        mask.grid.to_patient((float(d), float(h), float(w)))
        for d in (indices[:, 0].min(), indices[:, 0].max())
        for h in (indices[:, 1].min(), indices[:, 1].max())
        for w in (indices[:, 2].min(), indices[:, 2].max())
    ]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    steps = math.ceil(margin / spacing) + 1
    start = low - steps * spacing
    count = np.ceil((high - low) / spacing).astype(int) + 1 + 2 * steps
    width, height, depth = (int(n) for n in count)
    return Grid(
        size=(depth, height, width),
        spacing=(spacing,) * 3,
        origin=(float(start[0]), float(start[1]), float(start[2])),
    )


def measure(
    image: Volume, mask: Volume, bin_width: float, settings: RadiomicsSettings, *, with_shape: bool
) -> Mapping[str, float]:
    """Features as flash-radiomics names them, of an image and a mask on the same grid.

    Raises:
        ValueError: The region is one that flash-radiomics refuses, e.g. a line of voxels.
    """
    from flash_radiomics import RadiomicsFeatureExtractor

    # Importing it sets up a handler that tells every step on the terminal.
    logging.getLogger("flash_radiomics").setLevel(logging.ERROR)
    # Set one by one: its check of a whole configuration parses a schema, which cannot be done
    # by several threads at once.
    extractor = RadiomicsFeatureExtractor(
        backend="cpu", num_threads=1, binWidth=bin_width, label=1, additionalInfo=False
    )
    extractor.enableImageTypeByName("Wavelet", settings.filters.wavelet)
    if settings.filters.log_sigma:
        sigma = {"sigma": list(settings.filters.log_sigma)}
        extractor.enableImageTypeByName("LoG", customArgs=sigma)
    extractor.disableAllFeatures()
    for name in (*settings.classes.intensity, *(["shape"] if with_shape else [])):
        extractor.enableFeatureClassByName(name)
    with tempfile.TemporaryDirectory(prefix="mtsbench-radiomics-") as folder:
        # It cannot be told not to write what it also returns.
        found = extractor.execute(
            to_sitk(image), to_sitk(mask), output_hdf5_path=str(Path(folder) / "features.h5")
        )
    return {name: float(value) for name, value in found.items()}


def _image(case: Case, channel: str, grid: Grid) -> NDArray[np.float32]:
    """The channel on the grid, NaN where it does not reach."""
    if channel not in case.images:
        raise DataError(
            f"case {case.case_id!r} has no channel {channel!r}, only "
            f"{', '.join(case.images) or 'no image'}; the radiomics settings name it"
        )
    return resample_image(case.images[channel], grid, outside=math.nan)


def _named(found: Mapping[str, float], channel: str) -> dict[str, float]:
    """`original_shape_X` to `shape.X`, `wavelet-LLH_glcm_X` to `CHANNEL.wavelet-LLH.glcm.X`."""
    named = {}
    for name, value in found.items():
        image, family, feature = name.split("_", 2)
        if image.startswith("diagnostics") or feature in NEED_TRIMESH:
            continue
        prefix = "shape" if family == "shape" else f"{channel}.{image}.{family}"
        named[f"{prefix}.{feature}"] = value
    return named
