"""What a head promises: one finite risk for each case, and curves that are probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from mtsbench.capabilities import gives_curves
from mtsbench.data import Outcomes, SurvivalReading
from mtsbench.engine.determinism import seeded
from mtsbench.interfaces import CurveHead
from mtsbench.testing.contract import Contract, NotApplicable, ensure
from mtsbench.testing.networks import (
    all_finite,
    check_gradients,
    check_state,
    one_line,
    same,
)

if TYPE_CHECKING:
    from mtsbench.interfaces import Head

Channels = Mapping[str, tuple[int, ...]]
Maps = Mapping[str, list[Tensor]]
ONE_GROUP: Channels = {"backbone": (4, 8)}
TWO_GROUPS: Channels = {"backbone": (4, 8), "survival_network": (6,)}
CLINICAL = 3
CASES = 12
EXTREME = 50.0


class HeadContract(Contract):
    """Checks of one head, on random feature maps of two groups and three clinical features."""

    kind = "head"

    def test_each_case_gets_a_finite_risk(self) -> None:
        """`risk` gives (B,) finite numbers."""
        risk = self._risk(self._head(), *inputs())
        ensure(risk.shape == (CASES,), f"risk must have shape (B,), got {tuple(risk.shape)}")
        ensure(all_finite([risk]), "a risk is nan or inf")

    def test_the_order_of_the_cases_does_not_matter(self) -> None:
        """Shuffled cases get their own outputs."""
        head, (maps, clinical) = self._head(), inputs()
        order = torch.randperm(CASES, generator=torch.Generator().manual_seed(0))
        shuffled = {name: [one[order] for one in group] for name, group in maps.items()}
        outputs = head(maps, clinical)

        ensure(
            same([head(shuffled, clinical[order])], [outputs[order]]),
            "shuffled cases get outputs of other cases; treat each row by itself",
        )

    def test_one_case_equals_a_batch(self) -> None:
        """When evaluated, what a case gets does not depend on the cases beside it."""
        head, (maps, clinical) = self._head(), inputs()
        alone = {name: [one[:1] for one in group] for name, group in maps.items()}

        ensure(
            same([head(alone, clinical[:1])], [head(maps, clinical)[:1]]),
            "a case alone and in a batch gets different outputs in evaluation mode",
        )

    def test_every_parameter_gets_a_gradient(self) -> None:
        """The outputs train every weight; the penalty alone does not count."""
        head = self._head().train()
        maps, clinical = inputs()
        with seeded(0, "cpu"):
            check_gradients(head, [head(maps, clinical)])

    def test_the_maps_get_a_gradient(self) -> None:
        """The backbone can learn from the head."""
        maps, clinical = inputs()
        leaves = {name: [one.requires_grad_() for one in group] for name, group in maps.items()}
        outputs = self._head()(leaves, clinical)
        ensure(outputs.requires_grad, "the outputs have no gradient; do not detach the maps")
        outputs.square().sum().backward()
        grads = [one.grad for group in leaves.values() for one in group]

        ensure(
            all(one is not None and one.abs().sum() > 0 for one in grads),
            "a feature map gets no gradient; use every map and do not detach it",
        )

    def test_a_cohort_without_clinical_features_works(self) -> None:
        """F = 0 builds and gives outputs."""
        self._works(TWO_GROUPS, 0)

    def test_one_group_of_maps_works(self) -> None:
        """A model without a survival network can use the head."""
        self._works(ONE_GROUP, CLINICAL)

    def test_extreme_features_are_finite(self) -> None:
        """Feature maps and clinical values of +-50 give finite outputs and risks."""
        head, (maps, clinical) = self._head(), inputs()
        far = {name: [one.sign() * EXTREME for one in group] for name, group in maps.items()}
        outputs = head(far, clinical.sign() * EXTREME)

        ensure(
            all_finite([outputs, head.risk(outputs)]),
            "features of +-50 give an output or a risk of nan or inf; use log-sum-exp forms",
        )

    def test_the_penalty_is_a_scalar_from_zero(self) -> None:
        """`penalty` is one finite number, never below 0."""
        penalty = torch.as_tensor(self._head().penalty())
        ensure(
            penalty.shape == () and all_finite([penalty]) and penalty >= 0,
            f"penalty must be a finite scalar >= 0, got {penalty.tolist()}",
        )

    def test_the_order_of_the_training_cases_is_not_learnt(self) -> None:
        """`learn_outcomes` gives the same head for shuffled outcomes."""
        first, second = self._head(seed=0), self._head(seed=0)
        second.learn_outcomes(training_outcomes(reverse=True))

        ensure(
            all(
                torch.equal(one, second.state_dict()[name])
                for name, one in first.state_dict().items()
            ),
            "learn_outcomes learns from the order of the cases; use the set of outcomes only",
        )

    def test_the_cut_points_increase(self) -> None:
        """A buffer `time_grid`, if any, holds increasing days from 0."""
        grid = getattr(self._head(), "time_grid", None)
        if grid is None:
            raise NotApplicable("the head declares no time_grid")
        ensure(
            grid[0] >= 0 and bool((grid.diff() > 0).all()),
            f"time_grid must be days from 0 that increase, got {grid.tolist()}",
        )

    def test_the_curves_are_probabilities_that_never_rise(self) -> None:
        """Survival curves lie in [0, 1], fall with time and have an increasing grid."""
        head, curves = self._curves()
        time = head.survival_time
        ensure(bool((time.diff() > 0).all()), "survival_time does not increase")
        ensure(
            curves.shape == (CASES, len(time)),
            f"survival_curves must have shape {(CASES, len(time))}, got {tuple(curves.shape)}",
        )
        ensure(
            all_finite([curves]) and curves.min() >= 0 and curves.max() <= 1,
            f"survival probabilities lie in [{curves.min():g}, {curves.max():g}], not in [0, 1]",
        )
        ensure(curves.diff(dim=1).max() <= 1e-6, "a survival curve rises with time")

    def test_the_curves_say_how_they_are_read(self) -> None:
        """A head with survival curves is a whole `CurveHead`, its `survival_reading` included."""
        head = self._head()
        if not hasattr(head, "survival_curves"):
            raise NotApplicable("the head declares no survival_curves")
        for name in ("survival_time", "learn_baseline"):
            ensure(hasattr(head, name), f"the head has survival_curves but no {name}")
        reading = getattr(head, "survival_reading", None)
        ensure(
            reading in get_args(SurvivalReading),
            f"survival_reading is {reading!r}; it must be 'step' for curves that fall only on the "
            "days of survival_time, as with a Breslow baseline, or 'linear'",
        )

    def test_a_higher_risk_has_the_lower_curve(self) -> None:
        """Risk and curves agree about which cases have their event earlier."""
        head, curves = self._curves()
        risk = cast("_Head", head).risk(self._outputs)
        ranks = np.argsort(np.argsort(risk.detach().numpy()))
        survivors = np.argsort(np.argsort(curves.double().mean(dim=1).detach().numpy()))
        agreement = -float(np.corrcoef(ranks, survivors)[0, 1])

        ensure(
            agreement > 0,
            f"rank correlation of risk and early events by the curves is {agreement:.2f}; a higher "
            "risk must mean an earlier event",
        )

    def test_the_state_fits_a_new_build(self) -> None:
        """A second build takes weights and what was learnt from outcomes."""
        first = self._head(seed=0)
        second = self._head(seed=1, learn=False)
        check_state(first, second)

        ensure(
            same([self._risk(second, *inputs())], [self._risk(first, *inputs())]),
            "a second build with the same state gives other risks; register what is learnt as "
            "parameter or buffer",
        )

    def _head(
        self,
        channels: Channels = TWO_GROUPS,
        clinical: int = CLINICAL,
        seed: int = 0,
        learn: bool = True,
    ) -> _Head:
        """Built, having learnt the outcomes, in evaluation mode."""
        with seeded(seed, "cpu"):
            head = self.build(channels, clinical)
        ensure(isinstance(head, nn.Module), f"must be a torch.nn.Module, got {type(head)!r}")
        head = cast("_Head", head)
        if learn:
            head.learn_outcomes(training_outcomes())
        return head.eval()

    def _risk(self, head: _Head, maps: Maps, clinical: Tensor) -> Tensor:
        outputs = head(maps, clinical)
        ensure(
            outputs.ndim == 2 and len(outputs) == CASES,
            f"outputs must have shape (B, K) with B = {CASES}, got {tuple(outputs.shape)}",
        )
        return head.risk(outputs)

    def _works(self, channels: Channels, clinical: int) -> None:
        try:
            self._risk(self._head(channels, clinical), *inputs(channels, clinical))
        except Exception as error:
            ensure(
                False,
                f"with maps {dict(channels)} and {clinical} clinical features the head fails: "
                f"{one_line(error)}",
            )

    def _curves(self) -> tuple[CurveHead, Tensor]:
        head = self._head()
        if not gives_curves(head):
            raise NotApplicable("the head declares no survival_curves")
        self._outputs = head(*inputs()).detach()
        head.learn_baseline(self._outputs, training_outcomes())
        return head, head.survival_curves(self._outputs)


def inputs(channels: Channels = TWO_GROUPS, clinical: int = CLINICAL) -> tuple[Maps, Tensor]:
    """Twelve cases: maps of 4^3 and 2^3 voxels by group, and (12, F) clinical features."""
    generator = torch.Generator().manual_seed(0)
    maps = {
        name: [
            torch.randn(CASES, width, *(3 * [4 >> min(level, 1)]), generator=generator)
            for level, width in enumerate(widths)
        ]
        for name, widths in channels.items()
    }
    return maps, torch.randn(CASES, clinical, generator=generator)


def training_outcomes(*, reverse: bool = False) -> Outcomes:
    """Twelve cases followed for 100 to 1750 days, eight with an event."""
    order = slice(None, None, -1 if reverse else 1)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"K{number:02}" for number in range(CASES))[order],
        time=np.linspace(100.0, 1750.0, CASES)[order],
        event=(np.arange(CASES) % 3 < 2)[order],
    )


class _Head(nn.Module):
    """How type checkers see a head that is a module."""

    if TYPE_CHECKING:
        learn_outcomes = Head.learn_outcomes
        risk = Head.risk
        penalty = Head.penalty
