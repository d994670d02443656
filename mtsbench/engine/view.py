"""What of a cohort a composition's networks see: some channels, or the tumour region alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mtsbench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mtsbench.composition import Composition, Region
    from mtsbench.data import Cohort, PreparedCase


def seen_by(composition: Composition, cohort: Cohort) -> Cohort:
    """The cohort with the channels and the region of the composition.

    Raises:
        DataError: The cohort lacks a channel; or, when a case is read, the region is the tumour
            and the case shows no mask.
    """
    wanted = composition.channels
    if wanted is None and composition.region == "whole":
        return cohort
    channels = cohort.channels if wanted is None else wanted
    missing = [channel for channel in channels if channel not in cohort.channels]
    if missing:
        raise DataError(
            f"the model sees channel {missing[0]!r}, but the cohort has only "
            f"{', '.join(cohort.channels) or 'no image'}; use a dataset with this channel"
        )
    rows = tuple(cohort.channels.index(channel) for channel in channels)
    reader = _ViewReader(read=cohort.read, rows=rows, region=composition.region)
    return replace(cohort, channels=channels, read=reader)


@dataclass(frozen=True, kw_only=True)
class _ViewReader:
    read: Callable[[str], PreparedCase]
    rows: tuple[int, ...]
    region: Region

    def __call__(self, case_id: str) -> PreparedCase:
        case = self.read(case_id)
        image = case.image[list(self.rows)]
        if self.region == "tumour":
            if case.mask is None:
                raise DataError(
                    f"case {case_id!r} shows no tumour mask, but the model sees the tumour region "
                    "only; give the case a mask or use a model of the whole region"
                )
            image *= case.mask  # outside the tumour every channel is 0, its mean after z-scoring
        return replace(case, image=image)
