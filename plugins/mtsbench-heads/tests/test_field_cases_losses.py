"""Losses at extremes and grids of odd times, from public bug reports; closed forms.

../shared/field-cases/survival/README.md says where each case comes from.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mtsbench.data import Outcomes
from mtsbench.interfaces import Outputs, Targets
from mtsbench.plugins import load_components

CASES = Path(__file__).resolve().parents[4] / "shared" / "field-cases" / "survival" / "cases.json"
pytestmark = pytest.mark.skipif(not CASES.is_file(), reason=f"the field cases are not at {CASES}")
COMPONENTS = load_components()
DISCRETE = ("logistic-hazard", "pmf", "mtlr", "deephit")


def case(group: str, name: str) -> dict:
    """A case of `cases.json`."""
    return next(one for one in json.loads(CASES.read_text())[group] if one["id"] == name)


def cox_value(phi, time, event) -> float:
    """The Cox loss with Efron ties, the mean over events."""
    targets = Targets(
        time=torch.tensor(time, dtype=torch.float64),
        event=torch.tensor(event).bool(),
        mask=None,
    )
    survival = torch.tensor(phi, dtype=torch.float32)[:, None]
    loss = COMPONENTS.build("loss", "cox", options={"ties": "efron"})
    return loss(Outputs(survival=survival, tumour_logit=None), targets).item()


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("L1", "L2", "L3")])
def test_a_censored_case_far_from_the_model_keeps_its_loss_and_gradient(name):
    of = case("losses", name)
    phi = torch.tensor([of["phi"]], dtype=torch.float32, requires_grad=True)
    grid = torch.tensor(of["grid"], dtype=torch.float64)
    targets = Targets(
        time=torch.tensor([float(of["time"])], dtype=torch.float64),
        event=torch.tensor([bool(of["event"])]),
        mask=None,
    )

    value = COMPONENTS.build("loss", of["loss"])(
        Outputs(survival=phi, tumour_logit=None, time_grid=grid), targets
    )
    value.backward()

    assert value.item() == pytest.approx(of["value"], rel=1e-6)
    assert phi.grad[0, 0].item() == pytest.approx(of["gradient_of_phi0"], abs=1e-6)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        pytest.param("L4", 1e-5, id="L4"),
        # The published table gives four decimals of phi, and its value was made from more.
        pytest.param("L5", 1e-4, id="L5"),
    ],
)
def test_the_cox_loss_is_its_definition(name, tolerance):
    of = case("losses", name)

    found = cox_value(of["phi"], of["time"], of["event"])

    assert found == pytest.approx(of["value"], abs=tolerance)


@pytest.mark.parametrize("name", [pytest.param("L6", id="L6")])
def test_seconds_since_1970_are_ordered_as_small_numbers_are(name):
    assert case("losses", name)["loss"] == "cox efron"
    phi, event = [0.3, -1.0, 0.8, 0.1, 0.5], [1, 1, 0, 1, 1]
    order = np.array([1.0, 2.0, 2.0, 3.0, 4.0])

    assert cox_value(phi, order + 1.7e9, event) == cox_value(phi, order, event)


@pytest.mark.parametrize("loss", DISCRETE)
@pytest.mark.parametrize("name", [pytest.param("G1", id="G1")])
def test_cut_points_of_times_that_differ_by_rounding_increase(name, loss):
    assert "strictly increasing" in case("grid", name)["right"]
    head = _learnt(loss, [0.3, 0.30000000000000004, 0.7], [True] * 3)

    assert (head.time_grid.diff() > 0).all()
    assert (head.survival_time.diff() > 0).all()


@pytest.mark.parametrize("loss", DISCRETE)
@pytest.mark.parametrize("name", [pytest.param("G2", id="G2")])
def test_events_on_the_last_cut_are_inside_and_follow_up_beyond_it_survived_all(name, loss):
    assert "event inside" in case("grid", name)["right"]
    time = [5.0] * 4 + [7.0, 100.0, 200.0] + [2000.0] * 50
    head = _learnt(loss, time, [True] * 7 + [False] * 50)
    grid, phi = head.time_grid, torch.zeros(1, len(head.time_grid) - 1)

    def value(day: float, event: bool) -> float:
        targets = Targets(
            time=torch.tensor([day], dtype=torch.float64), event=torch.tensor([event]), mask=None
        )
        return COMPONENTS.build("loss", "pmf")(
            Outputs(survival=phi, tumour_logit=None, time_grid=grid), targets
        ).item()

    assert (grid.diff() > 0).all()
    assert grid[-1] == 200
    # Equal weights: each interval, and no event at all, has one share of eleven.
    assert value(200.0, True) == pytest.approx(np.log(11), rel=1e-6)
    assert value(2000.0, False) == pytest.approx(np.log(11), rel=1e-6)


def _learnt(name: str, time: list[float], event: list[bool]):
    head = COMPONENTS.build("head", name, {"backbone": ()}, 2, options={"intervals": 10})
    head.learn_outcomes(
        Outcomes(
            endpoint="os",
            case_ids=tuple(map(str, range(len(time)))),
            time=np.array(time),
            event=np.array(event, np.bool_),
        )
    )
    return head
