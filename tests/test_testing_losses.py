"""One broken loss for each check, and the check that names its fault."""

from __future__ import annotations

import pytest
import torch

from mtsbench.testing import BrokenPromise, LossContract
from mtsbench.testing.losses import READS, batch, partial_likelihood, shuffled


def cox(outputs, targets):
    """Breslow's partial likelihood, right in every way."""
    risk = outputs.survival[:, 0]
    if outputs.survival.shape[1] != 1:
        raise ValueError("one log risk per case")
    at_risk = targets.time[None, :] >= targets.time[:, None]
    log_sum = risk[None, :].masked_fill(~at_risk, -torch.inf).logsumexp(dim=1)
    return ((log_sum - risk) * targets.event).sum() / targets.event.sum().clamp(min=1)


def dice(outputs, targets):
    overlap = (outputs.tumour_logit.sigmoid() * targets.mask).flatten(1).sum(1)
    total = (outputs.tumour_logit.sigmoid() + targets.mask).flatten(1).sum(1)
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def vector(outputs, targets):
    return outputs.survival[:, 0] * targets.event


def sorted_by_the_caller(outputs, targets):
    risk = outputs.survival[:, 0]
    return ((risk.flip(0).logcumsumexp(0).flip(0) - risk) * targets.event).sum() / 5


def sorted_without_ties(outputs, targets):
    order = targets.time.argsort(stable=True)
    risk, event = outputs.survival[order, 0], targets.event[order]
    return ((risk.flip(0).logcumsumexp(0).flip(0) - risk) * event).sum() / 5


def mean_over_events(outputs, targets):
    return cox(outputs, targets) * targets.event.sum().clamp(min=1) / targets.event.sum()


def weighted_by_the_censored(outputs, targets):
    return cox(outputs, targets) / (~targets.event).sum()


def scaled_by_the_batch(outputs, targets):
    return cox(outputs, targets) / targets.time.std()


def overflowing(outputs, targets):
    risk = outputs.survival[:, 0]
    at_risk = (targets.time[None, :] >= targets.time[:, None]).float()
    return (((at_risk @ (2 * risk).exp()).log() - 2 * risk) * targets.event).sum()


def detached(outputs, targets):
    return cox(type(outputs)(survival=outputs.survival.detach(), tumour_logit=None), targets)


class WrongGradient(torch.autograd.Function):
    @staticmethod
    def forward(context, value):
        return value.clone()

    @staticmethod
    def backward(context, gradient):
        return -gradient


def of_the_wrong_gradient(outputs, targets):
    return WrongGradient.apply(cox(outputs, targets))


def upside_down(outputs, targets):
    return cox(type(outputs)(survival=-outputs.survival, tumour_logit=None), targets)


def writes_to_the_batch(outputs, targets):
    targets.time.div_(365.25)
    return cox(outputs, targets)


def divides_by_the_mask(outputs, targets):
    found = (outputs.tumour_logit.sigmoid() * targets.mask).sum()
    return 1 - found / targets.mask.sum()


def takes_nothing(outputs, targets):
    raise KeyError("no such output")


