"""The Cox loss against R and scikit-survival, and its memory of earlier batches."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from mtsbench.interfaces import Outputs, Targets
from mtsbench.plugins import load_components

COMPONENTS = load_components()
GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "golden"
with_golden = pytest.mark.skipif(not GOLDEN.is_dir(), reason="no shared golden values")


def build(**options):
    return COMPONENTS.build("loss", "cox", options=options)


def case(log_risk, time, event):
    """What the loss takes: (B, 1) log risks and the follow-up."""
    return (
        Outputs(survival=log_risk, tumour_logit=None),
        Targets(
            time=torch.as_tensor(time, dtype=torch.float64), event=torch.tensor(event), mask=None
        ),
    )


@with_golden
@pytest.mark.parametrize("data", ["veteran", "lung", "pbc"])
def test_the_partial_likelihood_is_that_of_r_on_real_patients(data):
    known = json.loads((GOLDEN / "survival_basics.json").read_text())[data]
    with (GOLDEN / f"data_{data}.csv").open() as file:
        rows = list(csv.DictReader(file))
    event = [row["status"] == "1" for row in rows]
    time = [float(row["time"]) for row in rows]

    def log_likelihood(ties, column):
        log_risk = torch.tensor([[float(row[column]) if column else 0.0] for row in rows])
        return -build(ties=ties)(*case(log_risk, time, event)).item() * sum(event)

    for model in ("A", "B"):
        empty, fitted = known[f"cox_{model}"]["loglik"]
        assert log_likelihood("efron", f"app_lp{model}") == pytest.approx(fitted, rel=1e-6)
        assert log_likelihood("efron", None) == pytest.approx(empty, rel=1e-6)
    empty = known["cox_B_breslow"]["loglik"][0]
    assert log_likelihood("breslow", None) == pytest.approx(empty, rel=1e-6)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_partial_likelihood_is_largest_where_scikit_survival_finds_it(ties):
    from sksurv.datasets import load_veterans_lung_cancer
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    table, outcome = load_veterans_lung_cancer()
    score = table[["Karnofsky_score", "Age_in_years"]].to_numpy(np.float64)
    score = (score - score.mean(axis=0)) / score.std(axis=0)
    fit = CoxPHSurvivalAnalysis(ties=ties, tol=1e-12).fit(score, outcome)
    time, event = outcome["Survival_in_days"].copy(), outcome["Status"].copy()
    weights = torch.tensor(fit.coef_, dtype=torch.float32, requires_grad=True)

    def gradient(ties):
        log_risk = (torch.tensor(score).float() @ weights)[:, None]
        return torch.autograd.grad(build(ties=ties)(*case(log_risk, time, event)), weights)[0]

    assert gradient(ties).abs().max() < 1e-5
    # And it is a minimum of this loss, not of the other one.
    other = "breslow" if ties == "efron" else "efron"
    assert gradient(other).abs().max() > 1e-4


def test_efron_is_the_definition_on_a_case_done_by_hand():
    # Two tied events with hazards 2 and 3 and one survivor with 5: 2*3 / ((10) (10 - 5/2)).
    survival = torch.tensor([[2.0], [3.0], [5.0]]).log()

    value = build()(*case(survival, [7.0, 7.0, 9.0], [True, True, False]))

    assert value.item() == pytest.approx(-math.log(6 / (10 * 7.5)) / 2, rel=1e-5)


def test_the_memory_adds_earlier_cases_to_the_risk_sets_and_forgets_the_oldest_batch():
    loss = build(ties="breslow", memory=2)
    first = torch.tensor([[1.0], [2.0]], requires_grad=True)
    loss(*case(first, [50.0, 60.0], [True, True]))
    second = torch.tensor([[0.5], [0.0]], requires_grad=True)

    value = loss(*case(second, [55.0, 10.0], [True, False]))
    value.backward()

    # At day 55 are at risk: the case itself and the remembered one of day 60.
    assert value.item() == pytest.approx(math.log(math.exp(0.5) + math.exp(2.0)) - 0.5, rel=1e-5)
    # The second batch alone holds two cases, so the first is gone.
    third = loss(*case(torch.zeros(1, 1), [1.0], [True]))
    assert third.item() == pytest.approx(math.log(1 + math.exp(0.5) + 1), rel=1e-5)


def batch(seed: int):
    """Five cases, with ties."""
    rng = np.random.default_rng(seed)
    survival = torch.tensor(rng.normal(size=(5, 1)), dtype=torch.float32)
    return survival, rng.integers(1, 10, 5) * 100.0, rng.random(5) < 0.6


@pytest.mark.parametrize("memory", [1, 3, 4, 7, 100])
def test_what_the_memory_holds_does_not_depend_on_the_order_within_earlier_batches(memory):
    def last_of_three(order) -> float:
        loss = build(memory=memory)
        for seed in range(3):
            value = loss(*case(*(part[order] for part in batch(seed))))
        return float(value)

    assert last_of_three([4, 2, 0, 1, 3]) == pytest.approx(last_of_three(slice(None)), rel=1e-5)
    # And the memory is used: the batch alone has another value.
    alone = build()(*case(*batch(2))).item()
    assert last_of_three(slice(None)) != pytest.approx(alone, rel=1e-3)


def test_the_memory_of_a_loss_carries_no_gradient_into_the_next_batch():
    loss = build(memory=8)
    first = torch.zeros(2, 1, requires_grad=True)
    loss(*case(first, [50.0, 60.0], [True, True]))

    loss(*case(torch.zeros(2, 1, requires_grad=True), [5.0, 6.0], [True, True])).backward()

    assert first.grad is None
