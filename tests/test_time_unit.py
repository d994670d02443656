"""Field case T4: follow-up in years or months, where days are meant."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.data import Outcomes
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.survival import follow_up
from mtsbench.time_unit import time_unit_warnings

RNG = np.random.default_rng(7)
YEARS = np.round(RNG.uniform(0.1, 7, 60), 1)


def outcomes(time) -> Outcomes:
    return Outcomes(
        endpoint="os",
        case_ids=tuple(f"P{row:02}" for row in range(len(time))),
        time=np.array(time, np.float64),
        event=np.arange(len(time)) % 2 == 0,
    )


@pytest.mark.parametrize(
    "time",
    [YEARS, YEARS * 12, np.round(YEARS * 12), YEARS * 40 + 0.3, [1.0, 100.0]],
    ids=["years", "months", "whole months", "months of a long cohort", "100 days"],
)
def test_times_that_look_like_years_or_months_are_told(time):
    (told,) = time_unit_warnings(outcomes(time))

    assert told.startswith(
        f"os: the last follow-up is day {max(time):g}, so the times look like mon"
    )
    assert "multiply years by 365.25 and months by 30.4375 in the table" in told


@pytest.mark.parametrize(
    "time",
    [
        np.round(YEARS * 365.25),
        YEARS * 365.25,
        YEARS * 12 * 30.4375,
        [20.0, 183.0],
        np.arange(1.0, 366.0),
    ],
    ids=["days", "from years", "from months", "half a year", "a year in whole days"],
)
def test_days_are_taken_without_a_word(time):
    assert list(time_unit_warnings(outcomes(time))) == []


def test_after_the_advice_there_is_a_half_year():
    assert follow_up(outcomes(YEARS * 365.25)).tau > 182


def test_the_reason_of_an_undefined_score_names_the_unit_and_the_last_day():
    with pytest.raises(
        UndefinedMetricError,
        match=rf"no half-year has .*; the last follow-up is day {YEARS.max():g}\. Times must be "
        "days: multiply years by 365.25 and months by 30.4375",
    ):
        follow_up(outcomes(YEARS))
