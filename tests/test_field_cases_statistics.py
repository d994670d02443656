"""Cases from public bug reports: intervals, contrasts, verdicts and tests over datasets.

What is a share of many cohorts was simulated by `benchmarks/statistics`; here its committed results
are held to what is right, and the cases that are one set of numbers are computed.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mtsbench.comparison.across_datasets import random_effects, signed_rank_p
from mtsbench.comparison.external import compare_external
from mtsbench.data import Outcomes
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import concordance
from mtsbench.metrics.sampled_concordance import contrast, frozen

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "field-cases" / "survival"
RESULTS = Path(__file__).parents[1] / "benchmarks" / "statistics"
needs_cases = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the field cases are not there: {FOLDER}"
)


def case(group: str, name: str) -> dict:
    """A case of `cases.json`."""
    cases = json.loads((FOLDER / "cases.json").read_text())[group]
    return next(one for one in cases if one["id"] == name)


@needs_cases
@pytest.mark.parametrize("name", [pytest.param("D1", id="D1")])
def test_perfect_and_perfectly_wrong_differ_by_minus_one(name):
    of = case("contrast", name)
    time, event = np.array(of["time"], np.float64), np.array(of["event"]) == 1
    risks = [np.array(of[key], np.float64) for key in ("risk_a", "risk_b")]
    first, second = (frozen(concordance(risk, time, event)) for risk in risks)

    assert second.value - first.value == of["difference"]
    with pytest.raises(UndefinedMetricError, match=r"difference is -1\.000 whichever patients are"):
        contrast(first, second)


@needs_cases
def test_an_external_comparison_shows_the_difference_of_d1():
    of = case("contrast", "D1")
    outcomes = Outcomes(
        endpoint="os",
        case_ids=tuple(f"P{number}" for number in range(len(of["time"]))),
        time=np.array(of["time"], np.float64),
        event=np.array(of["event"]) == 1,
    )
    risks = {
        name: np.array(of[key], np.float64) for name, key in (("a", "risk_a"), ("b", "risk_b"))
    }

    _, second = compare_external(risks, outcomes, "a")

    assert second.difference == of["difference"]
    assert second.test is None
    assert any("difference is -1.000" in reason for reason in second.undefined)


@needs_cases
@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("W1", "W2", "W3", "W4")])
def test_the_signed_rank_p_is_exact_with_ties(name):
    of = case("signed_rank", name)

    assert signed_rank_p(np.array(of["differences"], np.float64)) == pytest.approx(of["p"])


@needs_cases
@pytest.mark.parametrize("name", [pytest.param("R1", id="R1")])
def test_a_dataset_without_spread_gives_a_reason(name):
    of = case("random_effects", name)

    with pytest.raises(UndefinedMetricError, match="1 of 3 datasets have a difference without spr"):
        random_effects(
            np.array(of["differences"], np.float64), np.array(of["standard_errors"], np.float64)
        )


@pytest.mark.parametrize("name", [pytest.param("I1", id="I1")])
def test_intervals_hold_the_truth_from_six_events_on_and_there_are_none_below(name):
    rows = json.loads((RESULTS / "few_events.json").read_text())["rows"]

    assert rows[0]["events"] == "0 to 5"
    assert rows[0]["c"] is None
    assert rows[0]["difference"] is None
    for row in rows[1:]:
        assert 0.93 <= row["c"] <= 0.97, row
        assert 0.93 <= row["difference"] <= 0.975, row
        assert row["c_given"] > 0.98, row
    # What was printed before: the reason for all this.
    assert rows[0]["normal_c"] < 0.80
    assert rows[1]["normal_c"] < 0.90


@pytest.mark.parametrize("name", [pytest.param("I2", id="I2")])
def test_two_equal_methods_are_called_different_in_at_most_seven_percent(name):
    equal = json.loads((RESULTS / "verdict.json").read_text())["equal"]

    assert {row["size"] for row in equal} >= {
        "60 / 12, 5 x 1",
        "60 / 12, 3 x 10",
        "200 / 75, 5 x 10",
    }
    for row in equal:
        assert row["error_verdict"] <= 0.07, row


@pytest.mark.parametrize("name", [pytest.param("P1", id="P1")])
def test_the_verdict_finds_what_is_printed_as_detectable(name):
    equal = json.loads((RESULTS / "verdict.json").read_text())["equal"]

    for row in equal:
        # Five points, and what 600 simulated studies leave to chance.
        assert row["power_verdict"] == pytest.approx(0.80, abs=0.05 + 0.02), row


def test_intervals_of_cross_validated_models_hold_what_they_are_of():
    """93 to 97 % where models learn something; the exceptions are those that the manual tells."""
    kept = json.loads((RESULTS / "verdict.json").read_text())

    for row in kept["equal"]:
        for name in ("covered_c_index", "covered_fitted", "covered_method"):
            if row["scenario"] == "different information":
                assert 0.93 - 0.01 <= row[name] <= 0.97 + 0.01, (row["size"], name)
            assert row[name] >= (0.88 if row["scenario"] == "no information" else 0.92)
    for row in kept["unequal"]:
        assert 0.93 <= row["covered_fitted"] <= 0.97
        assert 0.93 <= row["covered_method"] <= 0.97
