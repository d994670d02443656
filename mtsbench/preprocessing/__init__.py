"""From native volumes to what a model sees: one grid, one scale, learnt on training cases only.

`CaseCache` resamples every case once, in physical units, and learns nothing. `Preprocessing`
learns intensity statistics and the clinical encoding from training cases, and gives cohorts.
"""

from __future__ import annotations

from mtsbench.preprocessing.cache import CaseCache
from mtsbench.preprocessing.clinical import ClinicalEncoder
from mtsbench.preprocessing.cropping import CroppedCase
from mtsbench.preprocessing.fitted import Preprocessing
from mtsbench.preprocessing.resampling import native_probability
from mtsbench.preprocessing.settings import CentreRule, PreprocessingSettings

__all__ = [
    "CaseCache",
    "CentreRule",
    "ClinicalEncoder",
    "CroppedCase",
    "Preprocessing",
    "PreprocessingSettings",
    "native_probability",
]
