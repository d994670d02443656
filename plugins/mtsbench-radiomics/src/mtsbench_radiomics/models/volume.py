"""The size of the tumour, the plainest image feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench_radiomics.features.regions import FixedRegion, region_of
from mtsbench_radiomics.features.table import FeatureTable

if TYPE_CHECKING:
    from mtsbench.data import Cohort

LOG_VOLUME = "log_volume_ml"


def tumour_volume(cohort: Cohort, region: FixedRegion) -> FeatureTable:
    """Natural logarithm of the volume of each region in ml.

    An empty region gives a missing value: a tumour that was not found is not a small one.

    Raises:
        DataError: A case lacks what the region is taken from.
    """
    values = np.full((len(cohort), 1), np.nan)
    reasons: dict[str, str] = {}
    for row, case_id in enumerate(cohort.case_ids):
        mask = region_of(cohort.read_native(case_id), region)
        voxels = np.count_nonzero(mask.array)
        if voxels:
            values[row, 0] = np.log(voxels * np.prod(mask.grid.spacing) / 1000)
        else:
            reasons[case_id] = "the tumour region is empty, so it has no volume"
    return FeatureTable(
        case_ids=cohort.case_ids, names=(LOG_VOLUME,), values=values, reasons=reasons
    )
