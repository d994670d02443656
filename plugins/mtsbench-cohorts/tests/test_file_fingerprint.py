from __future__ import annotations

import gzip

import pytest
from mtsbench_cohorts.file_fingerprint import content_mark, fingerprint_files

from mtsbench.errors import DataError


def test_a_changed_byte_inside_a_gzip_file_of_equal_size_changes_the_mark(tmp_path):
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    first.write_bytes(gzip.compress(b"0123456789" * 10, mtime=0))
    second.write_bytes(gzip.compress(b"0123456788" * 10, mtime=0))

    assert content_mark(first).split("gzip:")[0] == content_mark(second).split("gzip:")[0]
    assert content_mark(first) != content_mark(second)


def test_a_gzip_mark_is_the_trailer_and_needs_no_reading_of_the_content(tmp_path):
    path = tmp_path / "a.gz"
    packed = gzip.compress(b"voxels", mtime=0)
    path.write_bytes(packed)

    assert content_mark(path) == f"{len(packed)}\tgzip:{packed[-8:].hex()}"


def test_a_plain_file_is_marked_by_its_whole_content(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a" * 100 + b"12345678")
    before = content_mark(path)
    path.write_bytes(b"b" + b"a" * 99 + b"12345678")

    assert "sha256:" in before
    assert content_mark(path) != before


def test_a_gzip_file_that_ends_in_an_empty_member_is_marked_by_its_whole_content(tmp_path):
    first, second = tmp_path / "a.gz", tmp_path / "b.gz"
    end = gzip.compress(b"", mtime=0)
    first.write_bytes(gzip.compress(b"voxelA", mtime=0) + end)
    second.write_bytes(gzip.compress(b"voxelB", mtime=0) + end)

    assert first.stat().st_size == second.stat().st_size
    assert content_mark(first) != content_mark(second)


def test_files_are_identified_by_their_path_below_the_root_in_any_order(tmp_path):
    for root in (tmp_path / "here", tmp_path / "there"):
        (root / "case").mkdir(parents=True)
        (root / "case" / "ct").write_bytes(b"ct")
        (root / "case" / "pet").write_bytes(b"pet")
    here = [tmp_path / "here" / "case" / name for name in ("ct", "pet")]
    there = [tmp_path / "there" / "case" / name for name in ("pet", "ct")]

    mark = fingerprint_files(tmp_path / "here", here)

    assert mark == fingerprint_files(tmp_path / "there", there)
    assert mark != fingerprint_files(tmp_path / "here", here[:1])
    assert mark != fingerprint_files(tmp_path, here)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*gone\.csv: No such file.*check that the"):
        content_mark(tmp_path / "gone.csv")
