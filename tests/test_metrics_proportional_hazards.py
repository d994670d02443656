from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from scipy.optimize import minimize

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics import newton_raphson
from mtsbench.metrics.proportional_hazards import fit_cox

RANDOM = np.random.default_rng(1)
COVARIATES = RANDOM.normal(size=(120, 2)) + np.array([50.0, 0.0])
TIME = np.ceil(RANDOM.exponential(np.exp(-COVARIATES[:, 1])) * 10)
EVENT = RANDOM.random(120) < 0.7
STRATUM = RANDOM.integers(0, 4, 120)


def by_lifelines(time, **options) -> CoxPHFitter:
    table = pd.DataFrame(
        {"a": COVARIATES[:, 0], "b": COVARIATES[:, 1], "s": STRATUM, "t": time, "e": EVENT}
    )
    if not options:
        table = table.drop(columns="s")
    return CoxPHFitter().fit(table, "t", "e", fit_options={"precision": 1e-12}, **options)


@pytest.mark.filterwarnings("ignore")  # lifelines' use of pandas
@pytest.mark.parametrize("stratified", [False, True])
def test_coefficients_and_errors_are_those_of_lifelines(stratified):
    expected = by_lifelines(TIME, strata=["s"]) if stratified else by_lifelines(TIME)

    found = fit_cox(COVARIATES, TIME, EVENT, strata=STRATUM if stratified else None)

    assert found.coefficient == pytest.approx(expected.params_.to_numpy(), abs=1e-8)
    assert found.standard_error == pytest.approx(expected.standard_errors_.to_numpy(), abs=1e-8)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood_)
    assert found.p == pytest.approx(expected.summary["p"].to_numpy(), rel=1e-4)


@pytest.mark.filterwarnings("ignore")  # lifelines' use of pandas
def test_each_stratum_has_the_baseline_that_it_has_in_lifelines():
    # lifelines has Efron's coefficients and Breslow's baseline; without ties, they go together.
    time = TIME + np.arange(120) / 1000
    expected = by_lifelines(time, strata=["s"])

    found = fit_cox(COVARIATES, time, EVENT, strata=STRATUM)

    assert len(found.baselines) == 4
    for number, baseline in enumerate(found.baselines):
        hazard = expected.baseline_cumulative_hazard_.iloc[:, number].loc[baseline.event_time]
        assert baseline.hazard == pytest.approx(hazard.to_numpy(), rel=1e-6)
    day, rows = found.baselines[2].event_time[8], STRATUM == 2
    curves = expected.predict_survival_function(
        pd.DataFrame({"a": COVARIATES[rows, 0], "b": COVARIATES[rows, 1], "s": 2}), [day]
    )
    survival = found.survival(COVARIATES[rows], day, stratum=2)
    assert survival == pytest.approx(curves.to_numpy()[0], rel=1e-6)


def test_one_stratum_is_none_and_a_stratum_without_events_changes_nothing():
    plain = fit_cox(COVARIATES, TIME, EVENT)
    more = np.concatenate([COVARIATES, [[0.0, 9.0], [1.0, -9.0]]])
    time, event = np.append(TIME, [1e3, 1e3]), np.append(EVENT, [False, False])

    one = fit_cox(COVARIATES, TIME, EVENT, strata=np.full(120, "all"))
    two = fit_cox(more, time, event, strata=np.repeat(["all", "empty"], [120, 2]))

    assert (one.coefficient == plain.coefficient).all()
    assert two.coefficient == pytest.approx(plain.coefficient, abs=1e-9)
    assert [len(each.event_time) for each in two.baselines] == [len(plain.baselines[0].hazard), 0]
    assert two.survival(more[:2], 1e4, stratum=1).tolist() == [1.0, 1.0]


