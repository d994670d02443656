"""Every row of a table has the cells that the header has."""

from __future__ import annotations

import pytest
from mtsbench_cohorts.table_rows import Row, read_rows

from mtsbench.errors import DataError


def write(tmp_path, text: str | bytes):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_cells_are_read_without_blanks_with_mark_crlf_and_blank_rows(tmp_path):
    columns, rows = read_rows(
        write(tmp_path, '\ufeffa, b\r\n 1 ,"x, y"\r\n\r\n,\r\n"two\r\nlines",3\r\n')
    )

    assert columns == ("a", "b")
    assert rows == [Row(line=2, cells=("1", "x, y")), Row(line=6, cells=("two\r\nlines", "3"))]


def test_an_empty_file_has_no_column(tmp_path):
    assert read_rows(write(tmp_path, "")) == ((), [])


@pytest.mark.parametrize(
    ("row", "cells"), [("1507,1,2,3", 4), ("1507,1", 2), ("1507,1,2,", 4), ("1507", 1)]
)
def test_a_row_of_another_length_is_refused_with_its_line(tmp_path, row, cells):
    with pytest.raises(
        DataError,
        match=rf"t\.csv, line 3 has {cells} cells, expected 3 as the header has; quote cells that",
    ):
        read_rows(write(tmp_path, f"a,b,c\n1,2,3\n{row}\n4,5,6\n"))


@pytest.mark.parametrize("content", [b"a,b\n1,\xe9\n", b'a\n1\n"2', b'a\n"1"2\n'])
def test_what_is_no_table_is_named(tmp_path, content):
    with pytest.raises(DataError, match=r"cannot read .*t\.csv: .*comma-separated UTF-8 table"):
        read_rows(write(tmp_path, content))
