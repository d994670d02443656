"""Radiomics features of a cohort as a table."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from mtsbench_radiomics.features.extraction import CaseFeatures, extract_case
from mtsbench_radiomics.features.feature_cache import cached
from mtsbench_radiomics.features.regions import FixedRegion, region_of
from mtsbench_radiomics.features.table import FeatureTable

if TYPE_CHECKING:
    from mtsbench.data import Cohort
    from mtsbench_radiomics.features.settings import RadiomicsSettings


def extract_cohort(
    cohort: Cohort, region: FixedRegion, settings: RadiomicsSettings
) -> FeatureTable:
    """Features of every case, in the cohort's order; as many cases at once as there are cores.

    A feature that is not defined for a case is NaN and the reason is told.

    Raises:
        DataError: A case cannot be read or lacks what region or settings need.
    """

    def features(case_id: str) -> CaseFeatures:
        case = cohort.read_native(case_id)
        mask = region_of(case, region)
        return cached(cohort.cache_folder, case, mask, settings, extract_case)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        found = list(pool.map(features, cohort.case_ids))
    names = sorted({name for one in found for name in one.values})
    values = np.array([[one.values.get(name, np.nan) for name in names] for one in found])
    return FeatureTable(
        case_ids=cohort.case_ids,
        names=tuple(names),
        values=values.reshape(len(found), len(names)),
        reasons={
            case_id: one.reason
            for case_id, one in zip(cohort.case_ids, found, strict=True)
            if one.reason is not None
        },
    )
