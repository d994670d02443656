"""A training step as one CUDA graph, to see what starting its kernels one by one costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import Tensor

from mtsbench.engine.augmentation import augment
from mtsbench.engine.batches import Batch, read_targets
from mtsbench.engine.step import TrainingStep
from mtsbench.interfaces import Targets

_WHERE = torch.where


def graphed(step: TrainingStep) -> Callable[[], None]:
    """Forward, losses and backward as one graph on a fixed batch; the optimiser is outside it."""
    rows, transforms = step._next
    settings = step.context.training
    batch = augment(step._source.batch(rows), transforms, step.spacing, settings.mask_threshold)
    targets = read_targets(step.training, rows, batch)

    def once() -> None:
        with torch.autocast("cuda", dtype=torch.bfloat16, cache_enabled=False):
            outputs = step.network(batch.image, batch.clinical)
            total, _ = step.total_loss(outputs, targets, step.network.head.penalty(), 0)
        total.backward()

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    # Without it a loss that hands a Python number to torch.where could not be captured.
    with patch.object(torch, "where", where_on_device):
        with torch.cuda.stream(side):
            for _ in range(3):
                step.optimiser.zero_grad(set_to_none=True)
                once()
        torch.cuda.current_stream().wait_stream(side)
        step.optimiser.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            once()

    return _Graphed(graph=graph, step=step, batch=batch, targets=targets)


@dataclass(frozen=True, kw_only=True)
class _Graphed:
    """The captured step; it keeps the batch, whose memory the graph reads at each replay."""

    graph: torch.cuda.CUDAGraph
    step: TrainingStep
    batch: Batch
    targets: Targets

    def __call__(self) -> None:
        self.graph.replay()
        self.step.optimiser.step()


def where_on_device(condition: Tensor, one: Tensor | float, other: Tensor | float) -> Tensor:
    """torch.where whose Python numbers are filled in on the device: its own copy waits for it."""
    kind = next(value.dtype for value in (one, other) if isinstance(value, Tensor))
    first, second = (
        value
        if isinstance(value, Tensor)
        else torch.full((), value, dtype=kind, device=condition.device)
        for value in (one, other)
    )
    return _WHERE(condition, first, second)
