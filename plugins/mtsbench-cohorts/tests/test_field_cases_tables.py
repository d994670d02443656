"""Field cases T1 to T4 and those of hospitals' tables: refused or right, as their table says.

The cases stand in shared/field-cases/survival/cases.json; what is right is written there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mtsbench_cohorts.hecktor_tables import read_factors, read_tables
from mtsbench_cohorts.npc_table import read_table
from mtsbench_cohorts.tabular_files import read_downloaded

from mtsbench.errors import DataError, UndefinedMetricError
from mtsbench.experiment import Request
from mtsbench.metrics.survival import follow_up
from mtsbench.plan import plan_run
from mtsbench.plugins import load_components
from mtsbench.time_unit import time_unit_warnings

FIELD_CASES = Path(__file__).resolve().parents[4] / "shared" / "field-cases" / "survival"
MAKE_CASES = FIELD_CASES.parent / "imaging" / "make_cases.py"
TESTED = ("T1", "T2", "T3", "T4")


def npc(tmp_path, text):
    path = tmp_path / "clinical.csv"
    path.write_text(text)
    return read_table(path)


def hecktor(tmp_path, text, *case_ids):
    path = tmp_path / "HECKTOR_2026_Training_Task.csv"
    path.write_text(text)
    return read_tables([path], case_ids)


@pytest.mark.data
def test_every_case_of_tables_is_tested_here():
    path = FIELD_CASES / "cases.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    text = json.dumps(json.loads(path.read_text()))

    assert sorted(one for one in (f"T{n}" for n in range(1, 20)) if f'"id": "{one}"' in text) == [
        *TESTED
    ]


@pytest.mark.parametrize("name", ["metabric", "support", "gbsg"])
@pytest.mark.parametrize("event", [2, 3, -1, None, 0.5])
def test_t1_an_event_of_another_kind_is_refused(tmp_path, name, event):
    table = {f"x{n}": [0.5, 1.5, 2.5] for n in range(14)}
    pd.DataFrame(table | {"duration": [10.0, 4.0, 3.0], "event": [1, 0, event]}).to_feather(
        tmp_path / f"{name}.feather"
    )

    with pytest.raises(
        DataError,
        match=rf"{name}.feather: case '{name}-3' has event {event}.*; expected 1 = event observed "
        r"or 0 = censored\. Another cause of death \(competing risks\) is not supported",
    ):
        read_downloaded(name, tmp_path)


@pytest.mark.parametrize("event", ["1/2", "0/1"])
def test_t1_events_of_one_kind_are_right(tmp_path, event):
    """As floats or as whole numbers; 1 and 2, R's other code, is no code here."""
    codes = [float(one) for one in event.split("/")]
    table = {f"x{n}": [0.5, 1.5] for n in range(7)}
    pd.DataFrame(table | {"duration": [10.0, 4.0], "event": codes}).to_feather(
        tmp_path / "gbsg.feather"
    )

    if event == "0/1":
        found = read_downloaded("gbsg", tmp_path).outcomes("rfs")
        assert found.event.tolist() == [False, True]
    else:
        with pytest.raises(DataError, match="case 'gbsg-2' has event 2"):
            read_downloaded("gbsg", tmp_path)


def test_t1_a_word_among_numbers_of_a_downloaded_table_is_refused(tmp_path):
    table = {f"x{n}": [0.5, 1.5] for n in range(7)} | {"x3": ["1.5", "unknown"]}
    pd.DataFrame(table | {"duration": [10.0, 4.0], "event": [1, 0]}).to_feather(
        tmp_path / "gbsg.feather"
    )

    with pytest.raises(DataError, match=r"gbsg.feather: case 'gbsg-2' has x3 'unknown'; expected"):
        read_downloaded("gbsg", tmp_path)


@pytest.mark.parametrize("column", ["os_entry", "entry", "tstart", "os_start"])
def test_t2_delayed_entry_is_refused(tmp_path, column):
    with pytest.raises(
        DataError,
        match=rf"clinical.csv has a column '{column}', .*not supported yet.*Remove the co",
    ):
        npc(tmp_path, f"case_id,os_time,os_event,{column}\na,400,1,90\nb,300,0,0\n")
    with pytest.raises(DataError, match=r"Task.csv has a column '.*', .*not supported yet"):
        hecktor(tmp_path, f"PatientID,Death,OS,{column}\na,1,400,90\nb,0,300,0\n", "a", "b")


