from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from mtsbench_cohorts.npc_factors import Node, draw_patient
from mtsbench_cohorts.npc_hazard import (
    ACCRUAL,
    HAZARD,
    SCALE,
    SHAPE,
    STUDY,
    follow_up,
    log_hazard_ratio,
)
from scipy.optimize import minimize

SEED, COUNT = 11, 4000


@pytest.fixture(scope="module")
def table():
    """Standardised factors (N, K), log hazard ratio, days, event of a large cohort."""
    patients = [draw_patient(SEED, index) for index in range(COUNT)]
    factors = np.array(
        [[(one.factors()[term.name] - term.mean) / term.sd for term in HAZARD] for one in patients]
    )
    followed = [follow_up(SEED, index, one) for index, one in enumerate(patients)]
    time = np.array([days for days, _ in followed], dtype=np.float64)
    event = np.array([observed for _, observed in followed])
    return factors, np.array([log_hazard_ratio(one) for one in patients]), time, event


def cox_fit(factors, time, event):
    """Newton's method on the Breslow partial likelihood: coefficients and standard errors."""
    order = np.argsort(-time, kind="stable")
    factors, time, event = factors[order], time[order], event[order]
    last = np.searchsorted(-time, -time, side="right") - 1
    coefficients = np.zeros(factors.shape[1])
    for _ in range(20):
        weight = np.exp(factors @ coefficients)
        total = np.cumsum(weight)[last]
        mean = np.cumsum(weight[:, None] * factors, axis=0)[last] / total[:, None]
        outer = weight[:, None, None] * factors[:, :, None] * factors[:, None, :]
        second = np.cumsum(outer, axis=0)[last] / total[:, None, None]
        score = (factors - mean)[event].sum(axis=0)
        information = (second - mean[:, :, None] * mean[:, None, :])[event].sum(axis=0)
        step = np.linalg.solve(information, score)
        coefficients = coefficients + step
        if np.abs(step).max() < 1e-9:
            return coefficients, np.sqrt(np.diag(np.linalg.inv(information)))
    raise AssertionError("Newton's method did not converge")


def pairwise_c(risk, time, event):
    concordant = comparable = 0.0
    for i in np.flatnonzero(event):
        later = (time > time[i]) | ((time == time[i]) & ~event)
        comparable += later.sum()
        concordant += (risk[i] > risk[later]).sum() + 0.5 * (risk[i] == risk[later]).sum()
    return concordant / comparable


def test_a_cox_fit_recovers_every_coefficient(table):
    factors, _, time, event = table

    found, error = cox_fit(factors, time, event)

    for term, value, standard_error in zip(HAZARD, found, error, strict=True):
        assert standard_error < 0.06, term.name
        assert abs(value - term.coefficient) < 3 * standard_error, term.name
        assert value > 2 * standard_error, term.name


def test_a_weibull_fit_recovers_shape_and_scale(table):
    _, risk, time, event = table

    def negative_log_likelihood(logs):
        shape, scale = np.exp(logs)
        cumulative = (time / scale) ** shape * np.exp(risk)
        log_hazard = np.log(shape / scale) + (shape - 1) * np.log(time / scale) + risk
        return cumulative.sum() - log_hazard[event].sum()

    fit = minimize(negative_log_likelihood, np.log([1.0, 1500.0]), method="Nelder-Mead")

    shape, scale = np.exp(fit.x)
    events = event.sum()
    # SE of log shape is about 0.78 / sqrt(events), of log scale about 1.05 / (shape sqrt(events)).
    assert abs(math.log(shape / SHAPE)) < 3 * 0.78 / math.sqrt(events)
    assert abs(math.log(scale / SCALE)) < 3 * 1.05 / SHAPE / math.sqrt(events)


def test_the_oracle_orders_about_four_pairs_in_five(table):
    _, risk, time, event = table

    assert 0.78 < pairwise_c(risk, time, event) < 0.805


def test_image_factors_carry_most_and_nodes_a_notable_part(table):
    factors, risk, time, event = table
    parts = factors * [term.coefficient for term in HAZARD]
    names = [term.name for term in HAZARD]
    clinical = parts[:, [names.index("age"), names.index("stage")]].sum(axis=1)
    nodes = parts[:, names.index("nodal_burden")]

    whole = pairwise_c(risk, time, event)

    assert whole - pairwise_c(risk - clinical, time, event) < 0.02
    assert whole - pairwise_c(risk - nodes, time, event) > 0.03
    assert pairwise_c(clinical, time, event) < 0.65


def test_half_of_the_patients_have_an_event_in_a_plausible_time(table):
    _, _, time, event = table

    assert 0.46 < event.mean() < 0.54
    assert time.min() >= 1
    assert (time == np.floor(time)).all()
    assert time.max() <= math.ceil(STUDY)
    assert 3 * 365 < np.median(time) < 4.5 * 365


def test_censoring_is_administrative_and_by_loss(table):
    _, _, time, event = table
    censored = time[~event]

    before_any_end_of_study = np.mean(censored < STUDY - ACCRUAL)

    assert 0.15 < before_any_end_of_study < 0.45


def test_population_constants_describe_the_population(table):
    factors, _, _, _ = table

    assert np.abs(factors.mean(axis=0)).max() < 0.05
    assert np.abs(factors.std(axis=0) - 1).max() < 0.05


@pytest.mark.parametrize(
    "worse",
    [
        {"volume": 120.0},
        {"heterogeneity": 0.59},
        {"invasion": 1.94},
        {"age": 79},
        {"stage": "IVA"},
        {"nodes": (Node(station="II", side=1, volume=20.0, uptake=12.0),)},
    ],
)
def test_a_worse_factor_means_higher_risk_and_an_earlier_event(worse):
    better = replace(
        draw_patient(SEED, 0),
        volume=10.0,
        heterogeneity=0.1,
        invasion=1.2,
        age=20,
        stage="III",
        nodes=(),
    )
    worst = replace(better, **worse)

    assert log_hazard_ratio(worst) > log_hazard_ratio(better)
    # The same case number draws the same random numbers, so only the hazard differs.
    times = [(follow_up(SEED, i, worst)[0], follow_up(SEED, i, better)[0]) for i in range(200)]
    assert all(early <= late for early, late in times)
    assert any(early < late for early, late in times)
