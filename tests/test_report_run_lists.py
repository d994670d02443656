from __future__ import annotations

import pytest

from mtsbench.records import Recipe, RecipeChange
from mtsbench.report.run_lists import facts_table, run_details, size
from mtsbench.run_folders import RunFolder


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (5e9, "5.0 GB"),
        (7.25e15, "7250.0 TB"),
    ],
)
def test_bytes_are_told_in_a_unit_that_fits(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("folds", "failed", "state"),
    [
        ((0, 1, 2), (), "finished 3/3"),
        ((0, 1), (), "unfinished 2/3 (1 missing)"),
        ((0,), (1,), "unfinished 1/3 (1 failed, 1 missing)"),
        ((0, 1), (2,), "failed 2/3 (1 failed)"),
    ],
)
def test_the_state_counts_what_is_not_done(
    tmp_path, make_run, make_record, make_failure, folds, failed, state
):
    run = make_run(
        records=[make_record(fold) for fold in folds],
        failures=[make_failure(fold) for fold in failed],
    )
    folder = RunFolder(folder=tmp_path, run=run, fault=None, changed=0.0, bytes=2000)

    details = run_details(folder).split(" · ")

    assert (details[0], details[2]) == (state, "2.0 kB")
    assert details[3].startswith("harrell-c 0.7")


def test_the_facts_of_a_run_tell_what_departs_from_the_published_recipe(make_description):
    change = RecipeChange(name="epochs", published=200, used=12, by="preset demo")

    table = facts_table(make_description(recipe=Recipe(changes=(change,))))

    assert list(table.columns[1].cells)[-1] == (
        "preset demo changes the published recipe: epochs 12 instead of 200"
    )
    assert "recipe" not in list(facts_table(make_description()).columns[0].cells)
