"""Breslow's baseline against an independent library and against its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.data import Outcomes
from mtsbench.engine.baseline import BreslowBaseline
from mtsbench.errors import DataError


def outcomes_of(time, event) -> Outcomes:
    return Outcomes(
        endpoint="os",
        case_ids=tuple(f"c{row}" for row in range(len(time))),
        time=np.array(time, np.float64),
        event=np.array(event, np.bool_),
    )


def learnt(log_risk, time, event, points=50) -> BreslowBaseline:
    baseline, outcomes = BreslowBaseline(points), outcomes_of(time, event)
    baseline.learn_grid(outcomes)
    baseline.learn(torch.tensor(log_risk, dtype=torch.float64), outcomes)
    return baseline


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # raised inside lifelines
def test_curves_equal_those_of_lifelines():
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(3)
    x = rng.normal(size=80)
    time = np.round(np.exp(-0.7 * x) * rng.exponential(500, 80)) + 1  # whole days, so with ties
    event = rng.random(80) < 0.7
    table = pd.DataFrame({"x": x, "time": time, "event": event})
    fit = CoxPHFitter(baseline_estimation_method="breslow").fit(table, "time", "event")
    log_risk = fit.params_["x"] * x

    baseline = learnt(log_risk, time, event)

    grid = baseline.survival_time.numpy()
    # lifelines interpolates between event times; a step function is asked for at them.
    hazard = fit.baseline_cumulative_hazard_.iloc[:, 0] * np.exp(-fit.params_["x"] * x.mean())
    expected = np.exp(-np.outer(np.exp(log_risk), hazard.reindex(grid, method="ffill").fillna(0)))
    np.testing.assert_allclose(baseline.curves(torch.tensor(log_risk)), expected, atol=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # raised inside lifelines
def test_curves_of_real_patients_equal_those_of_lifelines():
    from lifelines import CoxPHFitter
    from sksurv.datasets import load_veterans_lung_cancer

    covariates, outcome = load_veterans_lung_cancer()
    table = covariates[["Karnofsky_score", "Age_in_years"]].astype(np.float64)
    time, event = outcome["Survival_in_days"].copy(), outcome["Status"].copy()
    fit = CoxPHFitter(baseline_estimation_method="breslow").fit(
        table.assign(time=time, event=event), "time", "event"
    )
    log_risk = table.to_numpy() @ fit.params_.to_numpy()

    baseline = learnt(log_risk, time, event, points=1000)  # a step of one day: the last is 999

    centred = log_risk - table.mean().to_numpy() @ fit.params_.to_numpy()
    hazard = fit.baseline_cumulative_hazard_.iloc[:, 0]
    steps = np.searchsorted(hazard.index, baseline.survival_time.numpy(), side="right")
    cumulative = np.concatenate([[0.0], hazard.to_numpy()])[steps]
    np.testing.assert_allclose(
        baseline.curves(torch.tensor(log_risk)),
        np.exp(-np.outer(np.exp(centred), cumulative)),
        atol=1e-9,
    )


@pytest.mark.parametrize("last", [1000.1, 3652.4249999, 0.3])
def test_an_event_on_the_last_day_counts_though_the_day_is_no_round_number(last):
    baseline = learnt([0.0, 0.0], [last / 2, last], [True, True], points=5)

    assert baseline.survival_time[-1].item() == last
    assert float(baseline.curves(torch.zeros(1))[0, -1]) == pytest.approx(np.exp(-1.5))


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30))
def test_equal_risks_give_the_nelson_aalen_estimate(cases):
    time, event = zip(*cases, strict=True)
    if not any(event):
        return
    baseline = learnt(np.zeros(len(time)), time, event, points=7)

    for day, found in zip(baseline.survival_time, baseline.curves(torch.zeros(1))[0], strict=True):
        hazard = sum(
            sum(e and t == s for t, e in cases) / sum(t >= s for t in time)
            for s in {t for t, e in cases if e and t <= day}
        )
        assert float(found) == pytest.approx(np.exp(-hazard), abs=1e-6)


@pytest.mark.parametrize("size", [50.0, -50.0, 700.0])
def test_extreme_log_risks_stay_probabilities(size):
    baseline = learnt([size, 0.0, -size], [10, 20, 30], [True, True, False])

    curves = baseline.curves(torch.tensor([size, 0.0, -size]))

    assert torch.isfinite(curves).all()
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (curves.diff(dim=1) <= 0).all()


def test_adding_a_constant_to_every_log_risk_changes_no_curve():
    risk = np.array([0.3, -1.0, 0.8, 0.1])
    first = learnt(risk, [5, 9, 12, 20], [True, False, True, True])
    second = learnt(risk + 30, [5, 9, 12, 20], [True, False, True, True])

    torch.testing.assert_close(
        first.curves(torch.tensor(risk)), second.curves(torch.tensor(risk + 30))
    )


def test_without_events_there_is_no_baseline():
    with pytest.raises(DataError, match="os: no training case has an event, so there is no base"):
        learnt([0.0, 1.0], [5, 6], [False, False])


def test_the_grid_holds_every_day_on_which_the_curves_fall():
    time, event = [5.0, 1 / 3, 9.0, 9.0, 40.0], [True, True, True, False, False]

    for points in (5, 6, 50):
        baseline = learnt(np.zeros(5), time, event, points)

        assert baseline.survival_time.tolist() == [0.0, 1 / 3, 5.0, 9.0, 40.0]
        assert baseline.curves(torch.zeros(2)).shape == (2, 5)
        # A checkpoint fits whatever the outcomes were.
        BreslowBaseline(points).load_state_dict(baseline.state_dict())


def test_where_the_grid_is_too_short_it_keeps_the_large_steps_and_the_last_day():
    # Half the events are on day 30, the others on days of their own.
    time = [30.0] * 20 + [float(day) for day in range(1, 21)] + [100.0]
    baseline = learnt(np.zeros(41), time, [True] * 40 + [False], points=6)

    days = baseline.survival_time.tolist()

    assert len(days) <= 6
    assert {0.0, 30.0, 100.0} <= set(days)
    assert baseline.survival_reading == "step"


def test_events_that_differ_by_rounding_are_one_step():
    twice = learnt(np.zeros(3), [0.3, 0.3, 0.7], [True] * 3)
    nearly = learnt(np.zeros(3), [0.3, 0.30000000000000004, 0.7], [True] * 3)

    torch.testing.assert_close(nearly.curves(torch.zeros(1)), twice.curves(torch.zeros(1)))
