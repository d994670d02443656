"""Times that look like months or years, where days are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mtsbench.metrics.censoring import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mtsbench.data import Outcomes

SHORT = DAYS_PER_YEAR / 2
SHORT_IF_FRACTIONS = 400.0  # days of follow-up; the longest cohorts in months reach about so far


def time_unit_warnings(outcomes: Outcomes) -> Iterator[str]:
    """A warning where nobody was followed for half a year.

    Or for 400 days where most times are no whole numbers, as months are that were made from days.
    """
    last = float(outcomes.time.max())
    fractions = float(np.mean(outcomes.time != np.round(outcomes.time)))
    if last < SHORT or (last < SHORT_IF_FRACTIONS and fractions > 0.5):
        yield (
            f"{outcomes.endpoint}: the last follow-up is day {last:g}, so the times look like "
            "months or years, and mtsbench takes days; if they are, multiply years by 365.25 and "
            "months by 30.4375 in the table. If they are days, nothing needs to be done, but "
            "what is scored at half-years (uno-c, auc, ibs, ipa) may be undefined"
        )
