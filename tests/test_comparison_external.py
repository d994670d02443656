"""Frozen models on an external cohort; the contrast itself: test_golden_concordance.py."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mtsbench.checksums import write_checksums
from mtsbench.cli import app
from mtsbench.comparison.external import compare_external, read_risks
from mtsbench.comparison.resampled_tests import detectable
from mtsbench.data import Outcomes
from mtsbench.errors import DataError, OptionError
from mtsbench.metrics.concordance import concordance
from mtsbench.metrics.sampled_concordance import contrast, frozen


def sign(folder):
    """As if what lies there had been written so."""
    write_checksums(folder, "run", [folder / "risk.csv", folder / "model.json"])


@pytest.fixture
def outcomes():
    random = np.random.default_rng(5)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"E{number}" for number in range(120)),
        time=random.exponential(1200, 120) + 1,
        event=random.random(120) < 0.7,
    )


@pytest.fixture
def predicted(tmp_path, make_description, outcomes):
    """Writes what `mtsbench predict --out` does."""

    def write(name="a", noise=1.0, **changes):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(len(name))
        risk = -np.log(outcomes.time) + noise * random.normal(size=len(outcomes))
        table = pd.DataFrame({"case_id": outcomes.case_ids, "risk": risk})
        table.sample(frac=1, random_state=1).to_csv(folder / "risk.csv", index=False)
        (folder / "model.json").write_text(make_description(**changes).model_dump_json())
        sign(folder)
        return folder

    return write


def test_the_test_is_the_jackknife_contrast_with_holm(outcomes, predicted):
    names = {"a": 3.0, "bb": 0.5, "ccc": 0.6}
    risks = {n: read_risks(predicted(n, noise), outcomes, "other") for n, noise in names.items()}

    one, two, three = compare_external(risks, outcomes, "a")

    parts = [
        frozen(concordance(risks[name], outcomes.time, outcomes.event)) for name in ("a", "bb")
    ]
    expected = contrast(*parts)
    assert (one.difference, one.test) == (None, None)
    assert one.c_index == parts[0].value
    assert one.interval == parts[0].interval()
    assert two.test == expected
    assert two.difference == expected.value
    smaller = min(two.test.p, three.test.p)
    assert min(two.adjusted_p, three.adjusted_p) == pytest.approx(min(1, 2 * smaller))
    freedom = expected.degrees_of_freedom
    strict = detectable(expected.standard_error, freedom, level=0.025)
    assert two.detectable == pytest.approx(strict)
    assert 0.5 < two.uno < 1


def test_a_copy_of_the_reference_is_not_tested(outcomes, predicted):
    risk = read_risks(predicted(), outcomes, "other")

    _, copy = compare_external({"a": risk, "copy": risk}, outcomes, "a")

    assert copy.difference == 0
    assert copy.test is None
    assert copy.adjusted_p is None
    assert "order every pair alike" in copy.undefined[0]


def test_a_cohort_of_few_events_has_differences_and_no_intervals(outcomes, predicted):
    few = replace(outcomes, event=np.arange(120) < 5)
    risks = {n: read_risks(predicted(n, 1.0), outcomes, "other") for n in ("a", "bb")}

    first, second = compare_external(risks, few, "a")

    assert first.interval is None
    assert second.test is None
    assert -1 <= second.difference <= 1
    assert second.undefined == (
        "5 events are too few for an interval or a test of C, which need 6",
    )


def test_a_reference_that_is_no_model_is_refused(outcomes):
    with pytest.raises(OptionError, match="--reference 'x' is none of the models; choose one of a"):
        compare_external({"a": np.zeros(120)}, outcomes, "x")


def test_a_model_trained_on_these_very_patients_is_not_external(outcomes, predicted):
    with pytest.raises(DataError, match="trained on this very dataset, so it is not external; use"):
        read_risks(predicted(), outcomes, "f" * 64)


def test_missing_and_damaged_predictions_are_named(outcomes, predicted, tmp_path):
    with pytest.raises(DataError, match=r"risk.csv does not exist; name a folder that `mtsbench"):
        read_risks(tmp_path / "nowhere", outcomes, "other")
    folder = predicted()
    (folder / "model.json").write_text("{}")
    with pytest.raises(DataError, match=r"model.json is damaged .*; run `mtsbench predict` again"):
        read_risks(folder, outcomes, "other")


def test_patients_without_or_with_two_risks_are_named(outcomes, predicted):
    folder = predicted()
    table = pd.read_csv(folder / "risk.csv")
    table[table["case_id"] != "E7"].to_csv(folder / "risk.csv", index=False)
    with pytest.raises(DataError, match=r"risk.csv is damaged .*; run `mtsbench predict` again"):
        read_risks(folder, outcomes, "other")
    sign(folder)
    with pytest.raises(DataError, match=r"no finite risk for 1 of 120 patients .* 'E7'; predict"):
        read_risks(folder, outcomes, "other")

    pd.concat([table, table.iloc[:1]]).to_csv(folder / "risk.csv", index=False)
    sign(folder)
    with pytest.raises(DataError, match=r"appears twice; run `mtsbench predict` again"):
        read_risks(folder, outcomes, "other")


@pytest.mark.parametrize("form", ["table", "json"])
def test_the_command_prints_what_it_found(form, predicted, tmp_path, monkeypatch):
    pytest.importorskip("mtsbench_cohorts")
    monkeypatch.setenv("COLUMNS", "80")
    from mtsbench.plugins import load_components

    veteran = load_components().build("dataset", "veteran", None)
    known = veteran.outcomes(veteran.endpoints[0])
    folders = [predicted("a"), predicted("bb", 0.2)]
    for folder, spread in zip(folders, (3.0, 0.5), strict=True):
        random = np.random.default_rng(1)
        risk = -np.log(known.time) + spread * random.normal(size=len(known))
        table = pd.DataFrame({"case_id": known.case_ids, "risk": risk})
        table.to_csv(folder / "risk.csv", index=False)
        sign(folder)

    arguments = ["external", *map(str, folders), "--dataset", "veteran", "--reference", "a"]
    done = CliRunner().invoke(app, arguments + (["--json"] if form == "json" else []))

    if done.exception:
        raise done.exception
    if form == "json":
        found = json.loads(done.stdout)
        assert found[1]["test"]["p"] < 0.05
        assert found[1]["difference"] > 0
    else:
        assert "137 patients, 128 events" in done.stdout
        assert max(len(line) for line in done.stdout.splitlines()) <= 80
