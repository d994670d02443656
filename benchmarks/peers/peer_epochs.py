"""Epochs of contenders that train one network, side by side, and where their time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

import numpy as np
import psutil
import torch

from mtsbench.benchmark.training_part import TrainingPart
from mtsbench.engine.batches import read_targets
from mtsbench.engine.determinism import seeded
from mtsbench.engine.network import MultiTaskNetwork, TotalLoss, build_losses
from mtsbench.engine.operators import wait_for
from mtsbench.engine.precision import autocast, place, tensor_cores
from mtsbench.engine.reused_memory import reused_memory
from mtsbench.engine.sources import StreamedCohort
from mtsbench.engine.step import TrainingStep

SEED = 0


class Clock:
    """Seconds by part of an epoch; off, it costs nothing and waits for no device."""

    def __init__(self, device: str, *, on: bool) -> None:
        self.device, self.on = device, on
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str) -> AbstractContextManager[None]:
        """Time a block."""
        return self._timed(name) if self.on else nullcontext()

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        wait_for(self.device)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


class Contender(Protocol):
    """Whoever trains."""

    def epoch(self, steps: int, clock: Clock) -> float:
        """Train for some steps; the last loss."""
        ...


def new_network(part: TrainingPart) -> tuple[MultiTaskNetwork, TotalLoss]:
    """The network with the same first weights each time, and its losses."""
    model = part.deep_model()
    with seeded(SEED, part.context.device):
        network = model.assemble_for(part.cohort.cohort, part.cohort.outcomes)
    return network, build_losses(model.composition, model.components, part.context.training)


class Engine:
    """mtsbench's own step, in the settings of a run."""

    def __init__(self, part: TrainingPart) -> None:
        self.device, self.precision = part.context.device, part.context.training.precision
        self.network, losses = new_network(part)
        place(self.network, self.device)
        self.network.train()
        generator = np.random.default_rng(SEED)
        self.step = TrainingStep(self.network, losses, part.cohort, part.context, generator)

    def epoch(self, steps: int, clock: Clock) -> float:
        """Train for some steps; the last loss."""
        loss = torch.zeros(())
        with (
            seeded(SEED, self.device),
            tensor_cores(self.device, self.precision),
            reused_memory(self.device),
        ):
            for _ in range(steps):
                loss = self.step(0, clock)["loss"]
        return float(loss)


def alternate(
    contenders: dict[str, Contender], device: str, steps: int, repeats: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of each epoch on the clock, and of the processors that worked for it.

    One step of each is not timed. The order turns with each repeat.
    """
    off = Clock(device, on=False)
    for contender in contenders.values():
        contender.epoch(1, off)
    clock: dict[str, list[float]] = {name: [] for name in contenders}
    processors: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for repeat in range(repeats):
        for name in order[repeat % len(order) :] + order[: repeat % len(order)]:
            wait_for(device)
            start, used = time.perf_counter(), processor_seconds()
            contenders[name].epoch(steps, off)
            wait_for(device)
            clock[name].append(time.perf_counter() - start)
            processors[name].append(processor_seconds() - used)
    return clock, processors


def processor_seconds() -> float:
    """Processor time of this process and of the workers it has."""
    this = psutil.Process()
    times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def parts_of_a_step(contender: Contender, device: str, steps: int) -> dict[str, float]:
    """Mean seconds of each part; on a GPU, waiting after each makes the sum a little longer."""
    clock = Clock(device, on=True)
    contender.epoch(steps, clock)
    return {name: seconds / steps for name, seconds in clock.seconds.items()}


def network_alone(part: TrainingPart, *, engine: bool, repeats: int) -> float:
    """Median seconds of forward to optimiser on one batch, nothing else running in here.

    Args:
        part: Whose network.
        engine: Whether in the engine's memory format and precision; else as the peer has it.
        repeats: Steps timed after one that is not.
    """
    device, settings = part.context.device, part.context.training
    rows = np.arange(settings.batch_size) % len(part.cohort)
    batch = StreamedCohort(part.cohort.cohort, device).batch(rows)
    targets = read_targets(part.cohort, rows, batch)
    network, losses = new_network(part)
    if engine:
        place(network, device)
    network.to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, eps=1e-7)
    seconds = []
    for _ in range(repeats + 1):
        wait_for(device)
        start = time.perf_counter()
        with autocast(device) if engine else nullcontext():
            outputs = network(batch.image, batch.clinical)
            loss, _ = losses(outputs, targets, network.head.penalty(), 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        wait_for(device)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[1:]))
