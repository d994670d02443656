from __future__ import annotations

import pytest

from mtsbench.errors import DataError, one_line


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("case 'A'\n  is broken"), "case 'A' is broken"),
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division by zero"),
        (KeyError(), "KeyError"),
    ],
)
def test_an_error_is_one_line_and_only_foreign_ones_tell_their_type(error, text):
    assert one_line(error) == text
