"""`mtsbench compare` from the command line's own function, on runs made in milliseconds."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import IncomparableRunsError, OptionError


@pytest.fixture
def compare():
    def call(*arguments):
        done = CliRunner().invoke(app, ["compare", *map(str, arguments)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    return call


def test_differences_from_the_reference_fit_80_columns(stored, compare, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    runs = [stored(label=label, noise=noise).folder for label, noise in (("a", 3.0), ("b", 0.5))]

    text = compare(*runs, "--reference", "a")

    assert "C-index minus that of a" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_without_a_reference_the_user_is_told_how_to_declare_one(stored, compare):
    runs = [stored(label=label).folder for label in "ab"]

    assert "--reference MODEL" in compare(*runs)


def test_the_terminal_names_what_is_detectable_and_never_prints_a_p_of_zero(stored, compare):
    runs = [
        stored(label=label, noise=noise, folds=5, repeats=4).folder
        for label, noise in (("a", 100.0), ("b", 0.1))
    ]

    text = compare(*runs, "--reference", "a")

    words = " ".join(text.replace("┃", " ").replace("│", " ").split())
    assert "detectable: the true difference that is found with a chance of 80 %" in words
    assert "<0.001" in text
    assert "0.000" not in text.partition("C-index minus")[2]


def test_the_terminal_says_why_there_is_no_test(stored, compare):
    runs = [stored(label=label).folder for label in "ab"]

    text = " ".join(compare(*runs, "--reference", "a").split())

    assert "3 test folds are too few for a test of the methods, which needs 5; run every" in text


def test_json_tells_both_tests(stored, compare):
    runs = [
        stored(label=label, noise=noise, folds=5).folder
        for label, noise in (("a", 3.0), ("b", 0.5))
    ]

    found = json.loads(compare(*runs, "--reference", "a", "--json"))

    one = found["npc-pfs-b-demo-0123abcd"]["against_reference"]
    assert one["method"]["mean"] > 0
    assert one["fitted"]["difference"] == pytest.approx(one["difference"])
    assert set(one["detectable"]) == {"test", "verdict"}
    assert "against_reference" not in found["npc-pfs-a-demo-0123abcd"]


def test_the_report_is_written_where_it_was_asked_for(stored, compare, tmp_path):
    runs = [stored(label=label).folder for label in "ab"]

    assert "report.html" in compare(*runs, "--out", tmp_path / "report", "--no-images")
    assert (tmp_path / "report/report.html").is_file()


def test_runs_are_found_in_the_folder_of_runs(stored, compare, tmp_path, monkeypatch):
    for label in "ab":
        stored(label=label)
    (tmp_path / "stored").rename(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)

    assert "3" in compare("--reference", "a")


def test_one_run_is_no_comparison(stored, compare):
    with pytest.raises(OptionError, match="compare needs two or more runs, got 1; name their"):
        compare(stored(label="a").folder)


def test_different_numbers_of_seeds_are_refused(stored, compare):
    runs = [stored(label="a").folder, stored(label="b", seeds=(0, 1)).folder]

    with pytest.raises(IncomparableRunsError, match=r"differ in protocol: .*'seeds': .0.*0, 1"):
        compare(*runs)


def test_a_missing_fold_is_refused(stored, compare):
    import shutil

    whole, half = stored(label="a"), stored(label="b")
    shutil.rmtree(half.trial_folder(half.records()[0]))

    with pytest.raises(IncomparableRunsError, match=r"b-demo.* has no result for repeat 0 fold 0"):
        compare(whole.folder, half.folder)


def test_the_true_mask_is_allowed_on_request_and_marked(stored, compare):
    runs = [stored(label="a").folder, stored(label="b", given_mask=True).folder]

    with pytest.raises(IncomparableRunsError, match="use of the true mask at test time"):
        compare(*runs)
    assert "(given the true" in compare(*runs, "--allow-true-mask")


def test_datasets_run_with_other_settings_are_refused(stored, compare):
    runs = [stored(label="a").folder, stored(label="a", dataset="other", preset="paper").folder]

    with pytest.raises(IncomparableRunsError, match="differ in preset: demo and paper; run both"):
        compare(*runs)