def test_t2_without_the_column_the_table_is_taken(tmp_path):
    found = npc(tmp_path, "case_id,os_time,os_event\na,400,1\nb,300,0\n")

    assert found.outcomes["os"].time.tolist() == [400.0, 300.0]
    assert found.variables == ()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,400,2", r"case 'a' has os_event '2'; expected 1 = event observed or 0"),
        ("a,400,", r"case 'a' has os_event ''; expected 1"),
        ("a,0,1", r"case 'a' has os_time '0'; expected days > 0"),
        ("a,,1", r"case 'a' has os_time ''; expected days > 0"),
        ("a,400,1\na,500,0", r"case 'a' has two rows"),
        ('a,"8,1",1', r"case 'a' has os_time '8,1'; expected days > 0"),
        ("a,8,1,1", r"line 2 has 4 cells, expected 3"),
    ],
)
def test_t3_what_was_refused_stays_refused(tmp_path, rows, message):
    with pytest.raises(DataError, match=rf"clinical\.csv.*{message}"):
        npc(tmp_path, f"case_id,os_time,os_event\n{rows}\n")


def test_t4_follow_up_in_years_is_told_with_what_to_do(tmp_path):
    """0.1 to 7: the reason was `State tau yourself`, and there was no way to."""
    years = [0.1 * (1 + number) for number in range(70)]
    header = "case_id,os_time,os_event\n"
    rows = "".join(f"P{n:02},{{}},{n % 2}\n" for n in range(70))
    in_years = npc(tmp_path, header + rows.format(*(f"{one:.1f}" for one in years)))
    in_days = npc(tmp_path, header + rows.format(*(f"{one * 365.25:.0f}" for one in years)))

    (told,) = time_unit_warnings(in_years.outcomes["os"])
    assert "day 7, so the times look like months or years" in told
    with pytest.raises(UndefinedMetricError, match=r"Times must be days: multiply years by 365"):
        follow_up(in_years.outcomes["os"])
    assert list(time_unit_warnings(in_days.outcomes["os"])) == []
    assert follow_up(in_days.outcomes["os"]).tau > 0


HECKTOR_2022 = (
    "PatientID,Task 1,Task 2,CenterID,Gender,Age,Weight,Tobacco,Alcohol,Performance status,"
    '"HPV status (0=-, 1=+)",Surgery,Chemotherapy\n'
    "CHUM-001,1,1,1,M,55,82.5,,,,1.0,0.0,1\n"
    "CHUM-002,1,1,1,F,62,,0,1,2,,,1\n"
    "MDA-003,1,0,5,M,47,,1,0,4,0,1.0,0\n"
)


def test_an_eighth_cell_under_seven_columns_does_not_shift_the_outcome(tmp_path):
    """Issue 15: a relapse on day 1507 was taken for censored on day 1."""
    header = "PatientID,CenterID,Age,Gender,Treatment,Relapse,RFS\n"
    good = "A,1,61,1,RT,0,900\n"

    assert hecktor(tmp_path, header + good + "B,1,59,1,RT,1,1507\n", "A", "B").outcomes["rfs"].time[
        1
    ] == pytest.approx(1507)
    with pytest.raises(DataError, match=r"Task.csv, line 3 has 8 cells, expected 7 as the header"):
        hecktor(tmp_path, header + good + "B,1,59,1,RT, CT,1,1507\n", "A", "B")
    with pytest.raises(DataError, match=r"Task.csv, line 3 has 6 cells, expected 7 as the header"):
        hecktor(tmp_path, header + good + "B,1,59,RT,1,1507\n", "A", "B")


def test_a_row_of_factors_that_is_too_long_is_refused(tmp_path):
    path = tmp_path / "suv_conversion_tags.csv"
    path.write_text("pid,units,bqml_to_suvbw_factor\nMDA-300,BQML,2,5e-4\n")

    with pytest.raises(DataError, match=r"suv_conversion_tags.csv, line 2 has 4 cells, expected 3"):
        read_factors(path)


