from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtsbench.checksums import write_checksums
from mtsbench.comparison.comparable import read_run
from mtsbench.comparison.patients import read_patients
from mtsbench.errors import DataError


def test_each_patient_stands_in_one_fold_of_every_repeat_and_seed(stored):
    store = stored(label="a", repeats=2, seeds=(0, 1))

    found = read_patients(store, store.records())

    assert len(found.folds) == 12
    assert len(found.risk()) == 4 * 90
    assert (np.bincount(found.patient()) == 4).all()
    assert (found.time() == found.outcomes.time[found.patient()]).all()
    assert (found.event() == found.outcomes.event[found.patient()]).all()
    assert len(np.unique(found.stratum())) == 12
    assert found.gives_curves()
    assert found.gives_masks()
    for fold in found.folds:
        assert len(fold.training_risk) == 60
        assert (fold.predictions.survival_time == np.linspace(0, 4000, 41)).all()
        assert fold.predictions.survival_reading == "linear"
        assert fold.masks["overlap_ml"].max() <= fold.masks["true_ml"].max()


def test_a_model_without_masks_and_curves_gives_neither(stored):
    store = stored(label="a", masks=False, curves=False)

    found = read_patients(store, store.records())

    assert not found.gives_masks()
    assert not found.gives_curves()


def test_a_run_without_its_files_is_named(stored):
    store = stored(label="a")
    folder = store.trial_folder(store.records()[0])
    (folder / "training_risk.parquet").unlink()

    with pytest.raises(DataError, match=r"training_risk.parquet is missing; the same `mtsbench"):
        read_patients(store, read_run(store).records)


def test_a_table_that_lost_patients_is_refused(stored):
    store = stored(label="a")
    path = store.trial_folder(store.records()[0]) / "predictions.parquet"
    pd.read_parquet(path).iloc[:-1].to_parquet(path)
    with pytest.raises(DataError, match=r"predictions.parquet is damaged \(its checksum differs"):
        read_patients(store, store.records())

    write_checksums(path.parent, store.records()[0].key, path.parent.iterdir())
    with pytest.raises(DataError, match=r"holds 29 cases, but the record says 30; remove the tr"):
        read_patients(store, store.records())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda table: table.drop(columns="survival_reading"), "nothing, where each row must say"),
        (lambda table: table.assign(survival_reading="smooth"), "'smooth', where each row"),
        (
            lambda table: table.assign(survival_reading=["step"] * 10 + ["linear"] * 20),
            "'linear' and 'step', where each row must say .* remove the trial's folder and run",
        ),
        (lambda table: table.assign(survival_reading=None), "None, where each row must say"),
    ],
)
def test_stored_curves_are_read_as_they_say_or_not_at_all(stored, change, found):
    store = stored(label="a")
    path = store.trial_folder(store.records()[0]) / "predictions.parquet"
    change(pd.read_parquet(path)).to_parquet(path)

    with pytest.raises(DataError, match=rf"parquet holds survival curves, but .* holds {found}"):
        read_patients(store, store.records())
