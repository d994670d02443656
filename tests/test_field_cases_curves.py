"""Cases from public bug reports: ties, near ties, curves that fall in steps, shapes.

The right values are those of R's `survival`; the README beside them says where each comes from.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mtsbench.data import Outcomes, Predictions
from mtsbench.engine.baseline import BreslowBaseline
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.brier import brier_score, prediction_accuracy_index
from mtsbench.metrics.calibration import km_calibration
from mtsbench.metrics.censoring import choose_horizon, choose_tau, evaluation_grid
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.curves import predicted_survival
from mtsbench.metrics.horizon_calibration import observed_to_expected
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.proportional_hazards import fit_cox

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "field-cases" / "survival"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the field cases are not there: {FOLDER}"
)


def case(group: str, name: str) -> dict:
    """A case of `cases.json`."""
    cases = json.loads((FOLDER / "cases.json").read_text())[group]
    return next(one for one in cases if one["id"] == name)


def follow_up(of: dict) -> tuple[np.ndarray, np.ndarray]:
    """Days, and True where the event was observed."""
    return np.array(of["time"], np.float64), np.array(of["event"]) == 1


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("C1", "C2", "C3", "C5")])
def test_concordance_with_ties_is_that_of_r(name):
    of = case("concordance", name)
    risk, (time, event) = np.array(of["risk"], np.float64), follow_up(of)

    assert concordance(risk, time, event).value == pytest.approx(of["harrell"], abs=1e-12)
    for tau, value in of.get("uno", {}).items():
        assert uno_c(risk, time, event, tau=float(tau)).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", [pytest.param("C4", id="C4")])
def test_events_that_are_all_at_one_time_have_no_concordance(name):
    of = case("concordance", name)

    with pytest.raises(UndefinedMetricError, match="no comparable pair among 3 cases"):
        concordance(np.array(of["risk"], np.float64), *follow_up(of))


@pytest.mark.parametrize("name", [pytest.param("C5", id="C5")])
def test_times_that_differ_by_rounding_are_one_step_of_the_kaplan_meier_curve(name):
    of = case("concordance", name)
    time, event = follow_up(of)
    expected = of["kaplan_meier"]
    outcomes = Outcomes(endpoint="os", case_ids=tuple("abcdef"), time=time, event=event)

    for curve in (kaplan_meier(time, event), kaplan_meier(outcomes.time, event)):
        assert curve.time.tolist() == expected["time"]
        assert curve.survival == pytest.approx(expected["survival"], abs=1e-12)
        # A patient's own time is on the step, whichever of the two numbers it is.
        assert curve.at(time)[:4] == pytest.approx([2 / 3, 2 / 3, 0.5, 0.5])
        assert curve.before(time)[:4] == pytest.approx([1, 1, 2 / 3, 2 / 3])
        assert curve.numbers_at_risk(time).tolist() == [6, 6, 4, 4, 2, 2]


def cohort(of: dict) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """A table of patients, their days and their events."""
    table = pd.read_csv(FOLDER / of["file"])
    return table, table["time"].to_numpy(np.float64), table["event"].to_numpy() == 1


def as_steps(survival: np.ndarray, days: np.ndarray) -> Predictions:
    """Predictions whose curves fall on these days only."""
    return Predictions(
        case_ids=tuple(map(str, range(len(survival)))),
        risk=np.zeros(len(survival)),
        survival=survival,
        survival_time=days,
        survival_reading="step",
    )


@pytest.mark.parametrize(
    ("name", "horizon"), [pytest.param("S1", 547.25, id="S1"), pytest.param("S3", 730.25, id="S3")]
)
def test_a_kaplan_meier_curve_is_right_about_its_own_cohort(name, horizon):
    of = case("steps", name)
    _, time, event = cohort(of)
    own = kaplan_meier(time, event)
    days = np.concatenate([[0.0], own.time])
    predictions = as_steps(np.tile(own.at(days), (len(time), 1)), days)
    tau = choose_tau(time, event)
    grid = evaluation_grid(tau)

    survival = predicted_survival(predictions, np.array([horizon]))[:, 0]
    accuracy = prediction_accuracy_index(predicted_survival(predictions, grid), grid, time, event)

    assert choose_horizon(tau) == horizon
    if "survival" in of:
        assert survival == pytest.approx(of["survival"], abs=1e-12)
    found = observed_to_expected(1 - survival, horizon, time, event)
    assert found == pytest.approx(of["observed_to_expected"], abs=1e-12)
    assert accuracy == pytest.approx(of["ipa_of_its_own_curve"], abs=1e-12)
    assert km_calibration(predictions.survival, days, time, event, reading="step") < 1e-24


@pytest.mark.parametrize("name", [pytest.param("S2", id="S2")])
def test_a_cox_model_with_a_breslow_baseline_promises_what_it_does_in_r(name):
    of = case("steps", name)
    table, time, event = cohort(of)
    marker = table["marker"].to_numpy(np.float64)
    log_risk = marker * fit_cox(marker[:, None], time, event).coefficient[0]
    outcomes = Outcomes(
        endpoint="pfs", case_ids=tuple(map(str, table.index)), time=time, event=event
    )
    baseline = BreslowBaseline(64)
    baseline.learn_grid(outcomes)
    baseline.learn(torch.tensor(log_risk), outcomes)
    predictions = as_steps(
        baseline.curves(torch.tensor(log_risk)).numpy(), baseline.survival_time.numpy()
    )

    survival = predicted_survival(predictions, np.array([547.25]))[:, 0]

    assert baseline.survival_reading == "step"
    assert survival[:3] == pytest.approx(of["first_three_survivals"], abs=1e-9)
    assert (1 - survival).mean() == pytest.approx(of["mean_risk"], abs=1e-9)
    found = observed_to_expected(1 - survival, 547.25, time, event)
    assert found == pytest.approx(of["observed_to_expected"], abs=1e-9)


@pytest.mark.parametrize("name", [pytest.param("B1", id="B1")])
def test_survival_of_one_dimension_is_refused_by_its_shape(name):
    case("shapes", name)
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, True])

    with pytest.raises(ValueError, match=r"survival must have shape \(3, 1\), .* got \(3,\); one"):
        brier_score(np.full(3, 0.5), np.array([1.5]), time, event)