def test_the_published_columns_and_codes_of_hecktor_are_taken(tmp_path):
    found = hecktor(tmp_path, HECKTOR_2022, "CHUM-001", "CHUM-002", "MDA-003")

    assert found.clinical["CHUM-001"]["hpv_status"] == "1"
    assert found.clinical["MDA-003"]["performance_status"] == "4"
    assert found.clinical["CHUM-002"]["gender"] == "female"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "MDA-003,1,0,5,M,47,",
            "MDA-003,1,0,5,M,4O,",
            r"case 'MDA-003' has age '4O'; expected a num",
        ),
        ("M,55,82.5,", 'M,55,"82,5",', r"case 'CHUM-001' has weight '82,5'; expected a number"),
        ("0,4,0,1.0,0", "O,4,0,1.0,0", r"case 'MDA-003' has alcohol 'O'; expected a number"),
    ],
)
def test_a_cell_of_hecktor_that_is_nearly_a_number_is_refused(tmp_path, old, new, message):
    text = HECKTOR_2022.replace(old, new)
    assert text != HECKTOR_2022

    with pytest.raises(DataError, match=rf"HECKTOR_2026_Training_Task\.csv: {message}"):
        hecktor(tmp_path, text, "CHUM-001", "CHUM-002", "MDA-003")


def test_two_columns_of_hecktor_that_mean_the_same_are_refused(tmp_path):
    with pytest.raises(
        DataError,
        match=r"Task.csv has the columns 'HPV Status' and 'HPV status \(0=-\)', which mean",
    ):
        hecktor(tmp_path, "PatientID,HPV Status,HPV status (0=-)\nA,1,0\n", "A")


def test_a_row_of_hecktor_without_patient_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"Task.csv, line 3 names no patient"):
        hecktor(tmp_path, "PatientID,Relapse,RFS\nA,1,20\n,1,30\n", "A")


AGES = (46, 70, 63, 74, 69, 55, 54, 41, 41, 64, 42, 64, 57, 77)


def cohort(third: str) -> str:
    ages = [str(age) for age in AGES]
    ages[3] = third
    rows = "".join(
        f'P{n:03},{500 + n},{n % 2},"{age}",T{1 + n % 4}\n' for n, age in enumerate(ages)
    )
    return "case_id,pfs_time,pfs_event,age,t_stage\n" + rows


@pytest.mark.parametrize("cell", ["53,5", "unknown", "5O"])
def test_age_decimal_comma_and_age_unknown_are_refused(tmp_path, cell):
    """Field cases age-decimal-comma and age-unknown of shared/field-cases/imaging."""
    with pytest.raises(
        DataError,
        match=rf"clinical.csv: case 'P003' has age '{cell}'; expected a number, as 13 of 14 values",
    ):
        npc(tmp_path, cohort(cell))


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "N/A", "NaN", "53.5"])
def test_an_age_that_is_missing_or_a_number_is_right(tmp_path, cell):
    found = npc(tmp_path, cohort(cell))

    assert [(one.name, one.kind) for one in found.variables] == [
        ("age", "numeric"),
        ("t_stage", "categorical"),
    ]
    assert found.clinical["P003"]["age"] == (53.5 if cell == "53.5" else None)


@pytest.mark.data
def test_some_without_mask_is_refused_before_anything_is_prepared(tmp_path):
    """Field case some-without-mask: every trial failed, after preparing, one patient named."""
    if not MAKE_CASES.is_file():
        pytest.skip(f"{MAKE_CASES} is not there")
    subprocess.run(
        [sys.executable, str(MAKE_CASES), str(tmp_path), "some-without-mask"],
        check=True,
        timeout=120,
    )
    cohort = tmp_path / "some-without-mask"

    def plan(model):
        wanted = Request(
            model=model, dataset="npc", data_root=cohort, preset="demo", folds=2, device="cpu"
        )
        return plan_run(wanted, load_components(), tmp_path / "runs")

    without = sorted(one.name for one in cohort.glob("P*") if not (one / "mask.nii.gz").exists())
    with pytest.raises(
        DataError,
        match=r"deepmts needs the tumour mask of every patient here, but 4 of 28 with an outcome "
        rf"of 'pfs' have none: {', '.join(without[:3])}, \.\.\.\. Add these masks, or ",
    ):
        plan("deepmts")
    assert plan("singletask-resnet18").todo == plan("km").todo == 2

    lines = (cohort / "clinical.csv").read_text().splitlines()
    emptied = [
        ",".join([one.split(",")[0], "", "", *one.split(",")[3:]])
        if one.split(",")[0] in without
        else one
        for one in lines
    ]
    (cohort / "clinical.csv").write_text("\n".join(emptied))
    assert plan("deepmts").todo == 2
