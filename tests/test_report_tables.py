from __future__ import annotations

import io

import pandas as pd
import pytest
from rich.console import Console

from mtsbench.records import StoredScore
from mtsbench.report.tables import (
    comparison_table,
    recovery_table,
    risk_table,
    run_table,
    score_text,
    title,
)


def printed(table, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def rows(text: str) -> list[list[str]]:
    """Every row as its cells, with the lines of a cell joined again."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if not line.startswith(("│", "┃")):
            found.append([])
            continue
        cells = [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]
        if found and found[-1] and not cells[1] and cells[0] not in ("mean", "SD", "sum"):
            found[-1] = [f"{a} {b}".strip() for a, b in zip(found[-1], cells, strict=True)]
        else:
            found.append(cells)
    return [cells for cells in found if cells]


def row(text: str, first: str) -> list[str]:
    """The cells after the one that reads `first`."""
    (cells,) = [cells[1:] for cells in rows(text) if cells[0] == first]
    return cells


def test_the_title_says_what_was_asked_and_that_patients_are_simulated(make_description):
    assert title(make_description()) == "npc (SIMULATED) · pfs · preset demo · 150 cases, 74 events"
    assert "SIMULATED" not in title(make_description(simulated=False))


def test_a_typical_run_keeps_every_number_at_80_columns(make_run):
    text = printed(run_table(make_run()))

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert row(text, "0") == ["50", "24", "0.700", "0.600", "0.800", "64"]
    assert row(text, "2") == ["50", "24", "0.720", "0.600", "0.800", "64"]
    assert row(text, "mean") == ["", "", "0.710", "0.600", "0.800", ""]
    assert row(text, "SD") == ["", "", "0.010", "0.000", "0.000", ""]
    assert row(text, "sum") == ["", "", "", "", "", "192"]
    assert "(SIMULATED)" in text


def test_repeats_and_seeds_are_told_apart_where_there_are_several(make_run, make_record):
    records = tuple(
        make_record(fold=fold, repeat=repeat, seed=seed)
        for repeat in (0, 1)
        for fold in (0, 1)
        for seed in (0, 1)
    )

    text = printed(run_table(make_run(records=records)))

    assert "…" not in text
    assert [cells[0] for cells in rows(text)[-11:-3]] == [
        f"{repeat}.{fold} seed {seed}" for repeat in (0, 1) for fold in (0, 1) for seed in (0, 1)
    ]


def test_many_metrics_break_lines_and_lose_no_digit(make_run, make_record):
    many = {f"metric-{number}": StoredScore(value=number / 1000) for number in range(101, 113)}
    run = make_run(records=(make_record(0, scores=many, oracle={}),))

    text = printed(run_table(run))

    assert "…" not in text
    assert [cell.replace(" ", "") for cell in row(text, "0")[2:-1]] == [
        f"0.{number}" for number in range(101, 113)
    ]


def test_a_missing_trial_and_an_undefined_score_are_shown(make_run, make_record):
    partly = {
        "harrell-c": StoredScore(value=None, reason="no pair"),
        "dice": StoredScore(value=0.5),
    }
    run = make_run(records=(make_record(0, scores=partly, oracle={}), make_record(1)))

    text = printed(run_table(run))

    assert row(text, "0") == ["50", "24", "undefined", "0.500", "–", "64"]
    assert row(text, "mean")[2:5] == ["0.710 (1/3)", "0.550 (2/3)", "0.800 (1/3)"]
    assert row(text, "SD")[2:5] == ["–", "0.071", "–"]


def test_core_s_other_metrics_stay_in_records_and_pages(make_run, make_record):
    scores = {
        "harrell-c": StoredScore(value=0.7),
        "uno-c": StoredScore(value=0.61),
        "hd95": StoredScore(value=9.5),
    }
    run = make_run(records=(make_record(0, scores=scores, oracle=scores),))

    for text in (printed(run_table(run)), printed(comparison_table([run, run]))):
        assert "harrell-c" in text.replace("\n", " ")
        assert "uno-c" not in text
        assert "hd95" not in text


def test_a_run_without_records_can_be_shown(make_run):
    assert row(printed(run_table(make_run(records=()))), "sum")[-1] == "0"


def test_a_comparison_has_a_row_for_each_model_and_for_the_oracle(
    make_run, make_description, make_record
):
    masked = make_description(method={"model": "radiomics", "needs_mask_at_test": True})
    risks = tuple(
        make_record(fold, scores={"harrell-c": StoredScore(value=0.65)}) for fold in range(3)
    )

    text = printed(comparison_table([make_run(), make_run(masked, risks, label="radiomics")]))

    assert "…" not in text
    assert row(text, "deepmts") == ["0.710 ± 0.010", "0.600 ± 0.000", "60"]
    assert row(text, "radiomics (given the true mask)") == ["0.650 ± 0.000", "–", "60"]
    assert row(text, "oracle (true hazard)") == ["0.800 ± 0.000", "–", "–"]
    assert "npc (SIMULATED)" in text


def test_what_was_recovered_of_a_known_hazard_has_a_row_for_each_model(make_run, make_record):
    records = tuple(
        make_record(
            fold,
            recovery={"log_volume": StoredScore(value=0.4 + fold / 10)},
            oracle_recovery={"log_volume": StoredScore(value=0.9)},
        )
        for fold in range(3)
    )

    text = printed(recovery_table([make_run(records=records), make_run(label="km")]))

    assert "SIMULATED" in text
    assert "volume" in text
    assert row(text, "deepmts") == ["0.50"]
    assert row(text, "km") == ["–"]
    assert row(text, "oracle (true hazard)") == ["0.90"]
    assert recovery_table([make_run()]) is None


def test_two_runs_of_one_model_are_told_apart(make_run, make_description):
    other = make_description(name="npc-pfs-deepmts-demo-89abcdef")

    text = printed(comparison_table([make_run(), make_run(other), make_run(label="cox")]))

    for label in ("deepmts 01234567", "deepmts 89abcdef", "cox"):
        assert row(text, label)[0] == "0.710 ± 0.010"


def test_a_comparison_of_real_patients_has_no_oracle(make_run, make_description, make_record):
    real = make_description(simulated=False)
    records = tuple(make_record(fold, oracle={}, simulated=False) for fold in range(3))

    text = printed(comparison_table([make_run(real, records), make_run(real, ())]))

    assert "oracle" not in text
    assert "SIMULATED" not in text


def test_risks_are_listed_in_the_order_given():
    text = printed(risk_table(pd.DataFrame({"case_id": ["P2", "P1"], "risk": [1.25, -0.5]})))

    assert row(text, "P2") == ["1.2500"]
    assert row(text, "P1") == ["-0.5000"]
    assert text.index("P2") < text.index("P1")


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (None, "–"),
        (StoredScore(value=0.12345), "0.123"),
        (StoredScore(value=None, reason="x"), "undefined"),
    ],
)
def test_a_score_is_written_with_three_decimals(score, text):
    assert score_text(score) == text
