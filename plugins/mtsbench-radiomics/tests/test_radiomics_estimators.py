"""What each estimator learns, on numbers whose answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mtsbench_radiomics.estimators.concordance import univariate_concordance
from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.coxnet import Coxnet
from mtsbench_radiomics.estimators.design import Design, curve_grid
from mtsbench_radiomics.estimators.folds import event_stratified_folds
from mtsbench_radiomics.estimators.forest import GradientBoosting, RandomSurvivalForest
from mtsbench_radiomics.estimators.icare import Icare
from mtsbench_radiomics.estimators.marginal import Marginal

from mtsbench.errors import DataError
from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.horizon_calibration import observed_to_expected
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.survival import harrell_c

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden"
FIELD_CASES = Path(__file__).resolve().parents[4] / "shared" / "field-cases" / "survival"
LEARNERS = (
    Cox(),
    Coxnet(),
    Icare(bags=60),
    RandomSurvivalForest(trees=40),
    GradientBoosting(),
)
BY_NAME = pytest.mark.parametrize("estimator", LEARNERS, ids=lambda one: type(one).__name__)

outcomes = st.lists(
    st.tuples(st.integers(1, 8), st.booleans(), st.integers(-3, 3)), min_size=2, max_size=14
)


def simulated(count: int = 150, features: int = 6, seed: int = 0) -> Design:
    """The first feature raises the hazard, the second lowers it; the rest is noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, features))
    onset = 1000 * rng.exponential(np.exp(-1.5 * values[:, 0] + 1.5 * values[:, 1]))
    end = rng.uniform(50, 4000, count)
    return Design(
        names=tuple(f"f{number}" for number in range(features)),
        values=values,
        time=np.minimum(onset, end) + 1,
        event=onset < end,
    )


@given(outcomes)
@settings(max_examples=80, deadline=None)
def test_univariate_concordance_is_harrells(drawn):
    time, event, feature = (np.array(one) for one in zip(*drawn, strict=True))
    time, feature = time.astype(float), feature.astype(float)

    found = univariate_concordance(np.stack([feature, -feature], axis=1), time, event)

    try:
        expected = harrell_c(feature, time, event)
    except ValueError:  # no comparable pair
        expected = 0.5
    assert found == pytest.approx([expected, 1 - expected])


@given(st.lists(st.booleans(), min_size=4, max_size=40), st.integers(2, 6), st.integers(0, 9))
def test_folds_share_events_and_cases_evenly(event, folds, seed):
    event = np.array(event)

    fold = event_stratified_folds(event, folds, seed)

    used = fold.max() + 1
    assert used == max(2, min(folds, event.sum()))
    for rows in (event, np.ones(len(event), dtype=bool)):
        sizes = np.bincount(fold[rows], minlength=used)
        assert sizes.max() - sizes.min() <= 1
    assert (fold == event_stratified_folds(event, folds, seed)).all()


def test_a_long_follow_up_gives_a_curve_of_at_most_201_days():
    time = np.arange(1.0, 1001.0)

    grid = curve_grid(time, np.ones(1000, dtype=bool))

    assert (len(grid), grid[0], grid[1], grid[-1]) == (201, 0.0, 1.0, 1000.0)
    assert (np.diff(grid) > 0).all()


def test_curves_go_on_to_the_last_follow_up_and_not_only_to_the_last_event():
    time, event = np.array([1.0, 5.0, 3.0, 9.0]), np.array([True, True, False, False])

    assert curve_grid(time, event).tolist() == [0.0, 1.0, 5.0, 9.0]
    assert curve_grid(time, np.zeros(4, dtype=bool)).tolist() == [0.0, 9.0]


def test_kaplan_meier_equals_r():
    if not GOLDEN.is_dir():
        pytest.skip(f"{GOLDEN} is absent: the shared folder lies beside the repository")
    data = pd.read_csv(GOLDEN / "data_veteran.csv")
    expected = json.loads((GOLDEN / "survival_basics.json").read_text())["veteran"]["km"]
    design = Design(
        names=(),
        values=np.empty((len(data), 0)),
        time=data["time"].to_numpy(float),
        event=data["status"].to_numpy(bool),
    )

    fit = Marginal().fit(design, 0.0, 0)

    known = dict(zip(expected["time"], expected["surv"], strict=True))
    curve = fit.survival(np.empty((2, 0)))
    assert (fit.risk(np.empty((2, 0))) == 0).all()
    assert curve[1, 1:] == pytest.approx([known[day] for day in fit.survival_time[1:]], abs=1e-12)


