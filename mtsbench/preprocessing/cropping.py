"""One case cropped to the common grid, in physical units, with nothing learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError
from mtsbench.preprocessing.centres import crop_centre
from mtsbench.preprocessing.geometry import box_of, intersection, part_of
from mtsbench.preprocessing.resampling import common_grid, resample_image, resample_mask
from mtsbench.volumes import bounding_box

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mtsbench.data import Case, ClinicalValue
    from mtsbench.preprocessing.settings import CentreRule, PreprocessingSettings
    from mtsbench.volumes import Grid, Volume

AIR_HU = -1024.0


@dataclass(frozen=True, kw_only=True, eq=False)
class CroppedCase:
    """A case on the common grid, before anything is learnt.

    Attributes:
        images: float32 (C, D, H, W) in physical units (SUV, HU), in the dataset's channel order.
        mask: uint8 (1, D, H, W), 1 = tumour; None where the case has no mask.
        clinical: As the dataset gives it.
        grid: The crop's place in the patient.
    """

    case_id: str
    images: NDArray[np.float32]
    mask: NDArray[np.uint8] | None
    clinical: Mapping[str, ClinicalValue]
    grid: Grid


def crop(
    case: Case, channels: Sequence[str], rule: CentreRule, settings: PreprocessingSettings
) -> CroppedCase:
    """The case resampled to the common grid around the centre that `rule` finds.

    Outside an image its value is 0, for `ct_hu` -1024 (air).

    Raises:
        DataError: The case has not what `rule` needs; call `check_case` for all else.
    """
    # A table without images still has a grid, on which there is nothing.
    centre = crop_centre(case, channels, rule) if channels else (0.0, 0.0, 0.0)
    grid = common_grid(centre, settings)
    images = np.empty((len(channels), *settings.size), dtype=np.float32)
    for image, channel in zip(images, channels, strict=True):
        outside = AIR_HU if channel == "ct_hu" else 0.0
        image[...] = resample_image(case.images[channel], grid, outside=outside)
    return CroppedCase(
        case_id=case.case_id,
        images=images,
        mask=None if case.mask is None else resample_mask(case.mask, grid)[None],
        clinical=case.clinical,
        grid=grid,
    )


def check_case(case: Case, channels: Sequence[str]) -> None:
    """Refuse a case that would give a silently wrong crop.

    Raises:
        DataError: A channel is missing or holds NaN or Inf, the mask holds anything but 0 and 1,
            or a channel or the tumour lies beside the other channels; names case and channel.
    """
    for channel in channels:
        if channel not in case.images:
            raise DataError(
                f"case {case.case_id!r}, channel {channel!r}: missing; the case has "
                f"{', '.join(case.images) or 'no image'}. Give every case all channels"
            )
        broken = np.count_nonzero(~np.isfinite(case.images[channel].array))
        if broken:
            raise DataError(
                f"case {case.case_id!r}, channel {channel!r}: {broken} voxels are NaN or Inf; "
                "expected finite values. Repair or exclude the case"
            )
    if not channels:
        return
    shared = box_of(case.images[channels[0]].grid)
    for channel in channels[1:]:
        shared = _overlap(case.case_id, channel, shared, case.images[channel].grid)
    if case.mask is not None:
        _check_mask_values(case.case_id, case.mask)
        _overlap(case.case_id, "mask", shared, _tumour_grid(case.mask))


def _overlap(
    case_id: str, channel: str, shared: NDArray[np.float64], grid: Grid
) -> NDArray[np.float64]:
    """What `shared` and the box of `grid` have in common."""
    box = box_of(grid)
    common = intersection([shared, box])
    if common is None:
        raise DataError(
            f"case {case_id!r}, channel {channel!r}: no overlap with the channels before it; it "
            f"spans (x, y, z) {_span(box)} mm, they share {_span(shared)} mm. "
            "Check that the volumes are registered and their headers right"
        )
    return common


def _span(box: NDArray[np.float64]) -> str:
    return ", ".join(f"{low:.0f}..{high:.0f}" for low, high in box.T)


def _check_mask_values(case_id: str, mask: Volume) -> None:
    others = mask.array[(mask.array != 0) & (mask.array != 1)]
    if others.size:
        raise DataError(
            f"case {case_id!r}, channel 'mask': {others.size} voxels hold {others[0]:g} or another "
            "value; expected 0 and 1 = tumour. Choose the tumour's labels when loading the case"
        )


def _tumour_grid(mask: Volume) -> Grid:
    """The part of the mask's grid that bounds the tumour; all of it for an empty mask."""
    if not mask.array.any():
        return mask.grid
    return part_of(mask.grid, bounding_box(mask.array))
