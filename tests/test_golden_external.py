"""Brier scores, AUC and calibration of an external cohort against R and SurvivalEVAL."""

from __future__ import annotations

import numpy as np
import pytest
from golden_values import FITTED, near, patients, read, table

from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import brier_score, integrate, integrated_brier_score
from mtsbench.metrics.calibration import calibration_slope, d_calibration, km_calibration
from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.horizon_calibration import (
    KNOTS,
    group_calibration,
    observed_to_expected,
    smooth_calibration,
)
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc

EXTERNAL = read("external_gbsg")
OTHERS = read("python_reference")["external_gbsg"]


def predicted(model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data, time, event = patients("gbsg_external")
    return np.stack([data[f"S{model}_t{k}"] for k in range(1, 6)], axis=1), time, event


@pytest.mark.parametrize("model", ["A", "B"])
def test_brier_and_auc_are_those_of_riskregression(model):
    survival, time, event = predicted(model)
    days = np.array(EXTERNAL["times"])

    brier = brier_score(survival, days, time, event)
    auc = [cumulative_dynamic_auc(1 - survival[:, k], days[k], time, event) for k in range(5)]

    def golden(metric: str, value: str) -> list[float]:
        rows = EXTERNAL["riskRegression"][metric]
        return [row[value] for row in rows if row["model"] == model]

    near(brier, golden("Brier", "Brier"))
    near(auc, golden("AUC", "AUC"))
    near(brier, OTHERS[model]["brier_SurvivalEVAL"])
    near(auc, OTHERS[model]["auc_SurvivalEVAL"])
    nothing = np.broadcast_to(kaplan_meier(time, event).at(days), survival.shape)
    null = [row for row in EXTERNAL["riskRegression"]["Brier"] if row["model"] == "Null model"]
    near(brier_score(nothing, days, time, event), [row["Brier"] for row in null])
    near(1 - brier / brier_score(nothing, days, time, event), golden("Brier", "IPA"))


def test_the_brier_curve_is_that_of_pec():
    _, time, event = patients("gbsg_external")
    days = np.array(EXTERNAL["pec"]["grid"])
    survival = np.stack(list(table("gbsg_external_gridB").values()), axis=1)
    nothing = np.broadcast_to(kaplan_meier(time, event).at(days), survival.shape)
    curve = brier_score(survival, days, time, event)

    near(curve, EXTERNAL["pec"]["AppErr"]["B"])
    near(brier_score(nothing, days, time, event), EXTERNAL["pec"]["AppErr"]["Reference"])
    near(integrated_brier_score(survival, days, time, event), OTHERS["ibs_gridB"]["trapezoid"])
    left_step = (curve[:-1] * np.diff(days)).sum() / days[-1]
    near(left_step, EXTERNAL["pec"]["crps"]["B"])  # pec sums left steps: not our integral
    assert abs(left_step - float(integrate(curve, days))) > 0.005


@pytest.mark.parametrize("model", ["A", "B"])
def test_smooth_calibration_is_that_of_r(model):
    survival, time, event = predicted(model)
    expected = EXTERNAL["calibration"][model]["rcs3"]

    found = smooth_calibration(1 - survival[:, 4], EXTERNAL["calibration"]["t0"], time, event)

    near(
        [found.ici, found.e50, found.e90, found.largest],
        [expected[name] for name in ("ICI", "E50", "E90", "Emax")],
        FITTED,
    )


@pytest.mark.parametrize("model", ["A", "B"])
def test_calibration_in_the_large_and_slope_are_those_of_r(model):
    survival, time, event = predicted(model)
    expected = EXTERNAL["calibration"]["mean_calibration"][model]
    data = table("gbsg_external")

    ratios = [
        observed_to_expected(1 - survival[:, k], day, time, event)
        for k, day in enumerate(EXTERNAL["times"])
    ]
    slope = calibration_slope(data[f"lp{model}"], time, event)

    near(ratios, expected["O_E"])
    near((1 - survival).mean(axis=0), expected["expected_risk"])
    assert list(KNOTS) == EXTERNAL["calibration"]["rcs_knots_quantiles"]
    assert (len(time), event.sum()) == (EXTERNAL["n"], EXTERNAL["events"])
    near(1 - kaplan_meier(time, event).at(EXTERNAL["times"]), expected["observed_risk"])
    golden = EXTERNAL["calibration"]["slope"][model]
    near([*slope.coefficient, *slope.standard_error], [golden["slope"], golden["se"]], FITTED)


def test_calibration_of_deciles_is_that_of_r():
    survival, time, event = predicted("B")
    risk = 1 - survival[:, 4]
    rank = np.argsort(np.argsort(risk, kind="stable"), kind="stable") + 1
    deciles = np.searchsorted(np.quantile(np.arange(1, len(risk) + 1), np.arange(1, 11) / 10), rank)

    found = group_calibration(risk, EXTERNAL["calibration"]["t0"], time, event, groups=deciles)

    near(
        np.stack([found.size, found.predicted, found.observed], axis=1),
        EXTERNAL["calibration"]["deciles_B"],
    )


def test_one_calibration_is_that_of_survivaleval():
    # Model A has equal predictions across the borders of groups: its value depends on the order
    # of the cases in every library, so only B, whose predictions differ, is compared.
    survival, time, event = predicted("B")
    expected = OTHERS["B"]["one_calibration_SurvivalEVAL"]

    found = group_calibration(1 - survival[:, 4], EXTERNAL["times"][4], time, event)

    near(found.observed[::-1], expected["observed"])
    near(found.predicted[::-1], expected["expected"])
    near(found.dagostino_nam(), [expected["original"]["stat"], expected["original"]["p"]])
    near(found.greenwood(), [expected["greenwood"]["stat"], expected["greenwood"]["p"]])


def test_non_proportional_curves_score_as_in_survivaleval():
    expected = read("python_reference")["veteran_stratcox"]
    data, time, event = patients("veteran_stratcox_curves")
    days = np.array([float(name[2:]) for name in data if name.startswith("S_")])
    survival = np.stack([data[name] for name in data if name.startswith("S_")], axis=1)
    own = np.diag(survival_at(time, survival, days, reading="step"))

    uniform = d_calibration(own, event)

    near(
        antolini_c(survival, days, time, event, reading="step"),
        expected["antolini_definition"],
    )
    near([uniform.statistic, uniform.p], expected["d_calibration"]["SurvivalEVAL"])
    near(uniform.counts, expected["d_calibration"]["hist"])
    # SurvivalEVAL joins the points of every curve by straight lines.
    near(
        km_calibration(survival, days, time, event, reading="linear"),
        expected["km_calibration_SurvivalEVAL"],
    )
