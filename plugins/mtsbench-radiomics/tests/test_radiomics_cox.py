"""The Cox model equals other programs and refuses what has no answer."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.design import Design
from mtsbench_radiomics.estimators.folds import event_stratified_folds
from sksurv import datasets

from mtsbench.errors import DataError

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden" / "survival_basics.json"


def read_bundled(name: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """One-hot features without a reference level, time, event."""
    loaders = {
        "veteran": datasets.load_veterans_lung_cancer,
        "gbsg2": datasets.load_gbsg2,
        "whas500": datasets.load_whas500,
    }
    frame, outcome = loaders[name]()
    event, time = outcome.dtype.names
    numbers = pd.get_dummies(frame, drop_first=True).astype(float)
    return numbers, outcome[time].astype(float), outcome[event].astype(bool)


def design_of(frame: pd.DataFrame, time: np.ndarray, event: np.ndarray) -> Design:
    return Design(names=tuple(frame.columns), values=frame.to_numpy(float), time=time, event=event)


def simulated(count: int = 80, seed: int = 0) -> Design:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, 3))
    time = np.ceil(100 * rng.exponential(np.exp(-values[:, 0])))
    return Design(names=("a", "b", "c"), values=values, time=time, event=rng.random(count) < 0.7)


def changed(design: Design, values: np.ndarray, names: tuple[str, ...]) -> Design:
    return Design(names=names, values=values, time=design.time, event=design.event)


@pytest.mark.parametrize("name", ["veteran", "gbsg2", "whas500"])
def test_coefficients_equal_those_of_lifelines_on_every_fold(name):
    from lifelines import CoxPHFitter

    frame, time, event = read_bundled(name)
    fold = event_stratified_folds(event, 5, seed=1)
    for number in range(5):
        rows = fold != number
        table = frame[rows].assign(time=time[rows], event=event[rows])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lifelines' own use of pandas
            other = CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-12})

        found = Cox().fit(design_of(frame[rows], time[rows], event[rows]), 0.0, 0)

        np.testing.assert_allclose(found.coefficients, other.params_, rtol=0, atol=1e-6)


def test_coefficients_equal_those_of_r_on_veteran():
    if not GOLDEN.is_file():
        pytest.skip(f"{GOLDEN} is absent: the shared folder lies beside the repository")
    expected = json.loads(GOLDEN.read_text())["veteran"]["cox_B"]["coef"]
    frame, outcome = datasets.load_veterans_lung_cancer()
    r_columns = pd.DataFrame(
        {
            "trt": frame["Treatment"] == "test",
            **{
                f"celltype{level}": frame["Celltype"] == level
                for level in ("smallcell", "adeno", "large")
            },
            "karno": frame["Karnofsky_score"],
            "diagtime": frame["Months_from_Diagnosis"],
            "age": frame["Age_in_years"],
            "prior": 10.0 * (frame["Prior_therapy"] == "yes"),  # R codes it 0 or 10
        }
    )

    time, event = outcome["Survival_in_days"].astype(float), outcome["Status"].astype(bool)
    found = Cox().fit(design_of(r_columns.astype(float), time, event), 0.0, 0)

    assert found.coefficients == pytest.approx(list(expected.values()), abs=1e-6)


def test_risk_is_zero_at_the_training_medians_and_higher_for_an_earlier_event():
    design = simulated()
    fit = Cox().fit(design, 0.0, 0)

    assert fit.risk(np.median(design.values, axis=0, keepdims=True)) == pytest.approx([0.0])
    assert fit.coefficients[0] > 0.5


def test_curves_are_those_of_breslow():
    from sksurv.linear_model.coxph import BreslowEstimator

    design = simulated()
    fit = Cox().fit(design, 0.0, 0)
    risk = fit.risk(design.values)

    other = BreslowEstimator().fit(risk, design.event, design.time)
    curves = [curve(fit.survival_time[1:]) for curve in other.get_survival_function(risk[:5])]
    np.testing.assert_allclose(fit.survival(design.values[:5])[:, 1:], curves, atol=1e-12)
    assert (fit.survival(design.values)[:, 0] == 1).all()


def test_curves_of_an_absurd_case_stay_probabilities():
    design = simulated()
    fit = Cox().fit(design, 0.0, 0)

    curves = fit.survival(np.array([[1e6, 0, 0], [-1e6, 0, 0]]))

    assert ((curves >= 0) & (curves <= 1)).all()
    assert curves[0, -1] < 1e-6 < 1 - 1e-6 < curves[1, -1]


def test_ridge_shrinks_the_coefficients():
    design = simulated()

    plain, shrunk = (np.array(Cox().fit(design, ridge, 0).coefficients) for ridge in (0.0, 50.0))

    assert np.linalg.norm(shrunk) < 0.8 * np.linalg.norm(plain)


def test_features_that_determine_each_other_are_named():
    design = simulated()
    a, b, c = design.values.T
    singular = changed(design, np.stack([a, c, a + b, b], axis=1), ("a", "c", "sum", "b"))

    with pytest.raises(DataError, match=r"covariates a, sum, b determine each .*ridge=0\.1"):
        Cox().fit(singular, 0.0, 0)
    assert np.isfinite(Cox(ridge=0.1).fit(singular, 0.1, 0).coefficients).all()


def test_more_features_than_cases_have_no_unique_coefficients():
    wide = changed(
        simulated(10), np.random.default_rng(0).normal(size=(10, 12)), tuple("abcdefghijkl")
    )

    with pytest.raises(DataError, match=r"12 covariates \(a, b, .* and 4 more\) for 10 pat"):
        Cox().fit(wide, 0.0, 0)
    assert np.isfinite(Cox(ridge=0.1).fit(wide, 0.1, 0).coefficients).all()


def test_a_feature_that_separates_early_from_late_is_named(caplog):
    time = np.arange(1.0, 41.0)
    noise = np.random.default_rng(0).normal(size=40)
    early = (time <= 20).astype(float)
    design = Design(
        names=("noise", "early"),
        values=np.stack([noise, early], axis=1),
        time=time,
        event=time <= 20,
    )

    with pytest.raises(DataError, match=r"no finite maximum: the covariate early separates.*ridge"):
        Cox(monotone="refuse").fit(design, 0.0, 0)
    assert caplog.text == ""
    ridged, plain = Cox().fit(design, 0.1, 0), Cox().fit(design, 0.0, 0)
    assert ridged.coefficients[1] > 0
    assert plain.coefficients == pytest.approx(ridged.coefficients, abs=1e-12)
    assert "the covariate early separates earlier" in caplog.text
    assert "It was fitted with ridge=0.1 instead" in caplog.text


def test_what_is_not_unique_stays_refused_where_a_monotone_likelihood_would_be_mended():
    design = simulated()
    twice = Design(
        names=("a", "b"),
        values=np.stack([design.values[:, 0], design.values[:, 0]], axis=1),
        time=design.time,
        event=design.event,
    )

    with pytest.raises(DataError, match=r"covariates a, b determine each other"):
        Cox().fit(twice, 0.0, 0)


def test_fewer_than_three_events_are_refused():
    design = simulated()
    event = np.zeros(80, dtype=bool)
    event[:2] = True
    few = Design(names=design.names, values=design.values, time=design.time, event=event)

    with pytest.raises(DataError, match=r"2 events in 80 cases; expected at least 3.*model km"):
        Cox().fit(few, 0.0, 0)
