from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from mtsbench.report.paper_tables import all_tables, endpoint_table, leaderboard
from mtsbench.report.text_table import Table, write_table


@pytest.fixture
def analysis(analysed):
    return analysed(
        "poor", {"poor": 3.0, "good": 0.5}, only={"good": {"given_mask": True, "masks": False}}
    )


def test_the_leaderboard_is_ranked_and_marks_who_was_given_the_mask(analysis):
    table = leaderboard(analysis)

    assert [row[0] for row in table.rows] == ["good (given the true mask)", "poor"]
    assert table.columns[:3] == ("model", "C-index", "95 % interval")
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["dice"] == "–"
    assert cells["training"] == "60.0"


def test_all_tables_have_rows_of_the_width_of_their_columns(analysis):
    tables = {table.name: table for table in all_tables(analysis)}

    assert list(tables) == [*("leaderboard", "differences", "calibration", "both-endpoints")]
    for table in tables.values():
        assert table.caption
        assert {len(row) for row in table.rows} == {len(table.columns)}
    (difference,) = tables["differences"].rows
    assert difference[0] == "good (given the true mask)"
    assert float(difference[1]) > 0
    assert difference[8] == "no test"
    assert difference[9:11] == ("–", "–")
    assert difference[-1].startswith("3 test folds are too few")
    caption = tables["calibration"].caption
    assert "log-rank test and hazard ratio, both stratified by fold" in caption


def test_verdict_and_detectable_differences_are_named_and_marked(analysed):
    found = analysed("poor", {"poor": 3.0, "good": 0.3}, folds=5, repeats=2, cases=60)
    table = {one.name: one for one in all_tables(found)}["differences"]

    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["robust"] == "yes !"
    assert 0 < float(cells["detectable by test"]) <= float(cells["detectable by verdict"]) < 0.5
    assert "!: test folds hold" in table.caption


def test_shares_of_variance_are_told_where_the_protocol_can_tell_them(analysed):
    tables = {t.name: t for t in all_tables(analysed(None, {"a": 1.0}, repeats=2, seeds=(0, 1)))}

    (row,) = tables["variance"].rows
    assert row[0] == "a"
    assert sum(int(cell.rstrip("%")) for cell in row[1:]) in {99, 100, 101}


def test_distances_have_one_decimal(stored):
    from mtsbench.comparison.analysis import analyse
    from mtsbench.comparison.comparable import read_run
    from mtsbench.records import StoredScore

    store = stored(label="a")
    run = read_run(store)
    records = tuple(
        r.model_copy(update={"scores": {**r.scores, "hd95": StoredScore(value=23.2987)}})
        for r in run.records
    )
    found = leaderboard(analyse([(replace(run, records=records), store)], None))

    assert "23.3" in found.rows[0]


def test_other_metrics_of_both_models_are_explored(analysed):
    tables = {t.name: t for t in all_tables(analysed("a", {"a": 1.0, "b": 2.0}))}

    assert [row[:2] for row in tables["exploratory"].rows] == [("b", "dice")]


def test_the_table_of_both_endpoints_pools_masks_and_counts_empty_ones(analysed):
    table = endpoint_table(analysed(None, {"a": 1.0}))
    cells = dict(zip(table.columns, table.rows[0], strict=True))

    # Every true and predicted mask has 36 voxels, so aggregated Dice is the mean of Dice.
    assert cells["aggregated Dice"] == cells["Dice"]
    assert cells["missed"] == "0 of 90"
    assert cells["false alarms"] == "0 (0.0 mL)"


def test_without_reference_no_difference_is_tabulated(analysed):
    names = [table.name for table in all_tables(analysed(None, {"a": 1.0, "b": 2.0}))]

    assert "differences" not in names
    assert "exploratory" not in names


def test_a_table_is_written_for_programs_and_papers(tmp_path):
    table = Table(
        name="t", caption="100 % of it", columns=("model", "a_b"), rows=(("x & y", "1|2"),)
    )

    write_table(table, tmp_path)

    assert pd.read_csv(tmp_path / "t.csv").to_dict("list") == {"model": ["x & y"], "a_b": ["1|2"]}
    assert (tmp_path / "t.md").read_text().splitlines()[2] == r"| x & y | 1\|2 |"
    latex = (tmp_path / "t.tex").read_text()
    assert r"\toprule" in latex
    assert r"\caption{100 \% of it}" in latex
    assert r"x \& y" in latex
    assert r"a\_b" in latex
