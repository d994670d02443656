"""Kaplan-Meier, log-rank, hazard ratios and restricted means against R."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from golden_values import DATASETS, FITTED, near, patients, read
from lifelines import CoxPHFitter

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.calibration import calibration_slope
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.risk_groups import hazard_ratio, log_rank

BASICS = read("survival_basics")


@pytest.mark.parametrize("name", DATASETS)
def test_kaplan_meier_is_that_of_r(name):
    expected = BASICS[name]
    _, time, event = patients(name)

    found = kaplan_meier(time, event)

    near(found.time, expected["km"]["time"])
    near(found.at_risk, expected["km"]["n_risk"])
    near(found.events, expected["km"]["n_event"])
    near(found.survival, expected["km"]["surv"])
    errors = [
        np.inf if value in (None, "Inf") else value
        for value in expected["km"]["std_err_cumhaz_scale"]
    ]
    near(found.error, errors)
    days, at = expected["times"], expected["km_at_times"]
    near(found.at(days), at["surv"])
    near(found.interval(days), [at["lower_log"], at["upper_log"]])
    near(found.standard_error(days), at["se_surv"])
    near(found.median(), expected["median_survival"])


@pytest.mark.parametrize("name", DATASETS)
def test_reverse_kaplan_meier_is_that_of_r(name):
    expected = BASICS[name]
    _, time, event = patients(name)

    found = kaplan_meier(time, ~event)

    near(found.survival, expected["censoring_km"]["surv"])
    if expected["reverse_km_median_followup"] is None:
        with pytest.raises(UndefinedMetricError, match="fewer than half the patients"):
            found.median()
    else:
        near(found.median(), expected["reverse_km_median_followup"])


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize(
    ("test", "group", "stratified"),
    [
        ("logrank_median_split", "high_risk_median_split_all_data", False),
        ("logrank_tertiles", "tertiles_all_data", False),
        ("logrank_train_fold_cut", "high_risk_train_fold_cut", False),
        ("logrank_train_fold_cut_stratified_by_fold", "high_risk_train_fold_cut", True),
    ],
)
def test_log_rank_is_that_of_r(name, test, group, stratified):
    expected = BASICS[name][test]
    data, time, event = patients(name)

    found = log_rank(
        time, event, np.array(BASICS[name][group]), strata=data["fold_r1"] if stratified else None
    )

    near(found.statistic, expected["chisq"])
    assert found.freedom == expected["df"]
    near(found.p, expected["p"])


@pytest.mark.parametrize("name", DATASETS)
def test_hazard_ratio_and_calibration_slope_are_those_of_r(name):
    expected = BASICS[name]
    data, time, event = patients(name)
    high = np.array(expected["high_risk_train_fold_cut"]) == 1

    found = hazard_ratio(time, event, high)
    slope = calibration_slope(data["oof_lpB_r1"], time, event)

    efron = expected["hr_train_fold_cut_efron"]
    near(
        [found.value, *found.interval, found.p],
        [efron["hr"], *efron["ci95"], efron["wald_p"]],
        FITTED,
    )
    breslow = hazard_ratio(time, event, high, ties="breslow").value
    near(breslow, expected["hr_train_fold_cut_breslow"]["hr"], FITTED)
    golden = expected["calibration_slope_oof_lpB"]
    near([*slope.coefficient, *slope.standard_error], [golden["slope"], golden["se"]], FITTED)


@pytest.mark.filterwarnings("ignore")  # lifelines' use of pandas
@pytest.mark.parametrize("name", DATASETS)
def test_the_hazard_ratio_stratified_by_fold_is_that_of_lifelines(name):
    data, time, event = patients(name)
    high = np.array(BASICS[name]["high_risk_train_fold_cut"]) == 1
    rows = pd.DataFrame({"high": high * 1.0, "fold": data["fold_r1"], "t": time, "e": event})
    fit = CoxPHFitter().fit(rows, "t", "e", strata=["fold"], fit_options={"precision": 1e-12})

    found = hazard_ratio(time, event, high, strata=data["fold_r1"])

    expected = fit.summary.loc["high"]
    near(found.value, expected["exp(coef)"], FITTED)
    limits = ["exp(coef) lower 95%", "exp(coef) upper 95%"]
    near(found.interval, expected[limits].tolist(), FITTED)
    near(found.p, expected["p"], FITTED)
    assert found.value != pytest.approx(hazard_ratio(time, event, high).value, rel=1e-3)


@pytest.mark.parametrize("name", DATASETS)
def test_restricted_mean_survival_is_that_of_r(name):
    expected = BASICS[name]["rmst"]
    _, time, event = patients(name)
    high = np.array(BASICS[name]["high_risk_train_fold_cut"]) == 1
    groups = [kaplan_meier(time[rows], event[rows]) for rows in (~high, high)]

    found = kaplan_meier(time, event).restricted_mean(expected["tau"])
    by_group = np.array([group.restricted_mean(expected["tau"]) for group in groups])

    near(found, [expected["all"], expected["se_all"]])
    near(by_group.T, [expected["by_group"], expected["se_by_group"]])
