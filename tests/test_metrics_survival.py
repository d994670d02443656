from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtsbench.capabilities import is_fold_metric
from mtsbench.data import Outcomes, Predictions
from mtsbench.metrics.brier import integrated_brier_score, prediction_accuracy_index
from mtsbench.metrics.censoring import evaluation_grid
from mtsbench.metrics.concordance import uno_c
from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.survival import (
    AntoliniC,
    HarrellC,
    HorizonAuc,
    IntegratedBrier,
    PredictionAccuracy,
    UnoC,
    follow_up,
    harrell_c,
)
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc


@st.composite
def follow_ups(draw):
    """Risk, time and event of up to twelve cases, with ties in everything."""
    count = draw(st.integers(2, 12))

    def some(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    risk = some(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e-10, 1e-10)))
    time = np.array(some(st.integers(1, 6)), dtype=np.float64)
    event = np.array(some(st.booleans()), dtype=np.bool_)
    return np.array(risk), time, event


def by_definition(risk, time, event) -> tuple[float, int]:
    """Concordance pair by pair, as R documents it, and the number of comparable pairs."""
    score, pairs = 0.0, 0
    for i in range(len(risk)):
        for j in range(len(risk)):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                pairs += 1
                score += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    return score, pairs


@pytest.mark.parametrize("model", ["A", "B"])
@pytest.mark.parametrize("name", ["veteran", "lung", "pbc"])
def test_the_c_index_is_that_of_r_on_real_patients(oracle, name, model):
    patients = oracle("concordance")["datasets"][name]

    found = harrell_c(
        np.array(patients["risk"][model]),
        np.array(patients["time"]),
        np.array(patients["event"]) == 1,
    )

    assert found == pytest.approx(patients["c"][model], abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "one_event_first",
        "event_cens_tied",
        "event_cens_tied_r",
        "constant_risk",
        "tiny_scale_risk",
        "mixed_ties",
        "sksurv_issue_428",
    ],
)
def test_edge_cases_are_those_of_r(oracle, name):
    case = oracle("concordance")["edge_cases"][name]
    time, event = np.array(case["time"], dtype=np.float64), np.array(case["event"]) == 1

    assert harrell_c(np.array(case["risk"]), time, event) == pytest.approx(case["c"], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "no_events",
            "among 4 cases with 0 events, so the C-index is undefined",
        ),
        ("one_event_last", "no comparable pair among 4 cases with 1 events"),
        ("two_events_tied", "no comparable pair among 2 cases with 2 events"),
    ],
)
def test_where_r_says_nan_the_c_index_is_refused(oracle, name, message):
    case = oracle("concordance")["edge_cases"][name]
    assert case["c"] is None
    time, event = np.array(case["time"], dtype=np.float64), np.array(case["event"]) == 1

    with pytest.raises(ValueError, match=message):
        harrell_c(np.array(case["risk"]), time, event)


@given(follow_ups())
def test_the_c_index_is_what_its_definition_says(drawn):
    score, pairs = by_definition(*drawn)
    assume(pairs)

    assert harrell_c(*drawn) == pytest.approx(score / pairs, abs=1e-12)


@given(drawn=follow_ups(), randomness=st.randoms(use_true_random=False))
def test_the_order_of_the_cases_does_not_matter(drawn, randomness):
    assume(by_definition(*drawn)[1])
    rows = list(range(len(drawn[0])))
    randomness.shuffle(rows)

    assert harrell_c(*(column[rows] for column in drawn)) == harrell_c(*drawn)


@given(follow_ups())
def test_reversed_risks_give_the_complement(drawn):
    risk, time, event = drawn
    assume(by_definition(*drawn)[1])

    assert harrell_c(-risk, time, event) == pytest.approx(1 - harrell_c(*drawn), abs=1e-12)


@given(follow_ups())
def test_a_rising_transformation_of_the_risk_changes_nothing(drawn):
    risk, time, event = drawn
    assume(by_definition(*drawn)[1])
    rank = np.unique(risk, return_inverse=True)[1].astype(np.float64)

    assert harrell_c(rank * 1e-10, time, event) == harrell_c(*drawn)


def test_higher_risk_means_an_earlier_event():
    time, event = np.array([1.0, 2.0, 3.0]), np.ones(3, np.bool_)

    assert harrell_c(np.array([3.0, 2.0, 1.0]), time, event) == 1.0
    assert harrell_c(np.array([1.0, 2.0, 3.0]), time, event) == 0.0


def fold(event) -> tuple[Predictions, Outcomes]:
    case_ids = ("P1", "P2", "P3")
    return Predictions(case_ids=case_ids, risk=np.array([0.2, 0.3, 0.1])), Outcomes(
        endpoint="pfs",
        case_ids=case_ids,
        time=np.array([10.0, 20.0, 30.0]),
        event=np.array(event),
    )