def test_the_baseline_without_effect_is_the_nelson_aalen_estimate():
    time, event = np.repeat([1.0, 2.0, 3.0], 2), np.repeat([True, False, True], 2)
    without_effect = np.tile([[0.0], [1.0]], (3, 1))

    fit = fit_cox(without_effect, time, event, ties="breslow")

    (baseline,) = fit.baselines
    assert fit.coefficient == pytest.approx([0], abs=1e-9)
    assert baseline.event_time.tolist() == [1.0, 3.0]
    assert baseline.hazard == pytest.approx([2 / 6, 2 / 6 + 2 / 2])
    found = [fit.survival(without_effect[:1], day)[0] for day in (0.5, 1.0, 2.9, 3.0)]
    assert found == pytest.approx(np.exp([0, -1 / 3, -1 / 3, -4 / 3]))


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_the_unit_of_a_covariate_does_not_matter(unit, shift):
    plain = fit_cox(COVARIATES, TIME, EVENT)

    moved = COVARIATES + np.array([0.0, shift])
    found = fit_cox(unit * moved, TIME, EVENT)

    assert unit * found.coefficient == pytest.approx(plain.coefficient, rel=1e-6)
    assert unit * found.standard_error == pytest.approx(plain.standard_error, rel=1e-6)
    survival = found.survival(unit * moved, 10.0)
    assert survival == pytest.approx(plain.survival(COVARIATES, 10.0), rel=1e-6)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_a_patient_far_from_all_others_who_dies_first_changes_nothing(size):
    # With any coefficient above 0 the first factor of the likelihood is 1, so the maximum is that
    # of the others; on the way to it, exp() of the scores overflows without care.
    others = fit_cox(COVARIATES, TIME, EVENT)
    covariates = np.concatenate([COVARIATES, [[50.0, 3 * size], [50.0, size]]])

    found = fit_cox(covariates, np.append(TIME, [0.1, 0.2]), np.append(EVENT, [True, True]))

    assert found.coefficient == pytest.approx(others.coefficient, abs=1e-5)
    survival = found.survival(COVARIATES, 10.0)
    assert survival == pytest.approx(others.survival(COVARIATES, 10.0), abs=1e-5)
    assert found.survival(covariates[-2:], 10.0).tolist() == [0.0, 0.0]


def test_a_value_beyond_the_precision_of_numbers_is_told_and_a_penalty_helps():
    covariates = np.concatenate([COVARIATES, [[50.0, 3e9], [50.0, 1e9]]])
    data = covariates, np.append(TIME, [0.1, 0.2]), np.append(EVENT, [True, True])

    with pytest.raises(UndefinedMetricError, match=r"no maximum of .* far from all others in a, b"):
        fit_cox(*data, names=("a", "b"))
    assert np.isfinite(fit_cox(*data, ridge=0.1).coefficient).all()


def penalised(coefficient, ridge) -> float:
    """Breslow's partial likelihood with the penalty, negative, as a sum over events."""
    score = COVARIATES @ coefficient
    loss = ridge / 2 * ((coefficient * COVARIATES.std(axis=0)) ** 2).sum()
    for row in np.flatnonzero(EVENT):
        loss += np.log(np.exp(score[TIME[row] <= TIME] - score[row]).sum())
    return loss


@pytest.mark.parametrize("ridge", [0.1, 50.0])
def test_ridge_maximises_the_penalised_likelihood(ridge):
    best = minimize(penalised, np.zeros(2), (ridge,), method="Nelder-Mead", tol=1e-10)

    found = fit_cox(COVARIATES, TIME, EVENT, ties="breslow", ridge=ridge)

    assert found.coefficient == pytest.approx(best.x, abs=1e-6)
    assert found.log_likelihood == pytest.approx(-penalised(found.coefficient, 0.0))


def test_without_an_event_nothing_is_fitted():
    with pytest.raises(UndefinedMetricError, match="no event among 120 cases"):
        fit_cox(COVARIATES, TIME, np.zeros(120, np.bool_))


def test_a_constant_covariate_has_no_hazard_ratio_and_with_a_penalty_no_effect():
    covariates = np.stack([COVARIATES[:, 1], np.full(120, 0.1)], axis=1)

    with pytest.raises(UndefinedMetricError, match="the covariate number 2 does not vary"):
        fit_cox(covariates, TIME, EVENT)
    found = fit_cox(covariates, TIME, EVENT, ridge=0.1).coefficient
    alone = fit_cox(covariates[:, :1], TIME, EVENT, ridge=0.1).coefficient
    assert found.tolist() == pytest.approx([alone[0], 0.0])


