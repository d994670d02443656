"""A finished trial's model on new patients, and every way in which it cannot be applied."""

from __future__ import annotations

from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from mtsbench.data import ClinicalVariable
from mtsbench.errors import CheckpointError, DataError
from mtsbench.experiment import Request, resolve
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.prediction import apply, read_trained
from mtsbench.progress import Progress
from mtsbench.runner import RunOptions, run
from mtsbench.splits import make_splits
from mtsbench.store import RunStore

QUIET = Progress(Console(file=StringIO()))


@pytest.fixture
def trial(tiny, tmp_path):
    components = tiny.components()
    experiment = resolve(
        Request(model="uptake", dataset="tiny", preset="standard", folds=2, repeats=1), components
    )
    splits = make_splits(experiment.dataset.outcomes("pfs"), experiment.protocol, {})
    store = RunStore(tmp_path / "run")
    options = RunOptions(
        cache_folder=tmp_path / "cache", workers=1, save_masks=False, progress=QUIET
    )
    run(experiment, splits, build_metrics(components), store, options)
    return store.trial_folder(store.records()[0])


def predict(tiny, trial, tmp_path, dataset):
    trained = read_trained(trial, tiny.components(), "cpu")
    return apply(
        trained,
        dataset,
        tmp_path / "out",
        cache_folder=tmp_path / "cache",
        workers=1,
        progress=QUIET,
    )


def test_new_patients_get_a_risk_and_a_mask(tiny, trial, tmp_path):
    table = predict(tiny, trial, tmp_path, tiny.TinyDataset(5))

    written = pd.read_csv(tmp_path / "out" / "risk.csv")
    assert list(table["case_id"]) == ["T04", "T03", "T02", "T01", "T00"]
    assert list(written["case_id"]) == list(table["case_id"])
    assert len(list((tmp_path / "out" / "masks").glob("*.nii.gz"))) == 5


def test_patients_without_a_trained_channel_are_refused(tiny, trial, tmp_path):
    dataset = tiny.TinyDataset(5)
    dataset.channels = ("pet_suv",)

    with pytest.raises(DataError, match=r"trained on channel 'ct_hu', but .* only pet_suv"):
        predict(tiny, trial, tmp_path, dataset)


def test_patients_without_a_clinical_variable_are_refused(tiny, trial, tmp_path):
    dataset = tiny.TinyDataset(5)
    dataset.clinical_variables = (ClinicalVariable(name="sex", kind="categorical"),)

    with pytest.raises(DataError, match="clinical variables age; the new patients have no age"):
        predict(tiny, trial, tmp_path, dataset)


@pytest.mark.parametrize("name", ["scale.json", "preprocessing.json", "model.json"])
def test_a_trial_whose_files_were_changed_is_refused(tiny, trial, name):
    (trial / name).write_text((trial / name).read_text().replace("1", "2"))

    with pytest.raises(CheckpointError, match=rf"{name} is damaged .*; the same `mtsbench run`"):
        read_trained(trial, tiny.components(), "cpu")


def test_a_folder_that_is_no_trial_is_refused(tiny, tmp_path):
    with pytest.raises(CheckpointError, match=r"model.json does not exist; --checkpoint takes"):
        read_trained(tmp_path, tiny.components(), "cpu")


def test_a_damaged_description_is_refused(tiny, trial):
    (trial / "model.json").write_text("{")

    with pytest.raises(CheckpointError, match=r"model.json is damaged"):
        read_trained(trial, tiny.components(), "cpu")


def test_damaged_preprocessing_is_refused(tiny, trial):
    (trial / "preprocessing.json").write_text("{}")

    with pytest.raises(CheckpointError):
        read_trained(trial, tiny.components(), "cpu")
