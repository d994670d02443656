"""Features from networks trained inside the model: nothing about a case from its own outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from mtsbench_deepmts.models import build_no_cascade
from mtsbench_radiomics.estimators.coxnet import Coxnet
from mtsbench_radiomics.estimators.forest import RandomSurvivalForest
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models import network_source
from mtsbench_radiomics.models.build import segmentation_alone
from mtsbench_radiomics.models.network_source import (
    REFERENCE,
    NetworkSource,
    with_masks,
    without_masks,
)
from mtsbench_radiomics.models.preparation import PreparationSettings
from mtsbench_radiomics.models.table_model import NetworkTableModel

from mtsbench.capabilities import has_network_inside
from mtsbench.composition import TrainingSettings
from mtsbench.engine.deep_model import DeepModel
from mtsbench.errors import CheckpointError, DataError, NotFittedError, PluginError
from mtsbench.interfaces import FitContext
from mtsbench.model_building import complete_model, model_maker
from mtsbench.plugins import load_components

QUICK = {
    "epochs": 1,
    "steps_per_epoch": 2,
    "batch_size": 4,
    "learning_rates": ((0, 1e-2),),
    "batch_norm_momentum": 0.5,
}
TRAIN, VALIDATION = 8, 12
COMPONENTS = load_components(strict=True)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The networks are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def predicted_size(cohort) -> FeatureTable:
    """Share of the voxels in the mask and mean uptake there; no mask, no features."""
    values, reasons = np.full((len(cohort), 2), np.nan), {}
    for row, case_id in enumerate(cohort.case_ids):
        case = cohort.read_native(case_id)
        inside = case.images["pet_suv"].array[case.mask.array > 0]
        if inside.size:
            values[row] = inside.size / case.mask.array.size, inside.mean()
        else:
            reasons[case_id] = "the predicted mask is empty"
    return FeatureTable(
        case_ids=cohort.case_ids, names=("share", "uptake"), values=values, reasons=reasons
    )


def source(risk: bool = True, **changes) -> NetworkSource:
    composition = build_no_cascade() if risk else segmentation_alone()
    made = NetworkSource(
        changes.pop("composition", composition),
        predicted_size,
        clinical=changes.pop("clinical", True),
        risk=risk,
        folds=2,
    )
    made.take_networks(lambda composition: DeepModel(composition, COMPONENTS, "cpu"))
    return made


def learn(patients, context, features) -> FeatureTable:
    return features.learn(
        patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION), context(0, **QUICK)
    )


@pytest.fixture(scope="module")
def patients(make_patients):
    return make_patients(16)


@pytest.fixture(scope="module")
def learnt(patients):
    """A source that has learnt, the features it gave, and its log."""
    lines = []
    context = FitContext(
        seed=0,
        device="cpu",
        training=TrainingSettings(**QUICK),
        log=lambda epoch, values: lines.append(values),
    )
    one = source()
    table = one.learn(patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION), context)
    return one, table, lines


def model(features=None, estimator=None) -> NetworkTableModel:
    return NetworkTableModel(
        estimator=estimator or Coxnet(),
        preparation=PreparationSettings(),
        source=features or source(),
        inner_folds=2,
    )


def test_training_features_are_out_of_fold(make_patients, patients, learnt, context):
    """A training case's own time changes the other fold's risks, never its own."""
    changed, before = make_patients(16), learnt[1]
    row = int(np.flatnonzero(patients.event[:TRAIN])[0])
    changed.time[row] = 2 * patients.time.max()

    after = learn(changed, context, source())

    assert before.names == ("share", "uptake", "deep_risk", "age", "noise")
    assert before.case_ids == patients.case_ids[:VALIDATION]
    np.testing.assert_array_equal(before.values[row], after.values[row])
    others = np.arange(TRAIN) != row
    assert (before.values[:TRAIN, 2] != after.values[:TRAIN, 2])[others].any()


def test_a_training_mask_does_not_reach_the_features_of_its_own_case(make_patients, context):
    patients, changed = make_patients(16), make_patients(16)
    changed.masks["P002"] = ~patients.tumour("P002")

    before, after = (learn(each, context, source(risk=False)) for each in (patients, changed))

    np.testing.assert_array_equal(before.values[2], after.values[2])
    assert (before.values != after.values)[:TRAIN].any()


def test_the_features_of_new_cases_need_no_mask(make_patients, patients, learnt):
    changed = make_patients(16)
    for case_id in changed.case_ids:
        changed.masks[case_id] = np.zeros((16, 16, 16), dtype=bool)

    seen = learnt[0].extract(patients.cohort(VALIDATION))
    scrambled = learnt[0].extract(changed.cohort(VALIDATION))
    withheld = learnt[0].extract(without_masks(patients.cohort(VALIDATION)))

    for other in (scrambled, withheld):
        np.testing.assert_array_equal(seen.table.values, other.table.values)
    assert len(seen.tumour_probability) == 4


def test_the_risks_of_all_networks_are_on_the_scale_of_the_validation_cases(learnt):
    table = learnt[1]

    validation = table.values[TRAIN:, table.names.index("deep_risk")]
    assert validation.mean() == pytest.approx(0, abs=1e-6)
    assert validation.std() == pytest.approx(1, abs=1e-6)


def test_each_inner_network_is_told_apart_in_the_log(learnt):
    assert [values["inner_network"] for values in learnt[2]] == [0.0, 1.0, 2.0]


def test_a_network_for_masks_alone_learns_no_outcome(make_patients, context):
    patients, changed = make_patients(16), make_patients(16)
    # Not the events: they decide the folds and the batches.
    changed.time[:TRAIN] = changed.time[:TRAIN][::-1] + 7

    one, other = (learn(each, context, source(risk=False)) for each in (patients, changed))

    np.testing.assert_array_equal(one.values, other.values)
    assert "deep_risk" not in one.names


def test_a_predicted_mask_lies_on_the_common_grid_and_is_never_cached(patients, tmp_path):
    cohort = replace(patients.cohort(0, 1), cache_folder=tmp_path)
    mask = np.zeros((16, 16, 16), dtype=bool)
    mask[3:5] = True

    view = with_masks(cohort, {"P000": mask})

    shown = view.read_native("P000").mask
    assert shown.array.sum() == 2 * 16 * 16
    assert shown.grid == cohort[0].grid
    assert view.cache_folder is None


@pytest.mark.parametrize("estimator", [Coxnet(), RandomSurvivalForest(trees=10, leaves=(4,))])
def test_the_model_predicts_again_what_it_did_before_it_was_saved(
    estimator, patients, context, tmp_path
):
    fitted, loaded = model(estimator=estimator), model(estimator=estimator)
    fitted.fit(
        patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION), context(1, **QUICK)
    )
    fitted.save(tmp_path)

    loaded.load(tmp_path)

    before, after = (one.predict(patients.cohort(VALIDATION)) for one in (fitted, loaded))
    assert has_network_inside(fitted)
    assert np.isfinite(before.risk).all()
    np.testing.assert_allclose(before.risk, after.risk, atol=1e-6)
    np.testing.assert_allclose(before.survival, after.survival, atol=1e-6)
    np.testing.assert_allclose(before.tumour_probability[0], after.tumour_probability[0], atol=1e-6)


def test_an_empty_predicted_mask_gives_a_case_the_training_medians(
    patients, context, caplog, monkeypatch
):
    fitted = model()
    fitted.fit(
        patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION), context(0, **QUICK)
    )
    monkeypatch.setattr(network_source, "TUMOUR_THRESHOLD", 1.0)  # no probability is above it

    predictions = fitted.predict(patients.cohort(VALIDATION))

    assert np.isfinite(predictions.risk).all()
    for case_id in predictions.case_ids:
        assert f"case '{case_id}': the predicted mask is empty; the training med" in caplog.text


def test_where_no_mask_was_predicted_in_training_the_other_features_are_left(
    patients, context, monkeypatch
):
    monkeypatch.setattr(network_source, "TUMOUR_THRESHOLD", 1.0)
    without = model(source(clinical=False, risk=False))
    clinical = model(source(risk=False))
    cohorts = patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION)

    with pytest.raises(DataError, match=r"no feature to learn from \(share: missing in 12 of 12"):
        without.fit(*cohorts, context(0, **QUICK))
    clinical.fit(*cohorts, context(0, **QUICK))

    assert np.isfinite(clinical.predict(patients.cohort(VALIDATION)).risk).all()


def test_a_damaged_or_missing_reference_is_refused(learnt, tmp_path):
    learnt[0].save(tmp_path)
    path = tmp_path / "network" / REFERENCE

    path.write_text('{"mean": "high"}')
    with pytest.raises(CheckpointError, match=rf"{REFERENCE} is damaged"):
        source().load(tmp_path)
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{REFERENCE} is missing"):
        source().load(tmp_path)


def test_an_untrained_network_gives_no_features_and_is_not_saved(patients, tmp_path):
    with pytest.raises(NotFittedError, match="the network is not trained; call fit or load"):
        source().extract(patients.cohort())
    with pytest.raises(NotFittedError, match="the network is not trained; call fit before save"):
        source().save(tmp_path)


def test_a_source_that_was_given_no_networks_says_how_it_gets_them(
    patients, context, learnt, tmp_path
):
    alone = NetworkSource(segmentation_alone(), predicted_size, clinical=False, risk=False, folds=2)
    learnt[0].save(tmp_path)

    with pytest.raises(PluginError, match="given nothing that makes its network; get it from"):
        learn(patients, context, alone)
    with pytest.raises(PluginError, match="given nothing that makes its network; get it from"):
        alone.load(tmp_path)
    complete_model(model(alone), COMPONENTS, "cpu")
    alone.load(tmp_path)


def test_a_stored_model_predicts_on_the_device_that_was_named_and_looks_for_no_plugins(
    patients, context, tmp_path, monkeypatch
):
    fitted, loaded = model(source(risk=False)), model(source(risk=False))
    fitted.fit(
        patients.labelled(0, TRAIN), patients.labelled(TRAIN, VALIDATION), context(0, **QUICK)
    )
    fitted.save(tmp_path)
    complete_model(loaded, COMPONENTS, "cpu")
    # As on a machine with a GPU, where `--device cpu` was said.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr("mtsbench.plugins.load_components", lambda **_: pytest.fail("scanned"))

    loaded.load(tmp_path)

    monkeypatch.undo()
    before, after = (one.predict(patients.cohort(VALIDATION)) for one in (fitted, loaded))
    np.testing.assert_array_equal(before.risk, after.risk)


def test_without_validation_masks_no_segmentation_can_be_chosen(make_patients, context):
    patients = make_patients(16)
    for case_id in patients.case_ids[TRAIN:]:
        patients.masks[case_id] = np.zeros((16, 16, 16), dtype=bool)

    with pytest.raises(DataError, match="none of the 4 validation cases has a tumour mask"):
        learn(patients, context, source(risk=False))


def test_a_network_that_does_not_segment_is_refused(patients, context):
    from mtsbench_deepmts.models import build_no_segmentation

    with pytest.raises(DataError, match="'deepmts-encoder' does not segment"):
        learn(patients, context, source(composition=build_no_segmentation()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deepmts-radiomics", "radiomics-rsf-predicted"])
def test_the_announced_model_trains_its_networks_and_is_stored(
    name, make_patients, context, tmp_path
):
    patients = make_patients(24, size=32)
    fitted, loaded = (model_maker(name, {}, COMPONENTS, "cpu")() for _ in range(2))

    fitted.fit(patients.labelled(0, 12), patients.labelled(12, 18), context(0, **QUICK))
    fitted.save(tmp_path)
    loaded.load(tmp_path)

    before, after = (one.predict(patients.cohort(18)) for one in (fitted, loaded))
    assert context.lines[-1][1]["features"] > 200
    np.testing.assert_allclose(before.risk, after.risk, atol=1e-5)
    assert before.survival.shape[0] == len(before.tumour_probability) == 6
