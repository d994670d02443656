from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from mtsbench.carry_out import CarriedOut
from mtsbench.experiment import Request
from mtsbench.plan import plan_run
from mtsbench.report.experiment_tables import (
    carried_out_table,
    comparison_hint,
    duration,
    plan_notes,
    plan_table,
)
from mtsbench.store import RunStore
from mtsbench.time_estimate import Estimate, Forecast


@pytest.fixture
def plan(tiny, tmp_path):
    """A planned run under another model's name."""

    def plan(name, dataset="hecktor"):
        request = Request(model="uptake", dataset="tiny", preset="demo", folds=3)
        planned = plan_run(request, tiny.components(), tmp_path)
        return replace(
            planned,
            request=replace(request, model=name, dataset=dataset),
            experiment=replace(planned.experiment, model_name=name, dataset_name=dataset),
        )

    return plan


def printed(table) -> list[str]:
    console = Console(file=StringIO(), width=80)
    console.print(table)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.2, "< 1 s"),
        (1, "1 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (99.4 * 60, "99 min"),
        (100 * 60, "1.7 h"),
        (47.9 * 3600, "47.9 h"),
        (60 * 3600, "2.5 days"),
    ],
)
def test_a_duration_is_said_as_a_person_says_it(seconds, text):
    assert duration(seconds) == text


def test_the_longest_names_fit_80_columns(plan):
    forecasts = [
        Forecast(
            planned=plan("radiomics-coxnet-predicted"),
            estimate=Estimate(seconds=3e5, basis="2 steps timed now", source="steps"),
            unprepared=7,
        )
    ]

    lines = printed(plan_table(forecasts))

    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if "hecktor" in line]
    assert "radiomics-coxnet-predicted" in row
    assert "3.5 days" in row


def test_each_basis_is_told_once_with_its_runs(plan):
    def forecast(name, seconds, source):
        basis = {"trials": "3 trials of this run", "unknown": "none", "done": "all done"}[source]
        estimate = Estimate(seconds=seconds, basis=basis, source=source)
        return Forecast(planned=plan(name), estimate=estimate, unprepared=0)

    notes = list(
        plan_notes(
            [
                forecast("a", 10.0, "trials"),
                forecast("b", 20.0, "trials"),
                forecast("c", None, "unknown"),
                forecast("d", 0.0, "done"),
            ]
        )
    )

    assert notes == [
        "preset demo on cpu: 12 trials to do, about 30 s, 1 of 4 runs of unknown time",
        "- 3 trials of this run: a on hecktor, b on hecktor",
        "- none (unknown): c on hecktor",
    ]


def test_less_than_a_second_is_said_so(plan):
    estimate = Estimate(seconds=0.1, basis="1 trial of this run", source="trials")
    one = Forecast(planned=plan("km"), estimate=estimate, unprepared=0)

    assert next(iter(plan_notes([one]))) == "preset demo on cpu: 3 trials to do, < 1 s"


def test_a_run_that_did_not_begin_has_a_row_without_scores(plan, make_run, make_description):
    done = [
        CarriedOut(planned=plan("deepmts"), run=make_run()),
        CarriedOut(planned=plan("volume"), error=ValueError("no")),
    ]

    rows = [line for line in printed(carried_out_table(done)) if "hecktor" in line]

    assert "0.710 ± 0.010" in rows[0]
    assert "3/3" in rows[0]
    assert "3 min" in rows[0]
    assert [cell.strip() for cell in rows[1].split("│")[3:-1]] == ["–", "–", "0/3", "–"]


def test_runs_of_one_model_are_told_apart_on_the_same_cohort_only(plan):
    first, second = (
        replace(one, description=one.description.model_copy(update={"name": f"x-{number}"}))
        for one, number in ((plan("deepmts", "npc"), 1111), (plan("deepmts", "npc"), 2222))
    )
    done = [CarriedOut(planned=one) for one in (first, second, plan("deepmts"))]

    rows = [line for line in printed(carried_out_table(done)) if "deepmts" in line]

    assert [row.split("│")[1].strip() for row in rows] == [
        "deepmts 1111",
        "deepmts 2222",
        "deepmts",
    ]


def test_a_model_that_is_given_the_true_mask_is_marked(plan):
    planned = plan("volume")
    given = replace(planned, experiment=replace(planned.experiment, needs_mask_at_test=True))

    text = " ".join(printed(carried_out_table([CarriedOut(planned=given)])))

    assert "volume (given the true mask)" in text


def test_only_complete_runs_are_to_be_compared_and_paths_are_quoted(plan, make_run, make_record):
    def done(name, folder, records=None):
        path = Path(folder)
        planned = replace(plan(name), store=RunStore(path))
        return CarriedOut(planned=planned, run=make_run(records=records), page=path / "report.html")

    a, b = done("a", "my runs/a"), done("b", "my runs/b")
    unfinished = done("c", "my runs/c", [make_record()])

    lines = list(comparison_hint([a, unfinished, b]))

    assert lines == [
        "report of each run: my runs/RUN/report.html",
        "compare them: mtsbench compare 'my runs/a' 'my runs/b' --reference MODEL --out report",
    ]
    assert list(comparison_hint([done("a", "runs/a")])) == [
        "report of each run: runs/RUN/report.html"
    ]
