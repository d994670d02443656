"""Which voxels features are measured in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from mtsbench.errors import DataError
from mtsbench.volumes import Volume

if TYPE_CHECKING:
    from mtsbench.data import Case

FixedRegion = Literal["given", "suv-threshold"]
PET = "pet_suv"
SUV_THRESHOLD = 2.5


def region_of(case: Case, region: FixedRegion) -> Volume:
    """The region as a mask (D, H, W), 1 inside; it may be empty.

    - `given`: the mask that the case shows.
    - `suv-threshold`: the largest connected part of the PET at SUV 2.5 or more. Nothing tells
      tumour from brain, which is often hotter and larger: the rule that needs neither a mask nor
      a network, and as weak as that.

    Raises:
        DataError: The case shows no mask, or has no PET in SUV.
    """
    if region == "given":
        if case.mask is None:
            raise DataError(
                f"case {case.case_id!r} shows no tumour mask, but its features are those inside "
                "it; give the case a mask or use a model with another region"
            )
        return case.mask
    if PET not in case.images:
        raise DataError(
            f"case {case.case_id!r} has no channel {PET!r} to threshold, only "
            f"{', '.join(case.images) or 'no image'}; use a model with another region"
        )
    return largest_hot_part(case.images[PET], SUV_THRESHOLD)


def largest_hot_part(pet: Volume, threshold: float) -> Volume:
    """The largest part of voxels at the threshold or more that share faces; maybe empty."""
    from scipy import ndimage

    labels, count = ndimage.label(np.asarray(pet.array, np.float32) >= threshold)
    if not count:
        return Volume(array=np.zeros(pet.grid.size, np.uint8), grid=pet.grid)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return Volume(array=(labels == sizes.argmax()).astype(np.uint8), grid=pet.grid)
