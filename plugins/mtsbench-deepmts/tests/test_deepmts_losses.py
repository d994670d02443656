"""The losses: published values where those are defined, guarded values where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mtsbench_deepmts.losses import cox_partial_likelihood, soft_dice

from mtsbench.errors import DataError, PluginError
from mtsbench.interfaces import Outputs, Targets

ORACLE = json.loads((Path(__file__).parent / "oracles" / "losses.json").read_text())


def cox(log_risk, time, event):
    survival = torch.as_tensor(log_risk, dtype=torch.float64)[:, None]
    return cox_partial_likelihood(
        Outputs(survival=survival, tumour_logit=None),
        Targets(
            time=torch.as_tensor(time, dtype=torch.float64),
            event=torch.as_tensor(event, dtype=torch.bool),
            mask=None,
        ),
    )


def dice(logit, mask):
    targets = Targets(time=torch.ones(1), event=torch.ones(1, dtype=torch.bool), mask=mask)
    return soft_dice(Outputs(survival=torch.zeros(1, 1), tumour_logit=logit), targets)


cases = st.lists(
    st.tuples(st.floats(-50, 50), st.integers(1, 30).map(float), st.booleans(), st.floats(0, 1)),
    min_size=2,
    max_size=12,
)


def test_without_ties_the_value_is_the_published_one():
    value = cox(ORACLE["log_risk"], ORACLE["time"], ORACLE["event"])

    assert value.item() == pytest.approx(ORACLE["published_cox"], abs=1e-6)


def test_ties_share_a_risk_set_as_breslow_has_it():
    value = cox(ORACLE["log_risk"], ORACLE["tied_time"], ORACLE["event"])

    assert value.item() == pytest.approx(ORACLE["breslow_with_ties"], abs=1e-6)
    assert ORACLE["breslow_with_ties"] != pytest.approx(ORACLE["published_cox"], abs=1e-3)


@given(cases)
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_cases_does_not_matter(drawn):
    log_risk, time, event, order = map(np.array, zip(*drawn, strict=True))
    shuffled = np.argsort(order, kind="stable")

    value = cox(log_risk, time, event)

    again = cox(log_risk[shuffled], time[shuffled], event[shuffled])
    assert again.item() == pytest.approx(value.item(), rel=1e-5, abs=1e-5)


@given(cases)
@settings(max_examples=60, deadline=None)
def test_log_risks_up_to_fifty_give_a_finite_loss_and_gradient(drawn):
    log_risk, time, event, _ = map(np.array, zip(*drawn, strict=True))
    risk = torch.tensor(log_risk, requires_grad=True)

    value = cox_partial_likelihood(
        Outputs(survival=risk[:, None], tumour_logit=None),
        Targets(time=torch.tensor(time), event=torch.tensor(event, dtype=torch.bool), mask=None),
    )
    value.backward()

    assert torch.isfinite(value)
    assert value.item() >= -1e-5
    assert torch.isfinite(risk.grad).all()


def test_a_batch_without_events_gives_zero_with_a_gradient():
    risk = torch.tensor([[1.0], [2.0]], requires_grad=True)

    value = cox_partial_likelihood(
        Outputs(survival=risk, tumour_logit=None),
        Targets(time=torch.tensor([1.0, 2.0]), event=torch.zeros(2, dtype=torch.bool), mask=None),
    )
    value.backward()

    assert value.item() == 0
    assert (risk.grad == 0).all()


def test_a_better_order_of_risks_has_a_lower_loss():
    time, event = [1.0, 2.0, 3.0], [True, True, True]

    assert cox([3.0, 2.0, 1.0], time, event) < cox([1.0, 2.0, 3.0], time, event)


def test_more_than_one_output_per_case_is_refused():
    with pytest.raises(PluginError, match=r"needs log risks of shape \(B, 1\), got \(2, 3\)"):
        cox_partial_likelihood(
            Outputs(survival=torch.zeros(2, 3), tumour_logit=None),
            Targets(time=torch.ones(2), event=torch.ones(2, dtype=torch.bool), mask=None),
        )


def test_soft_dice_equals_its_definition():
    logit = torch.tensor(ORACLE["logit"])
    mask = torch.tensor(ORACLE["mask"], dtype=torch.float32)

    assert dice(logit, mask).item() == pytest.approx(ORACLE["soft_dice"], abs=1e-6)


def test_soft_dice_is_minus_one_for_a_perfect_and_zero_for_a_disjoint_map():
    mask = torch.zeros(1, 1, 4, 4, 4)
    mask[..., :2] = 1

    assert dice((mask - 0.5) * 100, mask).item() == pytest.approx(-1, abs=1e-6)
    assert dice((0.5 - mask) * 100, mask).item() == pytest.approx(0, abs=1e-6)


def test_soft_dice_of_an_empty_mask_is_finite():
    value = dice(torch.full((2, 1, 2, 2, 2), -100.0), torch.zeros(2, 1, 2, 2, 2))

    assert value.item() == 0


def test_soft_dice_without_a_map_or_a_mask_is_refused():
    with pytest.raises(PluginError, match="needs a backbone that segments"):
        dice(None, torch.zeros(1, 1, 2, 2, 2))
    with pytest.raises(DataError, match="needs tumour masks of the training cases"):
        dice(torch.zeros(1, 1, 2, 2, 2), None)


def test_the_partial_likelihood_asks_the_device_for_no_number():
    """A fake tensor has no numbers: `item`, `if` and selection by a mask raise."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        outputs = Outputs(survival=torch.empty(8, 1, requires_grad=True), tumour_logit=None)
        targets = Targets(time=torch.empty(8), event=torch.empty(8, dtype=torch.bool), mask=None)
        cox_partial_likelihood(outputs, targets).backward()
