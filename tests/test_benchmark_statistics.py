"""The simulation of the procedure: that it simulates what it says, and what it found."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "statistics"


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("type_one", FOLDER / "type_one_error.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_ridge_cox_model_is_at_the_maximum_of_its_penalised_likelihood(simulation):
    from scipy.optimize import minimize

    variables, time, event = simulation.patients(60, np.random.default_rng(1))
    x = variables[:, :5]
    order = np.argsort(-time)

    def loss(beta):
        score = x[order] @ beta
        log_sum = np.logaddexp.accumulate(score)
        return -(event[order] * (score - log_sum)).sum() + simulation.PENALTY / 2 * beta @ beta

    expected = minimize(loss, np.zeros(5), tol=1e-10).x

    found = simulation.ridge_cox(x[None], time[None], event[None])[0]

    assert found == pytest.approx(expected, abs=1e-5)


def test_each_patient_is_tested_once_a_repeat(simulation):
    rows = simulation.deal(20, np.random.default_rng(1))

    assert rows.shape == (50, 4)
    assert (np.bincount(rows.ravel()) == 10).all()


def test_a_dataset_gives_the_same_answer_again(simulation):
    assert simulation.one_dataset(50, 3) == simulation.one_dataset(50, 3)


def test_the_committed_results_meet_the_bars_and_are_those_of_the_page(simulation):
    kept = json.loads((FOLDER / "results.json").read_text())

    assert kept["datasets"] >= 1000
    for found in kept["shares"].values():
        assert found["nadeau_bengio"] <= 0.09
        assert 0.93 <= found["held_out_coverage"] <= 0.97
        assert found["naive"] > 0.3
    table = "\n".join(simulation.table(kept["shares"], kept["datasets"]))
    assert table in (FOLDER / "README.md").read_text()