MONOTONE = {
    "alone": ("covariate early separates earlier", lambda early, noise: [noise, early]),
    "each": ("covariates noise, early separate earlier", lambda early, noise: [early**3, early]),
    "jointly": (
        "covariates noise, early separate together earlier",
        lambda early, noise: [noise, early - noise],
    ),
}


@pytest.mark.parametrize("kind", MONOTONE)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e8])
@pytest.mark.parametrize("folds", [1, 3])
def test_covariates_that_separate_early_from_late_are_named_and_a_penalty_helps(kind, scale, folds):
    said, columns = MONOTONE[kind]
    time, noise = np.arange(1.0, 31.0), np.random.default_rng(0).normal(size=30)
    early, event = 10.0 * (time <= 12) + 5.0 * (time <= 6), time <= 12
    covariates = scale * np.stack(columns(early, noise), axis=1)
    data, strata = (covariates, time, event), np.arange(30) % folds

    with pytest.raises(UndefinedMetricError, match=f"no finite maximum: the {said}"):
        fit_cox(*data, strata=strata, names=("noise", "early"))
    found = fit_cox(*data, strata=strata, ridge=0.1)
    assert found.coefficient[1] > 0
    assert (found.standard_error > 0).all()


def test_a_single_event_has_no_finite_coefficient_unless_it_lies_in_the_middle():
    event = np.arange(20) == 7
    covariate = np.arange(20.0)[:, None]

    middle = fit_cox(covariate, np.where(event, 1.0, 5.0), event)
    assert covariate[:, 0].min() < 7 < covariate[:, 0].max()
    weight = np.exp(covariate[:, 0] * middle.coefficient[0])
    assert (weight @ covariate[:, 0]) / weight.sum() == pytest.approx(7)
    with pytest.raises(UndefinedMetricError, match="no finite maximum"):
        fit_cox(-np.abs(covariate - 7), np.where(event, 1.0, 5.0), event)


def test_nearly_separated_patients_have_a_large_finite_coefficient():
    # One patient of thirty contradicts; version 0.1 said that there was no finite maximum.
    time = np.arange(1.0, 31.0)
    covariate = -time.copy()
    covariate[[20, 21]] = covariate[[21, 20]]

    found = fit_cox(covariate[:, None], time, np.ones(30, np.bool_))

    def value(coefficient):
        score = coefficient * covariate
        sums = np.logaddexp.accumulate(score[::-1])[::-1]
        return (score - sums).sum()

    best = found.coefficient[0]
    assert found.log_likelihood == pytest.approx(value(best))
    assert value(best) > max(value(best * 0.999), value(best * 1.001))


@pytest.mark.parametrize(
    "covariates", [COVARIATES[:, 0], COVARIATES[:-1], np.where(COVARIATES > 2, np.nan, COVARIATES)]
)
def test_covariates_of_another_shape_or_with_gaps_are_refused(covariates):
    with pytest.raises(ValueError, match=r"covariates must be finite numbers of shape \(120, P\)"):
        fit_cox(covariates, TIME, EVENT)


def test_times_that_differ_by_rounding_are_one_day():
    rounded = TIME * (1 + 1e-12 * RANDOM.normal(size=120))

    found, expected = fit_cox(COVARIATES, rounded, EVENT), fit_cox(COVARIATES, TIME, EVENT)

    assert found.coefficient == pytest.approx(expected.coefficient, abs=1e-9)
    assert len(found.baselines[0].event_time) == len(expected.baselines[0].event_time)


def test_steps_that_do_not_suffice_are_told(monkeypatch):
    monkeypatch.setattr(newton_raphson, "ITERATIONS", 1)

    with pytest.raises(UndefinedMetricError, match="no maximum of the partial likelihood in 1 st"):
        fit_cox(COVARIATES, TIME, EVENT)