def test_kaplan_meier_without_any_event_stays_at_one():
    design = Design(
        names=(), values=np.empty((3, 0)), time=np.array([5.0, 9.0, 7.0]), event=np.zeros(3, bool)
    )

    fit = Marginal().fit(design, 0.0, 0)

    assert fit.survival_time.tolist() == [0.0, 9.0]
    assert fit.survival(np.empty((1, 0))).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("name", "estimator", "expected"),
    [
        pytest.param("S1", Marginal(), 1.0, id="S1"),
        pytest.param("S2", Cox(), 1.13555233119, id="S2"),
    ],
)
def test_curves_that_fall_at_visits_promise_what_they_do_in_r(name, estimator, expected):
    if not FIELD_CASES.is_dir():
        pytest.skip(f"{FIELD_CASES} is absent: the shared folder lies beside the repository")
    cases = json.loads((FIELD_CASES / "cases.json").read_text())["steps"]
    of = next(one for one in cases if one["id"] == name)
    data = pd.read_csv(FIELD_CASES / of["file"])
    time, event = data["time"].to_numpy(float), data["event"].to_numpy(bool)
    values = data[["marker"]].to_numpy(float)
    design = Design(names=("marker",), values=values, time=time, event=event)

    fit = estimator.fit(design, 0.0, 0)
    days = np.array([547.25])
    read = {"survival_time": fit.survival_time, "reading": fit.survival_reading}
    survival = survival_at(days, fit.survival(values), **read)[:, 0]

    assert of["observed_to_expected"] == pytest.approx(expected)
    found = observed_to_expected(1 - survival, 547.25, time, event)
    assert found == pytest.approx(of["observed_to_expected"], abs=1e-8)


@BY_NAME
def test_curves_are_steps_on_the_days_of_training_events(estimator):
    design = simulated(60)

    fit = estimator.fit(design, estimator.candidates(design)[-1], 3)

    assert fit.survival_reading == "step"
    assert set(design.time[design.event]) <= set(fit.survival_time)


def test_a_thinned_kaplan_meier_curve_is_right_on_average():
    # 600 days of events, three times as many as a curve has days.
    rng = np.random.default_rng(0)
    onset, end = rng.exponential(1000, 1000), rng.uniform(0, 4000, 1000)
    design = Design(
        names=(),
        values=np.empty((1000, 0)),
        time=np.minimum(onset, end),
        event=onset <= end,
    )
    days = np.linspace(50, 3000, 60)

    fit = Marginal().fit(design, 0.0, 0)
    read = {"survival_time": fit.survival_time, "reading": fit.survival_reading}
    found = survival_at(days, fit.survival(np.empty((1, 0))), **read)[0]

    truth = kaplan_meier(design.time, design.event).at(days)
    assert design.event.sum() > 600
    assert np.abs(found - truth).max() < 1 / 200
    assert abs((found - truth).mean()) < 1 / 2000


