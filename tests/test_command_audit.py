"""`mtsbench audit`: its table, its JSON and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from mtsbench.audit.findings import Finding, all_passed, audit_table, findings_json, summary


def call(*arguments: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "mtsbench", "audit", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_clinical_model_passes_on_a_table(tmp_path):
    done = call(
        *("--model", "clinical-cox", "--dataset", "veteran", "--permutations", "3"),
        *("--cache", str(tmp_path)),
        COLUMNS="80",
    )

    assert done.returncode == 0, done.stderr
    assert "clinical-cox on veteran · os · preset demo" in done.stdout
    assert "9 passed in" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "permuted outcomes give chance: passed" in done.stderr.splitlines()


def test_a_patient_who_is_there_twice_is_named_with_exit_code_3(tmp_path):
    """Two rows of WHAS500 differ in nothing but the length of the hospital stay."""
    done = call(
        *("--model", "km", "--dataset", "whas500", "--permutations", "1", "--json"),
        *("--cache", str(tmp_path)),
    )

    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["model"], answer["dataset"], answer["endpoint"]) == ("km", "whas500", "os")
    assert answer["passed"] is False
    (leak,) = [one for one in answer["checks"] if one["status"] != "passed"]
    assert leak["check"] == "no patient appears twice"
    assert "whas500-280 = whas500-321 (clinical row and outcome" in leak["measured"]


def test_a_model_that_does_not_exist_is_a_wrong_request():
    done = call("--model", "clinical-cos", "--dataset", "veteran")

    assert done.returncode == 2
    assert "no model is called 'clinical-cos'. Did you mean 'clinical-cox'?" in done.stderr


@pytest.mark.parametrize("status", ["failed", "undecided"])
def test_only_a_check_that_passed_is_a_pass(status):
    passed = Finding(check="one", status="passed", measured="none", seconds=1.0)
    other = Finding(check="two", status=status, measured="some", seconds=2.4)

    assert all_passed([passed])
    assert not all_passed([passed, other])
    assert summary([passed, other]) == f"1 passed, 1 {status} in 3 s"
    assert findings_json([other])["checks"][0]["measured"] == "some"


def test_the_table_shows_what_was_measured():
    table = audit_table("m on d", [Finding(check="one", status="failed", measured="C 0.9")])
    console = Console(width=80, no_color=True)
    with console.capture() as captured:
        console.print(table)

    assert "C 0.9" in captured.get()
    assert "failed" in captured.get()
