"""Loose columns, left joins and refused cells of HECKTOR's tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mtsbench_cohorts.hecktor_tables import loose, read_factors, read_tables

from mtsbench.errors import DataError


def table(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


@given(st.sampled_from(["-", "_", " ", ""]), st.booleans(), st.sampled_from(["", " (0=-, 1=+)"]))
def test_a_column_is_known_however_it_is_spelt(separator, upper, remark):
    name = separator.join(["HPV", "status"]) + remark

    assert loose(name.upper() if upper else name) == "hpvstatus"


def test_endpoint_and_clinical_tables_are_joined_on_the_patients_with_images(tmp_path):
    endpoints = table(
        tmp_path, "PatientID,Relapse,RFS\nCHUM_001,1,266\nCHUM-002,0,501.0\n", "e.csv"
    )
    clinical = table(
        tmp_path,
        "PatientID,Task 1,CenterID,Gender,Age,Tobacco,HPV status (0=-; 1=+)\n"
        "CHUM-001,1,2,M,59,,1.0\nCHUM-003,1,3,F,61,1,NA\nMDA-9,0,5,F,1,1,1\n",
        "c.csv",
    )

    found = read_tables([endpoints, clinical], ("CHUM-001", "CHUM-002", "CHUM-003"))

    outcomes = found.outcomes["rfs"]
    assert outcomes.case_ids == ("CHUM-001", "CHUM-002")
    assert outcomes.time.tolist() == [266.0, 501.0]
    assert outcomes.event.tolist() == [True, False]
    assert found.centres == {"CHUM-001": "2", "CHUM-003": "3"}
    assert dict(found.clinical["CHUM-001"]) == {
        "age": 59.0,
        "gender": "male",
        "tobacco": None,
        "hpv_status": "1",
    }
    assert found.clinical["CHUM-003"]["hpv_status"] is None
    assert found.clinical["CHUM-002"]["age"] is None


def test_nothing_observed_after_treatment_becomes_clinical(tmp_path):
    path = table(
        tmp_path,
        "PatientID,Age,Relapse,RFS,Death,OS,LungMets,LungMetsFree,Outcome text,Status,PET day\n"
        "A,50,1,10,0,20,1,5,Mets,D,-3\n",
    )

    found = read_tables([path], ("A",))

    assert [variable.name for variable in found.variables] == ["age"]
    assert set(found.outcomes) == {"rfs", "os"}


def test_progression_free_survival_is_an_endpoint(tmp_path):
    path = table(tmp_path, "PatientID,Progression,Progression free survival (days)\nA,1,33\n")

    assert read_tables([path], ("A",)).outcomes["pfs"].time.tolist() == [33.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A,1,-5", r"t.csv: case 'A' has RFS '-5'; expected days > 0"),
        ("A,1,0", r"case 'A' has RFS '0'; expected days > 0"),
        ("A,1,", r"case 'A' has RFS None; expected days > 0"),
        ("A,1,soon", r"case 'A' has RFS 'soon'"),
        ("A,2,5", r"case 'A' has RFS event '2'; expected 1 = event observed"),
        ("A,,5", r"case 'A' has RFS event None"),
        ("A,1,5\nA,0,9", r"t.csv: case 'A' has two rows"),
    ],
)
def test_a_bad_outcome_row_is_named(tmp_path, row, message):
    path = table(tmp_path, f"PatientID,Relapse,RFS\n{row}\n")

    with pytest.raises(DataError, match=message):
        read_tables([path], ("A",))


def test_text_in_a_numeric_column_is_named(tmp_path):
    path = table(tmp_path, "PatientID,Age\nA,old\n")

    with pytest.raises(DataError, match="case 'A' has age 'old'; expected a number"):
        read_tables([path], ("A",))


def test_a_table_without_patients_or_of_bytes_is_named(tmp_path):
    with pytest.raises(DataError, match=r"t.csv has no column PatientID, only a, b"):
        read_tables([table(tmp_path, "a,b\n1,2\n")], ("A",))
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"cannot read .*b.csv"):
        read_tables([binary], ("A",))


def test_factors_are_read_by_patient_and_checked(tmp_path):
    good = table(tmp_path, "pid,units,bqml_to_suvbw_factor\nCHUP_014,BQML,2.5e-4\n", "good.csv")
    bad = table(tmp_path, "pid,bqml_to_suvbw_factor\nA,0\n", "bad.csv")
    none = table(tmp_path, "pid,units\nA,BQML\n", "none.csv")

    assert read_factors(good) == {"CHUP-014": 2.5e-4}
    with pytest.raises(DataError, match=r"case 'A' has bqml_to_suvbw_factor '0'"):
        read_factors(bad)
    with pytest.raises(DataError, match="has no column bqml_to_suvbw_factor"):
        read_factors(none)