@BY_NAME
def test_risk_orders_new_cases_and_curves_are_probabilities(estimator):
    design, new = simulated(), simulated(seed=1)
    candidates = estimator.candidates(design)

    fit = estimator.fit(design, candidates[len(candidates) // 2], 3)

    assert harrell_c(fit.risk(new.values), new.time, new.event) > 0.75
    curves = fit.survival(new.values)
    assert curves.shape == (150, len(fit.survival_time))
    assert (curves[:, 0] == 1).all()
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    # Higher risk, lower curve, at the middle of follow-up.
    middle = curves[:, len(fit.survival_time) // 2]
    assert np.corrcoef(fit.risk(new.values), middle)[0, 1] < -0.5


@BY_NAME
def test_the_same_seed_gives_the_same_fit(estimator):
    design = simulated(60)
    candidate = estimator.candidates(design)[-1]

    one, other = (estimator.fit(design, candidate, 3).risk(design.values) for _ in range(2))

    assert (one == other).all()


@BY_NAME
def test_the_risk_of_a_candidate_on_held_out_cases_is_that_of_its_fit(estimator):
    design, new = simulated(), simulated(20, seed=1)
    candidates = estimator.candidates(design)

    risks = estimator.held_out_risk(design, new.values, candidates, 3)

    assert risks.shape == (len(candidates), 20)
    for row in (0, len(candidates) - 1):
        fitted = estimator.fit(design, candidates[row], 3).risk(new.values)
        np.testing.assert_allclose(risks[row], fitted, atol=1e-8)


@BY_NAME
def test_fewer_than_three_events_are_refused(estimator):
    design = simulated(20)
    event = np.zeros(20, dtype=bool)
    event[:2] = True
    few = Design(names=design.names, values=design.values, time=design.time, event=event)

    with pytest.raises(DataError, match="2 events in 20 cases; expected at least 3"):
        estimator.fit(few, 1.0, 0)


def test_the_strongest_penalty_leaves_no_feature_and_a_weak_one_finds_both():
    design = simulated(features=30)
    path = Coxnet().candidates(design)

    none, some = (Coxnet().fit(design, strength, 0).coefficients for strength in path[:11:10])

    assert len(path) == 30
    assert path[-1] == pytest.approx(0.03 * path[0])
    assert set(none) == {0.0}
    assert some[0] > 0.1
    assert some[1] < -0.1
    assert sum(value != 0 for value in some) < 15


def test_a_penalty_that_is_too_weak_is_refused_and_no_candidate():
    # Separated cases: without enough penalty the coefficient grows without end.
    time = np.arange(1.0, 41.0)
    values = np.stack([np.exp(-time / 4), np.random.default_rng(0).normal(size=40)], axis=1)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    design = Design(names=("a", "b"), values=values, time=time, event=np.ones(40, dtype=bool))
    weak = Coxnet(weakest=1e-9)

    path = weak.candidates(design)
    risks = weak.held_out_risk(design, values, path, 0)

    assert np.isfinite(risks[0]).all()
    assert np.isnan(risks[-1]).all()
    with pytest.raises(DataError, match=r"too weak to keep the coefficients finite.*weakest=0\.1"):
        weak.fit(design, path[-1], 0)


def test_icare_votes_with_the_sign_of_a_feature_and_not_with_noise():
    design = simulated(400)

    fit = Icare(bags=40).fit(design, 40.0, 0)

    signs = {column: set() for column in range(6)}
    for vote in fit.votes:
        for column, weight in zip(vote.features, vote.weights, strict=True):
            signs[column].add(np.sign(weight))
    voters = [sum(column in vote.features for vote in fit.votes) for column in range(6)]
    assert signs[0] == {1.0}
    assert signs[1] == {-1.0}
    assert np.mean(voters[:2]) > 2 * np.mean(voters[2:])


def test_icare_keeps_one_of_two_features_that_correlate():
    design = simulated(300, features=2)
    twins = np.stack([design.values[:, 0], design.values[:, 0] + 1e-3 * design.values[:, 1]], 1)

    fit = Icare(bags=20).fit(
        Design(names=("f0", "twin"), values=twins, time=design.time, event=design.event), 20.0, 0
    )

    assert {len(vote.features) for vote in fit.votes} == {1}


def test_icare_always_asks_the_features_it_must():
    design = simulated(300, features=60)

    free, bound = (
        Icare(bags=30).fit(replace(design, always=always), 30.0, 0) for always in ((), ("f0",))
    )

    assert all(0 in vote.features for vote in bound.votes)
    assert not all(0 in vote.features for vote in free.votes)


def test_icare_without_a_feature_worth_a_vote_gives_every_case_the_marginal_curve():
    design = simulated(40)
    useless = Design(
        names=("zero",), values=np.zeros((40, 1)), time=design.time, event=design.event
    )

    fit = Icare(bags=5).fit(useless, 5.0, 0)

    assert fit.votes == ()
    assert (fit.risk(np.ones((3, 1))) == 0).all()
    cumulative = -np.log(fit.survival(np.ones((1, 1)))[0])
    at_risk = (design.time[None, :] >= np.sort(design.time[design.event])[:, None]).sum(axis=1)
    expected = np.cumsum(1 / at_risk)
    # The grid goes on to the last follow-up, where the curve is that of the last event.
    assert cumulative[1:] == pytest.approx([*expected, expected[-1]])


def test_a_forest_offers_no_leaf_larger_than_a_quarter_of_the_cases():
    forest = RandomSurvivalForest(leaves=(15, 8, 4))

    assert forest.candidates(simulated(60)) == (15.0, 8.0, 4.0)
    assert forest.candidates(simulated(40)) == (8.0, 4.0)
    assert forest.candidates(simulated(10)) == (4.0,)
