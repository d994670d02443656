"""`mtsbench compare` from the command line's own function, on runs made in milliseconds."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from typer.testing import CliRunner

from mtsbench.cli import app
from mtsbench.errors import DataError, IncomparableRunsError, OptionError


@pytest.fixture
def compare():
    def call(*arguments):
        done = CliRunner().invoke(app, ["compare", *map(str, arguments)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    return call


@pytest.mark.parametrize("name", ["b", "a-model-with-quite-a-long-name"])
@pytest.mark.parametrize("folds", [3, 5])
def test_differences_from_the_reference_fit_80_columns(stored, compare, monkeypatch, name, folds):
    monkeypatch.setenv("COLUMNS", "80")
    noises = (("a", 3.0), (name, 0.5))
    runs = [stored(label=label, noise=noise, folds=folds).folder for label, noise in noises]

    text = compare(*runs, "--reference", "a")

    assert "C-index minus that of a" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    table = text.partition("C-index minus that of a")[2]
    for word in ("diff.", "method", "p Holm", "fitted", "robust", "detectable", "verdict"):
        assert word in table
    assert all(line.rstrip()[-1] in "┓┃┩│┘" for line in table.splitlines() if line[:1] in "┏┃│└┡")


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

    with pytest.raises(IncomparableRunsError, match="differ in seeds: 0 and 0,1; run both"):
        compare(*runs)


@pytest.fixture
def half(stored, make_failure):
    """Run `b` without its first fold, which failed; `a` has all three."""
    whole, lacking = stored(label="a", noise=3.0), stored(label="b", noise=0.5)
    first = lacking.records()[0]
    shutil.rmtree(lacking.trial_folder(first))
    failed = make_failure(0, error="the loss became nan")
    lacking.save_failure(failed.model_copy(update={"key": first.key}))
    return whole.folder, lacking.folder


def test_a_missing_fold_is_refused_and_the_advice_works(half, compare, tmp_path):
    with pytest.raises(
        IncomparableRunsError,
        match=r"b-demo.* has no result for repeat 0 fold 0 seed 0 \(failed: the loss became nan\)",
    ) as refused:
        compare(*half)

    advised = re.search(r"--on-missing \S+", str(refused.value)).group()
    text = compare(*half, "--reference", "a", *advised.split())

    assert "1 of 3 folds was left out of every run" in " ".join(text.split())
    assert "failed: the loss became nan" in " ".join(text.split())
    assert "(2/3)" in text


def test_common_folds_are_all_that_any_output_uses(half, compare, tmp_path):
    options = ("--reference", "a", "--on-missing", "common-folds")
    found = json.loads(compare(*half, *options, "--json"))
    compare(*half, *options, "--out", tmp_path / "report")

    for one in found.values():
        assert one["trials"] == 2
        assert one["metrics"]["harrell-c"]["defined"] == 2
        (left_out,) = one["left_out"]
        assert (left_out["repeat"], left_out["fold"], left_out["seed"]) == (0, 0, 0)
        assert list(left_out["reasons"]) == ["npc-pfs-b-demo-0123abcd"]
    tables = tmp_path / "report/npc-pfs/tables"
    assert "failed: the loss became nan" in (tables / "left-out.csv").read_text()
    methods = (tmp_path / "report/npc-pfs/methods.md").read_text()
    assert "1 of 3 folds was left out of every run" in methods
    for name in ("leaderboard", "differences", "calibration", "both-endpoints"):
        caption = (tables / f"{name}.tex").read_text().partition("\\caption")[2]
        assert "1 of 3 folds was left out of every run: see table left-out." in caption
    page = (tmp_path / "report/report.html").read_text()
    assert '<p class="note">1 of 3 folds was left out of every run' in page
    used = [row.split(",")[2] for row in (tables / "runs.csv").read_text().splitlines()]
    assert used == ["trials used", "2 of 3", "2 of 3"]


def test_whole_runs_leave_nothing_out(stored, compare, tmp_path):
    runs = [stored(label=label).folder for label in "ab"]

    usual = compare(*runs, "--json")
    assert compare(*runs, "--json", "--on-missing", "common-folds") == usual
    assert {tuple(one["left_out"]) for one in json.loads(usual).values()} == {()}
    compare(*runs, "--out", tmp_path / "report", "--no-images")
    assert not (tmp_path / "report/npc-pfs/tables/left-out.csv").exists()


@pytest.fixture
def several(stored, tmp_path, monkeypatch):
    """A folder `runs` with two questions that two runs answer, and one that a single run does."""
    for label, noise in (("a", 3.0), ("b", 0.5)):
        stored(label=label, noise=noise)
        stored(label=label, noise=noise, folds=5, run="5555abcd")
    stored(label="c", dataset="other")
    stored(label="c", folds=5, run="5555abcd")
    (tmp_path / "stored").rename(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("named", [(), ("runs",)])
def test_runs_of_a_folder_are_grouped_by_their_question(several, compare, monkeypatch, named):
    monkeypatch.setenv("COLUMNS", "80")

    text = compare(*named, "--reference", "a")

    assert [line for line in text.splitlines() if line.startswith("question")] == [
        "question 1 of 2: folds 3",
        "question 2 of 2: folds 5",
    ]
    assert text.count("C-index minus that of a") == 2
    assert "nothing to compare with:\n- other-pfs-c-demo-0123abcd (other" in text
    assert not set("{}") & set(text)
    assert max(len(line) for line in text.splitlines()) <= 80


def test_where_the_reference_is_missing_nothing_is_tested_and_that_is_told(several, compare):
    text = " ".join(compare("--reference", "c").split())

    assert text.count("C-index minus that of c") == 1
    assert "Reference c is not among these runs: no difference is tested here." in text
    with pytest.raises(OptionError, match="--reference 'd' names no run; choose one of npc-pfs-a"):
        compare("--reference", "d")


def test_a_report_has_a_section_for_each_question(several, compare, tmp_path):
    found = json.loads(compare("--reference", "a", "--out", "report", "--no-images", "--json"))

    assert {name: one["group"] for name, one in found.items()} == {
        "npc-pfs-a-demo-0123abcd": "npc-pfs-demo-3x1",
        "npc-pfs-b-demo-0123abcd": "npc-pfs-demo-3x1",
        "npc-pfs-a-demo-5555abcd": "npc-pfs-demo-5x1",
        "npc-pfs-b-demo-5555abcd": "npc-pfs-demo-5x1",
        "npc-pfs-c-demo-5555abcd": "npc-pfs-demo-5x1",
        "other-pfs-c-demo-0123abcd": None,
    }
    page = (tmp_path / "report/report.html").read_text()
    for name in ("npc-pfs-demo-3x1", "npc-pfs-demo-5x1"):
        assert f'<main id="{name}"' in page
        assert (tmp_path / "report" / name / "tables/leaderboard.csv").is_file()
    assert "The question asked here: <strong>folds 5</strong>" in page
    assert "<li>other-pfs-c-demo-0123abcd (other" in page
    identifiers = re.findall(r'<(?!path|g |clipPath|use|svg)[^>]* id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_a_folder_in_which_no_two_runs_are_alike_is_told_what_it_holds(stored, compare, tmp_path):
    stored(label="a")
    stored(label="b", folds=5)

    with pytest.raises(
        IncomparableRunsError,
        match=r"no two of these 2 runs answer the same question: npc-pfs-a.* folds 3\); npc-pfs-b",
    ):
        compare(tmp_path / "stored")


def test_a_folder_without_a_run_is_named(tmp_path, compare):
    with pytest.raises(DataError, match=r"run.json does not exist; is .*empty the folder of a run"):
        compare(tmp_path / "empty", tmp_path / "empty2")


def test_a_run_that_is_named_and_in_a_named_folder_is_one_run(stored, compare, tmp_path):
    runs = [stored(label=label).folder for label in "ab"]

    assert len(json.loads(compare(tmp_path / "stored", runs[0], "--json"))) == 2


def test_the_true_mask_is_allowed_on_request_and_marked(stored, compare):
    runs = [stored(label="a").folder, stored(label="b", given_mask=True).folder]

    with pytest.raises(IncomparableRunsError, match="use of the true mask at test time"):
        compare(*runs)
    assert "(given the true" in compare(*runs, "--allow-true-mask")


def test_datasets_run_with_other_settings_are_refused(stored, compare):
    runs = [stored(label="a").folder, stored(label="a", dataset="other", preset="paper").folder]

    with pytest.raises(IncomparableRunsError, match="differ in preset: demo and paper; run both"):
        compare(*runs)
