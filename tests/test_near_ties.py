"""Every function that compares times gives the same for times that differ by rounding only."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import brier_score
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.chance import permutation_variance
from mtsbench.metrics.concordance import concordance, uno_c, uno_weight
from mtsbench.metrics.horizon_calibration import group_calibration
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.risk_groups import log_rank
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc

RANDOM = np.random.default_rng(0)
# Months, of which many are equal, as days: exact, and with noise in the last bits.
EXACT = RANDOM.integers(1, 20, 60) * 30.4375 / 7
NEARLY = EXACT + RANDOM.integers(-2, 3, 60) * np.spacing(EXACT)
EVENT = RANDOM.random(60) < 0.6
RISK = RANDOM.random(60)
DAY = 8 * 30.4375 / 7  # a day of events, and so are those of the curves
DAYS = np.arange(1, 20) * 30.4375 / 7
CURVES = np.exp(-np.exp(RISK)[:, None] * DAYS / 50)
FUNCTIONS = {
    "concordance": lambda time: concordance(RISK, time, EVENT).influence,
    "concordance by a day": lambda time: concordance(RISK, time, EVENT, tau=DAY).value,
    "uno_c": lambda time: uno_c(RISK, time, EVENT, tau=DAY).value,
    "uno_weight of another cohort's G": lambda time: uno_weight(
        time, censoring_distribution(EXACT, EVENT), event=EVENT
    ),
    "antolini_c": lambda time: antolini_c(CURVES, DAYS, time, EVENT, reading="step"),
    "antolini_c along lines": lambda time: antolini_c(CURVES, DAYS, time, EVENT, reading="linear"),
    "kaplan_meier": lambda time: kaplan_meier(time, EVENT).survival,
    "numbers at risk": lambda time: kaplan_meier(time, EVENT).numbers_at_risk(DAYS),
    "censoring_distribution": lambda time: censoring_distribution(time, EVENT).survival,
    "brier_score": lambda time: brier_score(CURVES[:, 7:8], DAYS[7:8], time, EVENT),
    "cumulative_dynamic_auc": lambda time: cumulative_dynamic_auc(RISK, DAY, time, EVENT),
    "log_rank": lambda time: log_rank(time, EVENT, RISK > 0.5).statistic,
    "group_calibration": lambda time: group_calibration(RISK, DAY, time, EVENT, groups=3).observed,
    "permutation_variance": lambda time: permutation_variance(RISK, time, EVENT),
    "bootstrap": lambda time: bootstrap_differences(
        (RISK, RISK**2 - RISK), time, EVENT, random=np.random.default_rng(1), samples=20
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_times_that_differ_by_rounding_only_change_nothing(function):
    assert len(np.unique(NEARLY)) > len(np.unique(EXACT))

    np.testing.assert_allclose(FUNCTIONS[function](NEARLY), FUNCTIONS[function](EXACT), rtol=1e-12)
