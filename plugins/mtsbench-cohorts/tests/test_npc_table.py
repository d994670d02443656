from __future__ import annotations

import pytest
from mtsbench_cohorts.npc_table import read_table

from mtsbench.errors import DataError


def write(tmp_path, text):
    path = tmp_path / "clinical.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_outcomes_hospital_and_clinical_columns_are_told_apart(tmp_path):
    table = read_table(
        write(
            tmp_path,
            "\ufeffcase_id,age,pfs_time,pfs_event,os_time,os_event,centre,t_stage\n"
            "b,61,300,1,900,0,North,T3\n"
            "a,,200.5,0,,,South,NA\n"
            '"c",48.5,,,10,1,,"T4, any"\n'
            "\n",
        )
    )

    assert table.case_ids == ("b", "a", "c")
    assert [(one.name, one.kind) for one in table.variables] == [
        ("age", "numeric"),
        ("t_stage", "categorical"),
    ]
    assert table.clinical["a"] == {"age": None, "t_stage": None}
    assert table.clinical["c"] == {"age": 48.5, "t_stage": "T4, any"}
    assert table.centres == {"b": "North", "a": "South"}
    assert list(table.outcomes) == ["pfs", "os"]
    assert table.outcomes["pfs"].case_ids == ("b", "a")
    assert table.outcomes["pfs"].time.tolist() == [300.0, 200.5]
    assert table.outcomes["pfs"].event.tolist() == [True, False]
    assert table.outcomes["os"].case_ids == ("b", "c")


@pytest.mark.parametrize("other", ["two", "inf", "1_000"])
def test_one_value_that_is_no_number_makes_a_variable_categorical(tmp_path, other):
    table = read_table(write(tmp_path, f"case_id,dose\na,1\nb,{other}\n"))

    assert table.variables[0].kind == "categorical"
    assert table.clinical == {"a": {"dose": "1"}, "b": {"dose": other}}


def test_a_table_without_outcomes_has_no_endpoint(tmp_path):
    assert read_table(write(tmp_path, "case_id\na\n")).outcomes == {}


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*clinical.csv: .*No such file.* README"):
        read_table(tmp_path / "clinical.csv")


@pytest.mark.parametrize("content", [b"case_id,name\na,\xe9\n", b'case_id\na\n"b'])
def test_a_table_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "clinical.csv"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"cannot read .*clinical.csv: .*comma-separated UTF-8"):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no column 'case_id', only an empty header"),
        ("id,age\na,1\n", r"no column 'case_id', only id, age"),
        ("case_id,age,age\na,1,2\n", r"two columns 'age'"),
        ("case_id,age\na\n", r"line 2 has 1 cells, expected 2"),
        ("case_id,age\na,1\n\nb,1,2\n", r"line 4 has 3 cells, expected 2"),
        ("case_id,pfs_time\na,1\n", r"column 'pfs_time' but no 'pfs_event'; an endpoint needs"),
        ("case_id,pfs_event\na,1\n", r"column 'pfs_event' but no 'pfs_time'; an endpoint needs"),
        ("case_id\na\nb\na\n", r"case 'a' has two rows; keep one row per patient"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"clinical\.csv.*{message}"):
        read_table(write(tmp_path, text))


@pytest.mark.parametrize(
    "case_id", ["../x", "..", ".", ".hidden", "a/b", "a\\b", "/etc", "C:x", ""]
)
def test_an_id_that_is_no_plain_folder_name_is_refused(tmp_path, case_id):
    with pytest.raises(DataError, match=r"clinical.csv, line 2: '.*' is no case id; expected the"):
        read_table(write(tmp_path, f"case_id,age\n{case_id},1\n"))


@pytest.mark.parametrize("time", ["0", "-3", "", "soon", "nan", "inf"])
def test_a_time_that_is_not_above_zero_is_refused(tmp_path, time):
    with pytest.raises(
        DataError, match=rf"clinical.csv: case 'a' has pfs_time '{time}'; expected days > 0"
    ):
        read_table(write(tmp_path, f"case_id,pfs_time,pfs_event\na,{time},1\n"))


@pytest.mark.parametrize("event", ["2", "", "yes", "0.5", "-1"])
def test_an_event_that_is_not_zero_or_one_is_refused(tmp_path, event):
    with pytest.raises(
        DataError, match=rf"clinical.csv: case 'a' has pfs_event '{event}'; expected 1 = event"
    ):
        read_table(write(tmp_path, f"case_id,pfs_time,pfs_event\na,30,{event}\n"))
