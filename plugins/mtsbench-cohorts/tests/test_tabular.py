"""Tables without images against published counts and R's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mtsbench_cohorts import tabular_files
from mtsbench_cohorts.tabular import TableDataset, TableDescription
from mtsbench_cohorts.tabular_files import read_bundled, read_downloaded

from mtsbench.data import ClinicalVariable
from mtsbench.errors import DataError
from mtsbench.interfaces import Dataset
from mtsbench.plugins import load_components

AGE = ClinicalVariable(name="age", kind="numeric")
DESCRIPTION = TableDescription(
    name="made",
    endpoint="os",
    time="months",
    days=30.0,
    event="dead",
    happened="1",
    censored="0",
    variables=(AGE,),
)


def made(*rows) -> TableDataset:
    return TableDataset(Path("made.arff"), "f", DESCRIPTION, rows)


def patient(months=2.0, dead="1", age: float | None = 50.0):
    return {"months": months, "dead": dead, "age": age}


@pytest.mark.parametrize(
    ("name", "patients", "events", "endpoint"),
    [("veteran", 137, 128, "os"), ("whas500", 500, 215, "os"), ("gbsg2", 686, 299, "rfs")],
)
def test_a_table_has_the_published_patients_and_events(name, patients, events, endpoint):
    dataset: Dataset = load_components().build("dataset", name, None)

    outcomes = dataset.outcomes(endpoint)

    assert dataset.endpoints == (endpoint,)
    assert (len(outcomes), int(outcomes.event.sum())) == (patients, events)
    assert dataset.channels == ()
    assert not dataset.simulated
    assert dataset.centres() == {}


def test_the_first_veteran_is_who_he_is():
    dataset = read_bundled("veteran")

    case = dataset.load("veteran-001")

    assert case.clinical == {
        "Karnofsky_score": 60.0,
        "Months_from_Diagnosis": 7.0,
        "Age_in_years": 69.0,
        "Treatment": "standard",
        "Celltype": "squamous",
        "Prior_therapy": "no",
    }
    assert (case.images, case.mask) == ({}, None)
    assert dataset.outcomes("os").time[0] == 72.0


@pytest.mark.data
def test_the_median_survival_of_the_veterans_is_r_s():
    golden = Path(__file__).resolve().parents[4] / "shared" / "golden" / "survival_basics.json"
    if not golden.is_file():
        pytest.skip(f"{golden} is not there")
    outcomes = read_bundled("veteran").outcomes("os")
    times = np.unique(outcomes.time[outcomes.event])
    steps = [
        1 - (outcomes.event & (outcomes.time == t)).sum() / (outcomes.time >= t).sum()
        for t in times
    ]
    median = times[np.cumprod(steps) <= 0.5][0]

    assert median == 80.0
    assert "80" in json.dumps(json.loads(golden.read_text())["veteran"])


def test_what_is_not_known_at_admission_is_no_variable():
    names = [variable.name for variable in read_bundled("whas500").clinical_variables]

    assert "los" not in names
    assert {"lenfol", "fstat"}.isdisjoint(names)


def test_months_become_days_and_no_follow_up_half_a_unit():
    outcomes = made(patient(2.0), patient(0.0, "0")).outcomes("os")

    assert outcomes.time.tolist() == [60.0, 15.0]
    assert outcomes.event.tolist() == [True, False]


def test_a_missing_value_stays_missing():
    assert made(patient(age=None)).load("made-1").clinical == {"age": None}


def test_the_fingerprint_belongs_to_the_file_and_the_case():
    dataset = made(patient(), patient())
    other = TableDataset(Path("made.arff"), "g", DESCRIPTION, [patient()])

    assert dataset.fingerprint() != other.fingerprint()
    assert dataset.case_fingerprint("made-1") != dataset.case_fingerprint("made-2")


@pytest.mark.parametrize("months", [-1.0, float("nan"), None])
def test_a_time_that_cannot_be_is_refused_with_patient_and_file(months):
    with pytest.raises(DataError, match=r"made.arff: case 'made-2' has months .*; expected a numb"):
        made(patient(), patient(months))


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match=r"made.arff has no column 'age'; expected age, dead, mont"):
        made({"months": 1.0, "dead": "1"})
    with pytest.raises(DataError, match=r"made.arff has no column 'age'"):
        made()


def test_an_unknown_case_or_endpoint_is_refused():
    with pytest.raises(DataError, match="no case 'x' among the 1 of made, made-1 to made-1"):
        made(patient()).load("x")
    with pytest.raises(DataError, match="made has the endpoint os, not 'pfs'"):
        made(patient()).outcomes("pfs")


@pytest.mark.parametrize(("name", "columns"), [("metabric", 9), ("support", 14), ("gbsg", 7)])
def test_a_downloaded_table_is_read_from_a_folder(tmp_path, name, columns):
    table = pd.DataFrame(
        {f"x{number}": np.float32([0.5, 1.5, 2.5]) for number in range(columns)}
        | {"duration": np.float32([10, 0, 3]), "event": np.int32([1, 0, 1])}
    )
    table.to_feather(tmp_path / f"{name}.feather")

    dataset = load_components().build("dataset", name, tmp_path)

    outcomes = dataset.outcomes(dataset.endpoints[0])
    unit = 1.0 if name == "support" else 365.25 / 12
    np.testing.assert_allclose(outcomes.time, np.array([10, 0.5, 3]) * unit)
    assert outcomes.event.tolist() == [True, False, True]
    assert len(dataset.clinical_variables) == columns
    assert dataset.load(f"{name}-2").clinical["x0"] == 1.5


def test_a_table_that_was_not_downloaded_is_told_how_to(tmp_path):
    with pytest.raises(DataError, match=r"metabric.feather does not exist; download it with `pyth"):
        read_downloaded("metabric", tmp_path)


def test_a_table_is_found_where_pycox_was_told_to_download_it(tmp_path, monkeypatch):
    table = pd.DataFrame({f"x{number}": [0.5, 1.5] for number in range(9)})
    table.assign(duration=[3.0, 4.0], event=[1, 0]).to_feather(tmp_path / "metabric.feather")
    monkeypatch.setenv("PYCOX_DATA_DIR", str(tmp_path))

    assert len(read_downloaded("metabric", None).case_ids) == 2


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "gbsg.feather").write_bytes(b"ARROW1 is what it should begin with")

    with pytest.raises(DataError, match=r"cannot read .*gbsg.feather: .*; download it again"):
        read_downloaded("gbsg", tmp_path)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: read_bundled("veteran"), "a file of scikit-survival, which is not installed"),
        (lambda: read_downloaded("gbsg", None), "that pycox downloads, and pycox is not installed"),
    ],
)
def test_a_missing_library_is_named(monkeypatch, read, message):
    monkeypatch.setattr(tabular_files, "find_spec", lambda name: None)

    with pytest.raises(DataError, match=message):
        read()


def test_a_damaged_installation_is_refused(monkeypatch, tmp_path):
    class Package:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(tabular_files, "find_spec", lambda name: Package)

    with pytest.raises(DataError, match=r"cannot read .*veteran.arff: .*; install scikit-survival"):
        read_bundled("veteran")
