"""What the user may choose about preprocessing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from mtsbench.errors import OptionError
from mtsbench.options import UNSAID

CentreRule = Literal["tumour", "field-of-view", "pet-uptake"]
TestCentre = Literal["field-of-view", "pet-uptake", "mask"]
Storage = Literal["float32", "float16"]


@dataclass(frozen=True, kw_only=True)
class PreprocessingSettings:
    """The common grid and the fixed intensity window.

    Attributes:
        size: Voxels along (D, H, W).
        spacing: mm between voxel centres along (D, H, W).
        test_centre: What a held-out case is cropped around. `mask` uses its true mask, which no
            new patient has: such a result is not a fully automatic one.
        ct_window: HU that become -1 and 1; values beyond are clipped.
        storage: What the cache keeps. `float16` halves its size: `ct_hu` is rounded to whole HU
            (int16), every other channel to 11 significant bits, so results change a little.

    Raises:
        OptionError: A size or spacing is not positive, the window is empty, or the rule or
            storage unknown.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    test_centre: TestCentre = "field-of-view"
    ct_window: tuple[float, float] = (-1024.0, 1024.0)
    storage: Storage = field(default="float32", metadata=UNSAID)

    def __post_init__(self) -> None:
        if len(self.size) != 3 or not all(count > 0 for count in self.size):
            raise OptionError(f"size must be three voxel counts > 0 (D, H, W), got {self.size}")
        if len(self.spacing) != 3 or not all(0 < step < math.inf for step in self.spacing):
            raise OptionError(f"spacing must be three mm > 0 (D, H, W), got {self.spacing}")
        if len(self.ct_window) != 2 or not (
            -math.inf < self.ct_window[0] < self.ct_window[1] < math.inf
        ):
            raise OptionError(f"ct_window must be (low, high) HU, low < high, got {self.ct_window}")
        if self.test_centre not in get_args(TestCentre):
            raise OptionError(
                f"test_centre must be one of {', '.join(get_args(TestCentre))}, "
                f"got {self.test_centre!r}"
            )
        if self.storage not in get_args(Storage):
            raise OptionError(
                f"storage must be one of {', '.join(get_args(Storage))}, got {self.storage!r}"
            )

    @property
    def test_rule(self) -> CentreRule:
        """The rule that `test_centre` stands for."""
        return "tumour" if self.test_centre == "mask" else self.test_centre