def test_the_score_of_a_fold_is_its_c_index():
    predictions, test = fold([True, True, True])

    score = HarrellC().within_fold(predictions, test, train=test)

    assert score.value == pytest.approx(2 / 3)
    assert is_fold_metric(HarrellC())
    assert HarrellC().higher_is_better


def test_a_fold_without_comparable_pair_has_a_reason_instead_of_a_score():
    predictions, test = fold([False, False, True])

    score = HarrellC().within_fold(predictions, test, train=test)

    assert score.value is None
    assert score.reason.startswith("no comparable pair among 3 cases with 1 events")


def test_a_risk_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="1 risks are not finite"):
        harrell_c(np.array([0.1, np.nan]), np.array([1.0, 2.0]), np.array([True, True]))


def outcomes(count: int, first: int, seed: int) -> Outcomes:
    random = np.random.default_rng(seed)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"P{first + row}" for row in range(count)),
        time=random.integers(1, 2000, count).astype(np.float64),
        event=random.random(count) < 0.5,
    )


TEST, TRAIN = outcomes(40, 0, 1), outcomes(120, 40, 2)
LOG_RISK = -TEST.time / 1000 + np.random.default_rng(3).normal(size=40)
CURVE_DAYS = np.linspace(0, 2000, 50)
PREDICTIONS = Predictions(
    case_ids=TEST.case_ids,
    risk=LOG_RISK,
    survival=np.exp(-np.exp(LOG_RISK)[:, None] * CURVE_DAYS / 1000),
    survival_time=CURVE_DAYS,
    survival_reading="linear",
)
ALL = [HarrellC(), UnoC(), AntoliniC(), HorizonAuc(), IntegratedBrier(), PredictionAccuracy()]


def scores(predictions: Predictions = PREDICTIONS, test: Outcomes = TEST) -> dict[str, object]:
    return {type(one).__name__: one.within_fold(predictions, test, TRAIN) for one in ALL}


def test_tau_and_the_censoring_distribution_are_those_of_test_and_training_fold():
    known = follow_up(TEST, TRAIN)
    found = {name: score.value for name, score in scores().items()}
    data = TEST.time, TEST.event
    days = evaluation_grid(known.tau)
    curves = survival_at(days, PREDICTIONS.survival, CURVE_DAYS, reading="linear"), days, *data
    given = {"censoring": known.censoring}

    assert (known.tau, known.horizon) == (1643.25, 730.25)
    assert found["HarrellC"] == harrell_c(LOG_RISK, *data)
    assert found["UnoC"] == uno_c(LOG_RISK, *data, tau=known.tau, **given).value
    assert found["HorizonAuc"] == cumulative_dynamic_auc(LOG_RISK, known.horizon, *data, **given)
    assert found["IntegratedBrier"] == integrated_brier_score(*curves, **given)
    assert found["PredictionAccuracy"] == prediction_accuracy_index(*curves, **given)
    assert found["AntoliniC"] == pytest.approx(found["HarrellC"], abs=1e-12)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: type(metric).__name__)
def test_better_predictions_score_better(metric):
    oracle = dataclasses.replace(
        PREDICTIONS,
        risk=-TEST.time,
        survival=(TEST.time[:, None] > CURVE_DAYS).astype(np.float64),
    )

    worse, better = (metric.within_fold(one, TEST, TRAIN).value for one in (PREDICTIONS, oracle))

    assert is_fold_metric(metric)
    assert (better > worse) == metric.higher_is_better


def test_a_model_without_curves_has_no_score_of_curves():
    nothing = {"survival": None, "survival_time": None, "survival_reading": None}

    found = scores(dataclasses.replace(PREDICTIONS, **nothing))

    for name in ("AntoliniC", "IntegratedBrier", "PredictionAccuracy"):
        assert found[name].reason == "the model gives no survival curves"
    assert found["UnoC"].value == scores()["UnoC"].value


def test_curves_that_end_before_tau_are_not_scored_up_to_tau():
    short = dataclasses.replace(PREDICTIONS, survival_time=CURVE_DAYS / 2)

    found = scores(short)["IntegratedBrier"]

    assert found.reason == "the model's curves end on day 1000, before tau = 1643.25"


def test_a_fold_without_events_has_reasons_instead_of_scores():
    found = scores(test=dataclasses.replace(TEST, event=np.zeros(40, np.bool_)))

    assert {
        name: score.value for name, score in found.items() if score.value is not None
    }.keys() == {"IntegratedBrier"}
    assert found["UnoC"].reason.startswith("no comparable pair with an event by day 1")
    assert found["HorizonAuc"].reason.startswith("by day 730.25 there are 0 events")
    assert found["PredictionAccuracy"].reason.startswith("no event by day")
