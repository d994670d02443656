"""The simulations of the statistics: that they simulate what they say, and what they found."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "statistics"
MODULES = (
    *("results", "simulated_methods", "tested_methods", "verdict_tables", "verdict"),
    "few_events",
)


@pytest.fixture(scope="module")
def simulation():
    """The scripts by name, which import each other as scripts of one folder do."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: import_module(name) for name in MODULES}
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


def small_cohort(simulation, **changes):
    verdict, methods = simulation["verdict"], simulation["simulated_methods"]
    settings = {"patients": 40, "events": 20, "folds": 5, "repeats": (1, 2), **changes}
    return verdict.Cohort(scenario=methods.EQUAL[0], **settings)


def test_the_ridge_cox_model_is_at_the_maximum_of_its_penalised_likelihood(simulation):
    from scipy.optimize import minimize

    methods = simulation["simulated_methods"]
    found = methods.draw(methods.EQUAL[0], 60, 1300.0, np.random.default_rng(1))
    x, time, event = found.variables[0], found.time, found.event
    order = np.argsort(-time)

    def loss(beta):
        score = x[order] @ beta
        log_sum = np.logaddexp.accumulate(score)
        return -(event[order] * (score - log_sum)).sum() + methods.PENALTY / 2 * beta @ beta

    expected = minimize(loss, np.zeros(5), tol=1e-10).x

    beta = methods.ridge_cox(x[None], time[None], event[None])[0]

    assert beta == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_both_models_of_a_scenario_are_equally_good(simulation, place):
    """The true C of A's fits and of B's agree on average, and follow-up ends when it should."""
    methods = simulation["simulated_methods"]
    scenario = methods.EQUAL[place]
    censoring = methods.censoring_for(scenario, 0.5)
    truth = methods.TrueConcordance(scenario, censoring)
    random = np.random.default_rng(3)
    values, events = [], []
    for _ in range(60):
        found = methods.draw(scenario, 150, censoring, random)
        events.append(found.event.mean())
        values.append(
            [
                truth(methods.ridge_cox(x[None], found.time[None], found.event[None]), model)[0]
                for model, x in enumerate(found.variables)
            ]
        )

    difference = np.diff(np.array(values), axis=1)
    assert abs(difference.mean()) < 4 * difference.std() / 60**0.5 + 1e-9
    assert np.mean(events) == pytest.approx(0.5, abs=0.03)
    if scenario.spread:
        assert np.mean(values) > 0.6


def test_the_true_concordance_is_that_of_a_large_cohort(simulation):
    from mtsbench.metrics.concordance import concordance

    methods = simulation["simulated_methods"]
    scenario, beta = methods.EQUAL[1], np.array([[0.5, 0.1, 0.3, 0.0, -0.1]])
    found = methods.draw(scenario, 20_000, 1300.0, np.random.default_rng(1))

    expected = concordance(found.variables[1] @ beta[0], found.time, found.event).value

    truth = methods.TrueConcordance(scenario, 1300.0)
    assert truth(beta, 1)[0] == pytest.approx(expected, abs=0.01)


def test_each_patient_is_tested_once_a_repeat_and_events_are_spread(simulation):
    event = np.arange(23) < 10

    folds = simulation["tested_methods"].deal(event, 5, np.random.default_rng(1))

    assert sorted(np.concatenate(folds)) == list(range(23))
    assert [event[rows].sum() for rows in folds] == [2] * 5


def test_a_cohort_gives_the_same_studies_again_and_few_repeats_are_part_of_many(simulation):
    verdict = simulation["verdict"]
    with ThreadPoolExecutor(1) as pool:
        one, again = (verdict.studies(small_cohort(simulation), 2, pool) for _ in range(2))
        alone = verdict.studies(small_cohort(simulation, repeats=(1, 3)), 2, pool)

    assert one == again
    assert [len(every) for every in one] == [2, 2]
    assert one[0][0].freedom[0] == 4
    assert one[1][0].freedom[0] == 9
    assert alone[0][0].freedom == one[0][0].freedom


def test_a_shift_of_the_differences_is_found_more_often(simulation):
    verdict = simulation["verdict"]
    with ThreadPoolExecutor(1) as pool:
        found = [s for s in verdict.studies(small_cohort(simulation), 12, pool)[1] if s]

    assert verdict.rejected(found, 2.0) == {"corrected": 1.0, "fitted": 1.0, "verdict": 1.0}
    assert verdict.rejected(found)["verdict"] < 0.5


def test_a_page_without_the_marks_of_a_table_is_refused(simulation):
    with pytest.raises(ValueError, match="the page has no marks of the table 'unequal'"):
        simulation["results"].replaced("no marks here", "unequal", [])


def test_the_committed_results_are_those_of_the_page(simulation):
    page = (FOLDER / "README.md").read_text()
    kept = json.loads((FOLDER / "verdict.json").read_text())
    rows = json.loads((FOLDER / "few_events.json").read_text())["rows"]

    assert kept["datasets"] >= 500
    for scenario in simulation["simulated_methods"].EQUAL:
        table = "\n".join(simulation["verdict"].equal_table(kept["equal"], scenario.name))
        assert table in page
    assert "\n".join(simulation["verdict"].unequal_table(kept["unequal"])) in page
    assert "\n".join(simulation["few_events"].table(rows)) in page
    manual = (FOLDER.parents[1] / "docs" / "statistics.md").read_text()
    assert "\n".join(simulation["verdict"].short_table(kept["equal"])) in manual
