"""Numbers and categories: what is nearly a column of numbers is refused, what is none stays."""

from __future__ import annotations

import pytest
from mtsbench_cohorts.table_columns import check_column, check_no_entry, column_kind, number

from mtsbench.errors import DataError

AGES = [46, 70, 63, 74, 69, 55, 54, 41, 41, 64, 42, 64, 57]


def cells(*values) -> dict[str, str]:
    return {f"P{row:03}": str(value) for row, value in enumerate(values)}


@pytest.mark.parametrize(
    "values",
    [
        ["T1", "T2", "T3", "T4a"],
        ["1", "2", "3", "4a", "4b"],
        ["1", "2", "Tx"],
        ["0", "1", "unknown"],
        ["0", "1", "2", "9", "not known"],
        ["+", "-", "+"],
        ["I", "II", "III", "IVA"],
        ["O", "A", "B", "AB"],
        ["<50", "50-60", ">60"],
        ["M", "F", "1"],
        ["two", "1"],
        ["8070/3", "8071/3", "8072"],
        ["GTR", "STR"],
        [],
    ],
)
def test_what_is_a_category_stays_one(values):
    assert column_kind("stage", cells(*values), "t.csv") == "categorical"


@pytest.mark.parametrize("values", [AGES, [1, 2, 3], ["1e3", "-2.5", "+7"], [0]])
def test_a_column_of_numbers_is_numeric(values):
    assert column_kind("age", cells(*values), "t.csv") == "numeric"


@pytest.mark.parametrize(
    "cell", ["5O", "53,5", "unknown", "6l", "54 y", "<60", "fifty", "inf", "1_0", "?"]
)
def test_one_cell_that_is_no_number_among_numbers_is_refused(cell):
    """Issue 15: with `5O` age became nine categories, and the C-index fell from 0.56 to 0.42."""
    with pytest.raises(
        DataError,
        match=r"t\.csv: case 'P013' has age '.*'; expected a number, as 13 of 14 values of age "
        r"are\. Write numbers with a point .* leave the cell empty where .* begin each with a "
        "letter$",
    ) as refused:
        column_kind("age", cells(*AGES, cell), "t.csv")
    assert repr(cell) in str(refused.value)


def test_several_such_cells_are_counted():
    with pytest.raises(
        DataError,
        match=r"case 'P000' has dose 'none'.* 3 of 6 values of dose are \(2 more such cel",
    ):
        column_kind("dose", cells("none", "none", 66, 70, 69.9, "none"), "t.csv")


def test_a_column_of_decimal_commas_alone_is_refused():
    with pytest.raises(DataError, match=r"case 'P000' has suv '3,5'; .* as 0 of 2 values of suv"):
        column_kind("suv", cells("3,5", "12,25"), "t.csv")


def test_the_letter_o_among_codes_is_refused():
    with pytest.raises(
        DataError, match=r"case 'P002' has tobacco 'O'; expected a number, as 2 of 3"
    ):
        column_kind("tobacco", cells("0", "1", "O"), "t.csv")


@pytest.mark.parametrize("follows", ["empty", "number", "letters"])
def test_each_way_out_of_the_message_is_taken(follows):
    fixed = {
        "empty": cells(*AGES),
        "number": cells(*AGES, "53.5"),
        "letters": cells(*(f"c{age}" for age in AGES), "cunknown"),
    }[follows]

    assert column_kind("age", fixed, "t.csv") == (
        "categorical" if follows == "letters" else "numeric"
    )


def test_a_declared_number_refuses_every_word_and_a_declared_code_takes_numbers():
    check_column("hpv", cells("0", "1", "1"), "categorical", "t.csv")
    check_column("histology", cells("8070", "8071"), "categorical", "t.csv")
    check_column("histology", cells("8070", "8071", "other"), "categorical", "t.csv")
    check_column("age", cells(), "numeric", "t.csv")
    with pytest.raises(
        DataError, match=r"t.csv: case 'P001' has age 'old'; expected a number, as 1"
    ):
        check_column("age", cells("1", "old"), "numeric", "t.csv")
    with pytest.raises(DataError, match=r"t.csv: case 'P001' has packs '1O'; expected a number"):
        check_column("packs", cells("20", "1O"), "categorical", "t.csv")


@pytest.mark.parametrize(
    "column",
    [
        *("os_entry", "pfs_start", "OS_tstart", "entry", "Start", "tstart", "left", "entry_os"),
        *("left_truncation", "entry_time", "os-entry-days", "delayed entry", "time0"),
    ],
)
def test_a_day_of_entry_is_refused_by_every_usual_name(column):
    with pytest.raises(
        DataError,
        match=rf"t.csv has a column '{column}', which reads as the day .*Delayed entry \(left trunc"
        r".*not supported yet.*Remove the column .* or rename it",
    ):
        check_no_entry({"age": ["5"], column: ["0", "31", ""]}, ["os", "pfs"], "t.csv")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("left", ["0", "1"]),
        ("left", ["yes", "no"]),
        ("entry", ["emergency", "planned"]),
        ("tstart", ["0", "0"]),
        ("age_at_entry", ["54"]),
        ("radiotherapy_start", ["12"]),
        ("restart", ["12"]),
        ("os", ["12"]),
    ],
)
def test_what_is_no_day_of_entry_stays(column, values):
    check_no_entry({column: values}, ["os", "pfs"], "t.csv")


def test_underscores_and_infinity_are_no_number():
    assert [number(cell) for cell in ("1_0", "inf", "nan", "x", " 7 ", "1e2")] == [
        *(None, None, None, None),
        *(7.0, 100.0),
    ]
