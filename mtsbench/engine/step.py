"""One training step, in named phases that a profiler may time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from torch import Tensor

from mtsbench.engine.augmentation import augment, draw_transforms
from mtsbench.engine.batches import draw_training_rows, read_targets
from mtsbench.engine.compute import adam, checkpoint_blocks, compiled
from mtsbench.engine.memory import case_memory
from mtsbench.engine.precision import autocast
from mtsbench.engine.sources import case_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtsbench.data import LabelledCohort
    from mtsbench.engine.network import MultiTaskNetwork, TotalLoss
    from mtsbench.interfaces import FitContext

Phase = Callable[[str], AbstractContextManager[None]]
PHASES = ("data", "augmentation", "forward", "loss", "backward", "optimiser")


def untimed(name: str) -> AbstractContextManager[None]:
    """A phase that nobody times."""
    return nullcontext()


class TrainingStep:
    """Draws a batch, augments it, and takes one step of the optimiser.

    Args:
        network: Trained in place, in training mode.
        total_loss: Balanced sum of the losses.
        training: Cases to draw from.
        context: Device and settings.
        generator: Of rows and transforms, in this order; drawn from one step ahead.

    Attributes:
        memory_left: Bytes of the budget for cases that the training cases do not take.
    """

    def __init__(
        self,
        network: MultiTaskNetwork,
        total_loss: TotalLoss,
        training: LabelledCohort,
        context: FitContext,
        generator: np.random.Generator,
    ) -> None:
        self.network = network
        self.total_loss = total_loss
        self.training = training
        self.context = context
        self.generator = generator
        self.spacing = training.cohort[0].grid.spacing
        memory = case_memory(context.case_memory, context.device)
        self._source = case_source(training.cohort, context.device, memory)
        self.memory_left = memory - self._source.memory
        self._next = self._draw()
        total_loss.balance.to(context.device)
        parameters = [*network.parameters(), *total_loss.balance.parameters()]
        rate = context.training.learning_rates[0][1]
        self.optimiser = adam(parameters, rate, context.device)
        self.forward = compiled(network, context.training.compilation, context.device)
        if context.training.checkpointing:
            checkpoint_blocks(network)

    def set_rate(self, rate: float) -> None:
        """The learning rate of the steps to come."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def __call__(self, epoch: int, phase: Phase = untimed) -> dict[str, Tensor]:
        """Take a step; the detached losses by name, without waiting for the device."""
        settings, device = self.context.training, self.context.device
        with phase("data"):
            rows, transforms = self._next
            batch = self._source.batch(rows)
            self._next = self._draw()
        with phase("augmentation"):
            batch = augment(batch, transforms, self.spacing, settings.mask_threshold)
            targets = read_targets(self.training, rows, batch)
        with autocast(device, settings.precision):
            with phase("forward"):
                outputs = self.forward(batch.image, batch.clinical)
            with phase("loss"):
                penalty = self.network.head.penalty()
                total, parts = self.total_loss(outputs, targets, penalty, epoch)
        with phase("backward"):
            self.optimiser.zero_grad(set_to_none=True)
            total.backward()
        with phase("optimiser"):
            self.optimiser.step()
        return {"loss": total.detach(), **parts}

    def _draw(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Rows and transforms of the next step, whose cases may be read from now on."""
        settings = self.context.training
        rows = draw_training_rows(
            self.training.outcomes,
            settings.batch_size,
            balanced=settings.balanced,
            generator=self.generator,
        )
        self._source.expect(rows)
        return rows, draw_transforms(len(rows), settings, self.generator)
