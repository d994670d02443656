"""Files of a stored model that are damaged, missing or of another model."""

from __future__ import annotations

import pandas as pd
import pytest
from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.forest import RandomSurvivalForest
from mtsbench_radiomics.estimators.icare import Icare
from mtsbench_radiomics.models import storage
from mtsbench_radiomics.models.build import clinical_model
from mtsbench_radiomics.models.storage import STATE, TRAINING

from mtsbench.errors import CheckpointError

MODELS = {
    "cox": lambda: clinical_model(Cox()),
    "rsf": lambda: clinical_model(RandomSurvivalForest(trees=5)),
}


@pytest.fixture(scope="module")
def patients(make_patients):
    return make_patients(40)


def fitted(name, patients, context):
    model = MODELS[name]()
    model.fit(patients.labelled(0, 32), patients.labelled(32, 40), context())
    return model


@pytest.mark.parametrize("name", ["cox", "rsf"])
def test_a_damaged_or_missing_state_is_refused(name, patients, context, tmp_path):
    fitted(name, patients, context).save(tmp_path)
    text = (tmp_path / STATE).read_text()

    for damaged in (text[:-20], text.replace('"seed": 0', '"seed": 1')):
        (tmp_path / STATE).write_text(damaged)
        with pytest.raises(CheckpointError, match=rf"{STATE} is damaged"):
            MODELS[name]().load(tmp_path)
    (tmp_path / STATE).unlink()
    with pytest.raises(CheckpointError, match=rf"{STATE} is missing"):
        MODELS[name]().load(tmp_path)


def test_a_damaged_or_missing_training_table_is_refused(patients, context, tmp_path):
    fitted("rsf", patients, context).save(tmp_path)
    content = (tmp_path / TRAINING).read_bytes()

    (tmp_path / TRAINING).write_bytes(content[:-1] + b"!")
    with pytest.raises(CheckpointError, match=rf"{TRAINING} is damaged"):
        MODELS["rsf"]().load(tmp_path)
    (tmp_path / TRAINING).unlink()
    with pytest.raises(CheckpointError, match=rf"{TRAINING} is missing"):
        MODELS["rsf"]().load(tmp_path)


def test_a_second_fit_that_differs_from_the_first_is_refused(patients, context, tmp_path):
    fitted("rsf", patients, context).save(tmp_path)
    # As after an update of the library: the table is as it was, the risks are not.
    frame = pd.read_parquet(tmp_path / TRAINING)
    frame["risk"] += 0.5
    frame.to_parquet(tmp_path / TRAINING, index=False)
    state = storage.StoredModel.model_validate_json((tmp_path / STATE).read_bytes())
    checksum = storage._sha256(tmp_path / TRAINING)
    storage.write_state(tmp_path, state.model_copy(update={"training_sha256": checksum}))

    with pytest.raises(CheckpointError, match=r"differ by up to 0\.5\. It was trained with scikit"):
        MODELS["rsf"]().load(tmp_path)


def test_a_model_with_other_options_is_refused(patients, context, tmp_path):
    fitted("cox", patients, context).save(tmp_path)

    with pytest.raises(CheckpointError, match=r"holds the model .*Cox.*, but .*Icare"):
        clinical_model(Icare()).load(tmp_path)
    with pytest.raises(CheckpointError, match="use the options it was trained with"):
        clinical_model(Cox(ridge=1.0)).load(tmp_path)


def test_a_linear_model_keeps_no_training_case(patients, context, tmp_path):
    fitted("cox", patients, context).save(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [STATE]
