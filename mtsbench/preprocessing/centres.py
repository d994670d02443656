"""Where a case is cropped: the rules that give the centre of the common grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.errors import DataError
from mtsbench.preprocessing.geometry import box_of, covering, intersection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mtsbench.data import Case
    from mtsbench.preprocessing.geometry import Point
    from mtsbench.preprocessing.settings import CentreRule

PET = "pet_suv"
HOT_VOLUME = 1000.0  # mm3


def crop_centre(case: Case, channels: Sequence[str], rule: CentreRule) -> Point:
    """Patient coordinates (x, y, z) mm of the crop's centre, by rule.

    - `tumour`: centroid of the true mask.
    - `field-of-view`: middle of the box that all channels share.
    - `pet-uptake`: the hottest large region, see `pet_uptake_centre`.

    Raises:
        DataError: The case has not what the rule needs.
    """
    if rule == "tumour":
        return _tumour_centre(case)
    shared = intersection([box_of(case.images[channel].grid) for channel in channels])
    if shared is None:
        raise DataError(
            f"case {case.case_id!r}: the channels {', '.join(channels)} share no volume in patient "
            "space; check that they are registered"
        )
    if rule == "pet-uptake":
        return pet_uptake_centre(case, shared)
    x, y, z = shared.mean(axis=0)
    return float(x), float(y), float(z)


def tumour_missing(case: Case) -> str | None:
    """Why the case has no tumour to centre on, or None if it has one."""
    if case.mask is None:
        return "no mask"
    return None if case.mask.array.any() else "an empty mask"


def pet_uptake_centre(case: Case, box: NDArray[np.float64]) -> Point:
    """Uptake-weighted centre of the largest hot region of the PET inside `box`.

    1. Only the PET voxels that reach into `box` (the volume shared by all channels) are looked
       at, so that a bladder outside the CT does not count.
    2. The robust maximum is the k-th highest of them, k the number of voxels that make up
       1 cm3 (rounded up): unlike a percentile it does not depend on how much air was scanned.
    3. Voxels above half the robust maximum form components of face neighbours (6-connectivity);
       the one with most voxels is taken (of equals, the first in array order).
    4. Its centre is the mean of its voxel positions weighted with their uptake.

    Brain, bladder and heart can be hotter and larger than a tumour: the rule suits fields of
    view in which the tumour dominates.

    Raises:
        DataError: There is no PET channel, or it has no uptake above zero in `box`.
    """
    from scipy.ndimage import label

    if PET not in case.images:
        raise DataError(
            f"case {case.case_id!r}: centre rule 'pet-uptake' needs the channel {PET!r}, found "
            f"{', '.join(case.images)}; use test_centre 'field-of-view'"
        )
    volume = case.images[PET]
    slices = covering(volume.grid, box)
    uptake = volume.array[slices].astype(np.float64)
    count = min(int(np.ceil(HOT_VOLUME / np.prod(volume.grid.spacing))), uptake.size)
    robust_maximum = np.partition(uptake, -count, axis=None)[-count]
    if robust_maximum <= 0:
        raise DataError(
            f"case {case.case_id!r}, channel {PET!r}: no cm3 with uptake > 0, so centre rule "
            "'pet-uptake' finds nothing; check the units or use test_centre 'field-of-view'"
        )
    components, _ = label(uptake > robust_maximum / 2)
    largest = 1 + int(np.argmax(np.bincount(components.ravel())[1:]))
    indices = np.argwhere(components == largest)
    weights = uptake[components == largest]
    d, h, w = np.average(indices, axis=0, weights=weights) + [part.start for part in slices]
    return volume.grid.to_patient((float(d), float(h), float(w)))


def _tumour_centre(case: Case) -> Point:
    missing = tumour_missing(case)
    if missing is not None or case.mask is None:
        raise DataError(
            f"case {case.case_id!r} has {missing}, so it cannot be centred on its tumour; "
            "use the rule 'field-of-view' or 'pet-uptake'"
        )
    d, h, w = np.argwhere(case.mask.array).mean(axis=0)
    return case.mask.grid.to_patient((float(d), float(h), float(w)))