FAULTS = [
    ("the_loss_is_a_scalar", vector, r"has shape \(8,\); return a scalar"),
    (
        "the_order_of_the_cases_does_not_matter",
        sorted_by_the_caller,
        "after the cases of a batch are shuffled",
    ),
    (
        "tied_times_do_not_bring_the_order_in",
        sorted_without_ties,
        "after cases with equal times are shuffled",
    ),
    (
        "a_batch_without_events_is_finite_with_a_gradient",
        mean_over_events,
        "a batch with no event has the loss nan",
    ),
    (
        "a_batch_of_events_only_is_finite_with_a_gradient",
        weighted_by_the_censored,
        "a batch with events only has the loss inf",
    ),
    ("a_single_case_is_finite", scaled_by_the_batch, "a batch with a single case has the loss nan"),
    ("an_empty_mask_is_finite", divides_by_the_mask, "a batch with empty masks has the loss nan"),
    ("extreme_outputs_are_finite", overflowing, r"outputs of \+-50 has the loss"),
    ("the_gradient_reaches_the_outputs", detached, "no gradient towards the outputs"),
    (
        "a_step_against_the_gradient_lowers_the_loss",
        of_the_wrong_gradient,
        "value and gradient do not belong together",
    ),
    ("the_better_prediction_has_the_lower_loss", upside_down, "must mean an earlier"),
    ("the_batch_is_left_as_it_is", writes_to_the_batch, "changed the outputs or targets"),
    ("the_loss_is_a_scalar", takes_nothing, "takes no form of outputs; log-risk: KeyError"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
@pytest.mark.filterwarnings("ignore:std\\(\\)")
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(LossContract, lambda: fault)

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


@pytest.mark.parametrize(("fault", "broken"), [(cox, set()), (dice, set()), (upside_down, 1)])
def test_a_right_loss_keeps_every_promise_and_one_fault_breaks_one(
    contract_of, verdicts, fault, broken
):
    found = verdicts(contract_of(LossContract, lambda: fault))

    statuses = [status for status, _ in found.values()]
    assert statuses.count("broken") == (broken or 0)
    assert statuses.count("kept") >= 10


def test_a_check_that_cannot_apply_says_why(contract_of, verdicts):
    found = verdicts(contract_of(LossContract, lambda: cox))

    assert found["an_empty_mask_is_finite"] == (
        "not applicable",
        "the loss reads log-risk, not masks",
    )
    assert "no oracle is declared" in found["values_equal_the_oracle"][1]


def test_values_are_compared_with_the_oracle(contract_of):
    outputs, targets = batch("log-risk")
    right = (outputs, targets, float(cox(outputs, targets)))
    wrong = (outputs, targets, 1.25)

    contract_of(LossContract, lambda: cox, oracle=(right,))().test_values_equal_the_oracle()
    with pytest.raises(BrokenPromise, match=r"batch 1 of the oracle has loss .*, expected 1\.25"):
        contract_of(
            LossContract, lambda: cox, oracle=(right, wrong)
        )().test_values_equal_the_oracle()


def efron(outputs, targets):
    """Efron's partial likelihood, mean over the events."""
    return partial_likelihood(outputs, targets, "efron") / targets.event.sum()


def test_ties_are_compared_with_the_method_that_is_named(contract_of):
    def check(loss, ties):
        contract_of(
            LossContract, lambda: loss, reads="log-risk", ties=ties
        )().test_ties_are_treated_as_the_named_method_does()

    check(cox, "breslow")
    check(efron, "efron")
    for loss, ties in ((cox, "efron"), (efron, "breslow")):
        with pytest.raises(BrokenPromise, match=rf"with ties .* times that of {ties.title()}"):
            check(loss, ties)


def test_a_loss_without_gradient_for_any_batch_is_told_so(contract_of, verdicts):
    found = verdicts(contract_of(LossContract, lambda: detached))

    assert "has no gradient; return a sum" in found["a_single_case_is_finite"][1]
    assert found["a_step_against_the_gradient_lowers_the_loss"][0] == "not applicable"


def test_a_gradient_that_is_not_finite_is_found(contract_of):
    contract = contract_of(
        LossContract, lambda: lambda outputs, targets: (outputs.survival * 0).sqrt().sum()
    )

    with pytest.raises(BrokenPromise, match="a gradient of nan or inf"):
        contract().test_a_single_case_is_finite()


@pytest.mark.parametrize("reads", READS)
def test_shuffling_keeps_each_case_together(reads):
    outputs, targets = batch(reads)

    others, moved = shuffled(outputs, targets, torch.tensor([3, 0]))

    assert torch.equal(others.survival[0], outputs.survival[3])
    assert moved.time.tolist() == [300.0, 900.0]
    assert (moved.mask is None) == (reads != "mask")
