"""What a loss promises: a finite number of every batch, whatever the order of its cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor

from mtsbench.interfaces import Loss, Outputs, Targets
from mtsbench.testing.contract import Contract, NotApplicable, ensure

Reads = Literal["log-risk", "scale-and-shape", "intervals", "mask"]
Ties = Literal["breslow", "efron"]
READS: tuple[Reads, ...] = ("log-risk", "scale-and-shape", "intervals", "mask")
WIDTH: dict[Reads, int] = {"log-risk": 1, "scale-and-shape": 2, "intervals": 10, "mask": 1}
CASES = 8
LAST_DAY = 2000.0
EXTREME = 50.0


class LossContract(Contract):
    """Checks of one loss.

    Attributes:
        reads: Which outputs the loss is written for: one log risk, two parameters with a unit of
            time in `time_grid`, ten intervals, or tumour logits; None finds out by trying.
        ties: How a Cox loss treats events at one time; None where the loss is none.
        oracle: (outputs, targets, value) with the value from elsewhere, compared to 1e-5.
    """

    kind = "loss"
    reads: ClassVar[Reads | None] = None
    ties: ClassVar[Ties | None] = None
    oracle: ClassVar[Sequence[tuple[Outputs, Targets, float]]] = ()

    def test_the_loss_is_a_scalar(self) -> None:
        """A batch gives one number."""
        value = self._value(*self._batch())

        ensure(value.shape == (), f"the loss has shape {tuple(value.shape)}; return a scalar")

    def test_the_order_of_the_cases_does_not_matter(self) -> None:
        """Shuffling the cases of a batch leaves the loss as it is."""
        outputs, targets = self._batch()
        self._same_when_shuffled(outputs, targets, "the cases of a batch are shuffled")

    def test_tied_times_do_not_bring_the_order_in(self) -> None:
        """With equal times the order still does not matter."""
        outputs, targets = self._batch()
        tied = replace(targets, time=(targets.time / 800).ceil() * 800)
        self._same_when_shuffled(outputs, tied, "cases with equal times are shuffled")

    def test_ties_are_treated_as_the_named_method_does(self) -> None:
        """With equal times the loss is the declared partial likelihood, up to one factor."""
        if self.ties is None:
            raise NotApplicable("no tie method is declared; set `ties` for a Cox loss")
        outputs, targets = self._batch()
        tied = replace(targets, time=(targets.time / 800).ceil() * 800)
        factor, tied_factor = (
            float(self._value(outputs, one)) / partial_likelihood(outputs, one, self.ties)
            for one in (targets, tied)
        )

        ensure(
            abs(factor - tied_factor) <= 1e-4 * abs(factor),
            f"without ties the loss is {factor:.5g} times the negative log partial likelihood, "
            f"with ties {tied_factor:.5g} times that of {self.ties.title()}",
        )

    def test_a_batch_without_events_is_finite_with_a_gradient(self) -> None:
        """All cases censored: a finite loss and a finite gradient."""
        outputs, targets = self._batch()
        self._finite(outputs, replace(targets, event=torch.zeros_like(targets.event)), "no event")

    def test_a_batch_of_events_only_is_finite_with_a_gradient(self) -> None:
        """All cases with an event: a finite loss and a finite gradient."""
        outputs, targets = self._batch()
        self._finite(outputs, replace(targets, event=torch.ones_like(targets.event)), "events only")

    def test_a_single_case_is_finite(self) -> None:
        """A batch of one case has a finite loss."""
        outputs, targets = self._batch()
        self._finite(*shuffled(outputs, targets, torch.tensor([0])), "a single case")

    def test_an_empty_mask_is_finite(self) -> None:
        """Cases without tumour voxels have a finite loss."""
        if self._reads() != "mask":
            raise NotApplicable(f"the loss reads {self._reads()}, not masks")
        outputs, targets = self._batch()
        assert targets.mask is not None
        self._finite(outputs, replace(targets, mask=torch.zeros_like(targets.mask)), "empty masks")

    def test_extreme_outputs_are_finite(self) -> None:
        """Outputs of +-50 give a finite loss and a finite gradient."""
        outputs, targets = self._batch()
        far = replace(
            outputs,
            survival=outputs.survival.sign() * EXTREME,
            tumour_logit=_far(outputs.tumour_logit),
        )
        self._finite(far, targets, f"outputs of +-{EXTREME:g}")

    def test_the_gradient_reaches_the_outputs(self) -> None:
        """A batch with events has a gradient that is not zero."""
        outputs, targets = self._batch()
        gradient = self._gradient(outputs, targets)

        ensure(
            gradient is not None and gradient.abs().sum() > 0,
            "the loss has no gradient towards the outputs, so nothing can learn from it; do not "
            "detach them, and use differentiable operations",
        )

    def test_a_step_against_the_gradient_lowers_the_loss(self) -> None:
        """Following the gradient makes the loss smaller."""
        outputs, targets = self._batch()
        before = self._value(outputs, targets)
        gradient = self._gradient(outputs, targets)
        if gradient is None:
            raise NotApplicable("the loss gives no gradient, which another check reports")
        step = 1e-2 * gradient / gradient.norm().clamp(min=1e-12)
        after = self._value(self._moved(outputs, -step), targets)

        ensure(
            after < before,
            f"a small step against the gradient raised the loss from {before:g} to {after:g}; "
            "value and gradient do not belong together",
        )

    def test_the_better_prediction_has_the_lower_loss(self) -> None:
        """Higher log risk for earlier events, or the true mask, costs less than its opposite."""
        reads = self._reads()
        if reads not in ("log-risk", "mask"):
            raise NotApplicable(f"the loss reads {reads}, whose right order only its head knows")
        outputs, targets = self._batch()
        better, worse = (self._value(one, targets) for one in _right_and_wrong(outputs, targets))
        what = "log risks that fall with time" if reads == "log-risk" else "the true mask"

        ensure(
            better < worse,
            f"{what} cost {better:g}, the opposite {worse:g}; higher risk must mean an earlier "
            "event, and a positive logit tumour",
        )

    def test_the_batch_is_left_as_it_is(self) -> None:
        """Outputs and targets are not written to."""
        outputs, targets = self._batch()
        copies = shuffled(outputs, targets, torch.arange(CASES))
        self._value(outputs, targets)
        same = all(
            torch.equal(a, b)
            for a, b in zip(_tensors(outputs, targets), _tensors(*copies), strict=True)
        )

        ensure(same, "the loss changed the outputs or targets it was given; work on a copy")

    def test_values_equal_the_oracle(self) -> None:
        """The loss has the values that another implementation has."""
        if not self.oracle:
            raise NotApplicable("no oracle is declared; set `oracle` to values from elsewhere")
        for row, (outputs, targets, expected) in enumerate(self.oracle):
            found = float(self._value(outputs, targets))
            ensure(
                abs(found - expected) <= 1e-5 * max(1.0, abs(expected)),
                f"batch {row} of the oracle has loss {found:.8g}, expected {expected:.8g}",
            )

    def _reads(self) -> Reads:
        """What the loss is written for: declared, or the first form that it takes."""
        if self.reads is not None:
            return self.reads
        self.build()  # what keeps it from being built is not about its outputs
        causes = []
        taken: list[Reads] = []
        for reads in READS:
            outputs, targets = batch(reads)
            try:
                gradient = self._gradient(outputs, targets, reads)
            except Exception as error:
                causes.append(f"{reads}: {type(error).__name__}: {error}")
                continue
            if gradient is not None:
                return reads
            taken.append(reads)
        ensure(taken, f"the loss takes no form of outputs; {'; '.join(causes)}; declare `reads`")
        return taken[0]

    def _batch(self) -> tuple[Outputs, Targets]:
        return batch(self._reads())

    def _value(self, outputs: Outputs, targets: Targets) -> Tensor:
        # A loss may keep a memory of earlier batches, so each value has a loss of its own.
        return cast("Loss", self.build())(outputs, targets)

    def _gradient(
        self, outputs: Outputs, targets: Targets, reads: Reads | None = None
    ) -> Tensor | None:
        """Of the loss towards the outputs that it reads; None where there is none."""
        leaf = _read(outputs, reads or self._reads()).detach().clone().requires_grad_()
        value = self._value(_with(outputs, leaf, reads or self._reads()), targets).sum()
        if not value.requires_grad:
            return None
        (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
        return gradient

    def _moved(self, outputs: Outputs, step: Tensor) -> Outputs:
        reads = self._reads()
        return _with(outputs, _read(outputs, reads) + step, reads)

    def _finite(self, outputs: Outputs, targets: Targets, what: str) -> None:
        value = self._value(outputs, targets)
        ensure(torch.isfinite(value).all(), f"a batch with {what} has the loss {value.tolist()}")
        gradient = self._gradient(outputs, targets)
        ensure(gradient is not None, f"a batch with {what} has no gradient; return a sum times 0.0")
        assert gradient is not None
        ensure(torch.isfinite(gradient).all(), f"a batch with {what} has a gradient of nan or inf")

    def _same_when_shuffled(self, outputs: Outputs, targets: Targets, what: str) -> None:
        value = float(self._value(outputs, targets).sum())
        for seed in range(3):
            order = torch.randperm(CASES, generator=torch.Generator().manual_seed(seed))
            other = float(self._value(*shuffled(outputs, targets, order)).sum())
            ensure(
                abs(value - other) <= 1e-4 * max(1.0, abs(value)),
                f"the loss is {value:.6g}, but {other:.6g} after {what}",
            )


def partial_likelihood(outputs: Outputs, targets: Targets, ties: Ties) -> float:
    """Negative log partial likelihood of Cox, summed over the events, written as in textbooks.

    Source: Klein & Moeschberger, Survival Analysis (2003), equations 8.4.1 and 8.4.2.
    """
    hazard = outputs.survival[:, 0].double().exp()
    total = 0.0
    for time in targets.time[targets.event].unique():
        died = targets.event & (targets.time == time)
        at_risk, dying = hazard[targets.time >= time].sum(), hazard[died].sum()
        for rank, own in enumerate(hazard[died]):
            share = rank / int(died.sum()) if ties == "efron" else 0.0
            total += float((at_risk - share * dying).log() - own.log())
    return total


def batch(reads: Reads) -> tuple[Outputs, Targets]:
    """Eight cases, five with an event, in the form that a loss reads; masks of 4 x 6 x 8 voxels."""
    generator = torch.Generator().manual_seed(0)
    width = WIDTH[reads]
    survival = torch.randn(CASES, width, generator=generator)
    time = torch.tensor([900.0, 100.0, 1500.0, 300.0, 1900.0, 700.0, 1200.0, 500.0])
    event = torch.tensor([1, 1, 0, 1, 0, 1, 1, 0]).bool()
    mask = torch.zeros(CASES, 1, 4, 6, 8)
    for case in range(CASES):
        mask[case, :, 1:3, 1 : 3 + case % 3, 2:6] = 1
    segments = reads == "mask"
    logit = torch.randn(mask.shape, generator=generator) if segments else None
    grid = torch.linspace(0, LAST_DAY, width + 1 if reads == "intervals" else 2).double()
    outputs = Outputs(
        survival=survival,
        tumour_logit=logit,
        time_grid=grid if reads in ("scale-and-shape", "intervals") else None,
    )
    return outputs, Targets(time=time, event=event, mask=mask if segments else None)


def shuffled(outputs: Outputs, targets: Targets, order: Tensor) -> tuple[Outputs, Targets]:
    """Copies of the cases at the positions `order`."""
    logit, mask = outputs.tumour_logit, targets.mask
    return (
        replace(
            outputs,
            survival=outputs.survival[order],
            tumour_logit=None if logit is None else logit[order],
        ),
        Targets(
            time=targets.time[order],
            event=targets.event[order],
            mask=None if mask is None else mask[order],
        ),
    )


def _read(outputs: Outputs, reads: Reads) -> Tensor:
    if reads != "mask":
        return outputs.survival
    assert outputs.tumour_logit is not None
    return outputs.tumour_logit


def _with(outputs: Outputs, read: Tensor, reads: Reads) -> Outputs:
    if reads == "mask":
        return replace(outputs, tumour_logit=read)
    return replace(outputs, survival=read)


def _far(logit: Tensor | None) -> Tensor | None:
    return None if logit is None else logit.sign() * EXTREME


def _right_and_wrong(outputs: Outputs, targets: Targets) -> tuple[Outputs, Outputs]:
    if targets.mask is not None:
        right = 8 * targets.mask - 4
        return replace(outputs, tumour_logit=right), replace(outputs, tumour_logit=-right)
    falling = (1 - targets.time / 1000)[:, None]
    return replace(outputs, survival=falling), replace(outputs, survival=-falling)


def _tensors(outputs: Outputs, targets: Targets) -> list[Tensor]:
    found = (outputs.survival, outputs.tumour_logit, targets.time, targets.event, targets.mask)
    return [one for one in found if one is not None]
