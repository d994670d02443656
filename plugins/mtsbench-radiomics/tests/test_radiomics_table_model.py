"""Fit, predict, save and load of models whose features need no network."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.coxnet import Coxnet
from mtsbench_radiomics.estimators.forest import GradientBoosting, RandomSurvivalForest
from mtsbench_radiomics.estimators.icare import Icare
from mtsbench_radiomics.estimators.marginal import Marginal
from mtsbench_radiomics.features.cohort_features import extract_cohort
from mtsbench_radiomics.features.settings import standard_settings
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models.build import clinical_model, marginal_model, volume_model
from mtsbench_radiomics.models.preparation import PreparationSettings
from mtsbench_radiomics.models.sources import FixedSource, aligned, clinical_features
from mtsbench_radiomics.models.storage import STATE
from mtsbench_radiomics.models.table_model import TableModel

from mtsbench.data import ClinicalVariable
from mtsbench.errors import DataError, NotFittedError
from mtsbench.metrics.survival import harrell_c
from mtsbench.preprocessing.clinical import ClinicalEncoder

SETTINGS = standard_settings()


def uptake(cohort) -> FeatureTable:
    """Some image features, made like radiomics from native cases; no mask, no features."""
    values, reasons = np.full((len(cohort), 6), np.nan), {}
    for row, case_id in enumerate(cohort.case_ids):
        case = cohort.read_native(case_id)
        inside = case.images["pet_suv"].array[case.mask.array > 0]
        if not inside.size:
            reasons[case_id] = "the tumour region is empty"
            continue
        size = np.log(inside.size)
        values[row] = [size, size + 0.01 * inside.mean(), 1.0, *inside[:3]]
    names = ("size", "twin", "constant", "n1", "n2", "n3")
    return FeatureTable(case_ids=cohort.case_ids, names=names, values=values, reasons=reasons)


def uptake_model(estimator=None, **options) -> TableModel:
    return TableModel(
        estimator=estimator or Coxnet(),
        preparation=PreparationSettings(screened=3, correlation=0.9),
        source=FixedSource(parts=(uptake, clinical_features)),
        options=options,
    )


MODELS = {
    "km": marginal_model,
    "clinical-cox": lambda: clinical_model(Cox()),
    "clinical-rsf": lambda: clinical_model(RandomSurvivalForest(trees=30)),
    "volume": lambda: volume_model("given", 0.0),
    "coxnet": uptake_model,
    "rsf": lambda: uptake_model(RandomSurvivalForest(trees=30)),
    "gbm": lambda: uptake_model(GradientBoosting(trees=(10, 40))),
    "icare": lambda: uptake_model(Icare(bags=40)),
}
EVERY = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def patients(make_patients):
    return make_patients(140)


def fitted(name, patients, context, seed: int = 0) -> TableModel:
    model = MODELS[name]()
    model.fit(patients.labelled(0, 32), patients.labelled(32, 40), context(seed))
    return model


@EVERY
def test_new_cases_with_an_earlier_event_have_a_higher_risk(name, patients, context):
    model = MODELS[name]()
    model.fit(patients.labelled(0, 60), patients.labelled(60, 80), context())

    predictions = model.predict(patients.cohort(80))

    concordance = harrell_c(predictions.risk, patients.time[80:], patients.event[80:])
    assert concordance == 0.5 if name == "km" else concordance > 0.65
    assert predictions.survival.shape == (60, len(predictions.survival_time))
    assert predictions.survival[:, -1].mean() < 0.6


@EVERY
def test_a_loaded_model_predicts_what_the_saved_one_did(name, patients, context, tmp_path):
    model = fitted(name, patients, context, seed=5)
    before = model.predict(patients.cohort(40))
    model.save(tmp_path)
    loaded = MODELS[name]()

    loaded.load(tmp_path)

    after = loaded.predict(patients.cohort(40))
    assert after.case_ids == patients.case_ids[40:]
    assert (before.risk == after.risk).all()
    assert (before.survival == after.survival).all()
    again = tmp_path / "again"
    again.mkdir()
    loaded.save(again)
    assert (again / STATE).read_bytes() == (tmp_path / STATE).read_bytes()


@EVERY
def test_the_same_seed_gives_the_same_model(name, patients, context):
    one, other = (
        fitted(name, patients, context, seed=2).predict(patients.cohort(40)) for _ in range(2)
    )

    assert (one.risk == other.risk).all()
    assert (one.survival == other.survival).all()


@EVERY
def test_an_unfitted_model_neither_predicts_nor_is_saved(name, patients, tmp_path):
    with pytest.raises(NotFittedError, match="cannot predict: the model is not fitted"):
        MODELS[name]().predict(patients.cohort())
    with pytest.raises(NotFittedError, match="cannot save: the model is not fitted"):
        MODELS[name]().save(tmp_path)


@EVERY
def test_what_is_not_in_the_training_part_changes_nothing_in_the_fit(name, make_patients, context):
    changed = make_patients(100)
    changed.time[40:], changed.age[40:] = 1e4 - changed.time[40:], -9.0

    one, other = (fitted(name, each, context) for each in (make_patients(100), changed))

    cohort = make_patients(100).cohort()
    assert (one.predict(cohort).risk == other.predict(cohort).risk).all()


def test_validation_cases_are_learnt_from_too(make_patients, context):
    changed = make_patients(100)
    changed.time[32:40] = changed.time[32:40][::-1]

    one, other = (fitted("clinical-cox", each, context) for each in (make_patients(100), changed))

    cohort = changed.cohort()
    assert (one.predict(cohort).risk != other.predict(cohort).risk).any()


def test_clinical_cox_has_the_coefficients_of_the_features_as_given(patients, context, tmp_path):
    from lifelines import CoxPHFitter

    fitted("clinical-cox", patients, context).save(tmp_path)

    table = pd.DataFrame(
        {
            "age": patients.age.astype(np.float32).astype(float),
            "noise": patients.noise.astype(np.float32).astype(float),
            "time": patients.time,
            "event": patients.event,
        }
    )[:40]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' own use of pandas
        expected = CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-12})
    state = json.loads((tmp_path / STATE).read_text())
    assert state["preparation"]["names"] == ["age", "noise"]
    assert state["fit"]["coefficients"] == pytest.approx(list(expected.params_), abs=1e-6)


def test_a_constant_clinical_feature_is_left_out_and_told(make_patients, context, tmp_path, caplog):
    patients = make_patients(40)
    labelled = patients.with_clinical(lambda row: (patients.age[row], 3.0))
    model = clinical_model(Cox())

    model.fit(labelled, labelled_part(labelled, 0, 0), context())
    model.save(tmp_path)

    state = json.loads((tmp_path / STATE).read_text())
    assert state["preparation"]["names"] == ["age"]
    assert state["preparation"]["dropped"] == {"noise": "constant in the training part: 3"}
    assert context.lines[-1][1]["features_used"] == 1
    assert "left out of the fit: noise (constant in the training part: 3)" in caplog.text


def labelled_part(labelled, start: int, stop: int):
    case_ids = labelled.cohort.case_ids[start:stop]
    return replace(
        labelled,
        cohort=replace(labelled.cohort, case_ids=case_ids),
        outcomes=labelled.outcomes.subset(case_ids),
    )


def test_a_missing_clinical_value_counts_as_the_training_median(
    make_patients, context, tmp_path, caplog
):
    patients = make_patients(41)
    gap = patients.with_clinical(
        lambda row: (math.nan if row in (4, 40) else patients.age[row], patients.noise[row])
    )
    known = [row for row in range(40) if row != 4]
    median = float(np.median(patients.age[known].astype(np.float32)))
    filled = patients.with_clinical(
        lambda row: (median if row in (4, 40) else patients.age[row], patients.noise[row])
    )

    risks = []
    for labelled in (gap, filled):
        model = clinical_model(Cox())
        model.fit(labelled_part(labelled, 0, 30), labelled_part(labelled, 30, 40), context())
        risks.append(model.predict(labelled_part(labelled, 40, 41).cohort).risk)
        if labelled is gap:
            model.save(tmp_path)

    assert risks[0] == pytest.approx(risks[1])
    state = json.loads((tmp_path / STATE).read_text())
    assert state["missing"] == {"P004": "clinical variables without a value: age"}
    assert "case 'P040': clinical variables without a value: age; the training" in caplog.text


def test_values_missing_together_give_indicators_that_are_equal_and_one_is_kept(
    make_patients, context
):
    patients = make_patients(40)
    rows = {
        case_id: {"age": None, "weight": None}
        if row % 5 == 0
        else {"age": float(patients.age[row]), "weight": float(patients.noise[row])}
        for row, case_id in enumerate(patients.case_ids)
    }
    variables = [ClinicalVariable(name=name, kind="numeric") for name in ("age", "weight")]
    encoder = ClinicalEncoder.fit(variables, rows)
    labelled = patients.with_clinical(lambda row: encoder.encode("P", rows[patients.case_ids[row]]))
    labelled = replace(
        labelled, cohort=replace(labelled.cohort, clinical_features=encoder.feature_names)
    )
    model = clinical_model(Cox())

    model.fit(labelled, labelled_part(labelled, 0, 0), context())

    assert encoder.feature_names == ("age", "age_missing", "weight", "weight_missing")
    assert context.lines[-1][1]["features_used"] == 3


def test_an_empty_mask_gives_a_case_the_training_medians(make_patients, context, caplog):
    patients = make_patients(60)
    for case_id in ("P003", "P050"):
        patients.masks[case_id] = np.zeros((16, 16, 16), dtype=bool)
    model = uptake_model()

    model.fit(patients.labelled(0, 30), patients.labelled(30, 40), context())
    predictions = model.predict(patients.cohort(49, 51))

    assert context.lines[-1][1]["cases_with_missing_features"] == 1
    assert np.isfinite(predictions.risk).all()
    assert "case 'P050': the tumour region is empty; the training medians stand in" in caplog.text
    assert "P049" not in caplog.text


def test_a_lone_case_without_any_feature_gets_the_training_medians(make_patients, context):
    patients = make_patients(60)
    patients.masks["P050"] = np.zeros((16, 16, 16), dtype=bool)
    model = TableModel(
        estimator=Coxnet(),
        preparation=PreparationSettings(screened=8),
        source=FixedSource(parts=(partial(extract_cohort, region="given", settings=SETTINGS),)),
    )

    model.fit(patients.labelled(0, 24), patients.labelled(24, 30), context())

    assert context.lines[-1][1]["features"] > 50
    assert np.isfinite(model.predict(patients.cohort(50, 51)).risk).all()
    together = model.predict(patients.cohort(40, 60))
    assert np.corrcoef(together.risk, patients.radius[40:])[0, 1] > 0.5


def test_a_feature_that_is_absent_without_a_reason_is_refused(patients):
    table = clinical_features(patients.cohort(0, 3))

    with pytest.raises(DataError, match="the features hold no 'size'"):
        aligned(table, ("age", "size"))
    excused = replace(table, reasons=dict.fromkeys(table.case_ids, "the region is empty"))
    assert np.isnan(aligned(excused, ("size", "age")).values[:, 0]).all()


@EVERY
def test_fewer_than_three_events_are_refused_except_by_km(name, make_patients, context):
    patients = make_patients(40)
    patients.event[:] = False
    patients.event[[3, 35]] = True
    model = MODELS[name]()
    cohorts = patients.labelled(0, 30), patients.labelled(30, 40)

    if name == "km":
        model.fit(*cohorts, context())
        assert model.predict(patients.cohort()).survival.min() > 0
    else:
        with pytest.raises(DataError, match=r"2 events in 40 cases; expected at least 3"):
            model.fit(*cohorts, context())


def test_a_training_part_without_a_usable_feature_is_refused(make_patients, context):
    patients = make_patients(20)
    labelled = patients.with_clinical(lambda row: (1.0, 2.0))

    with pytest.raises(DataError, match=r"no feature to learn from \(age: constant.*model km"):
        clinical_model(Cox()).fit(labelled, labelled_part(labelled, 0, 0), context())


def test_inner_cross_validation_finds_the_setting_that_orders_held_out_cases(patients, context):
    fitted("coxnet", patients, context)

    facts = context.lines[-1][1]
    assert facts["inner_folds"] == 5
    assert facts["inner_c_index"] > 0.65
    assert (facts["features"], facts["features_used"]) == (8, 5)


def test_km_gives_the_marginal_estimator_no_features(patients, context, tmp_path):
    model = fitted("km", patients, context)

    assert isinstance(model.estimator, Marginal)
    assert context.lines[-1][1]["features"] == 0
