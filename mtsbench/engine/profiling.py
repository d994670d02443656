"""Where the time of a training step goes, and how far from the machine's limits it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.engine.determinism import seeded
from mtsbench.engine.energy import energy_meter
from mtsbench.engine.inference import infer
from mtsbench.engine.network import build_losses
from mtsbench.engine.operators import Ceilings, Work, count_work, measure_ceilings, wait_for
from mtsbench.engine.precision import place, tensor_cores, uses_bf16
from mtsbench.engine.reused_memory import reused_memory
from mtsbench.engine.step import PHASES, TrainingStep
from mtsbench.machine import peak_memory_mib
from mtsbench.records import StoredProfile, StoredProjection

if TYPE_CHECKING:
    from mtsbench.data import LabelledCohort
    from mtsbench.engine.deep_model import DeepModel
    from mtsbench.engine.network import MultiTaskNetwork
    from mtsbench.interfaces import FitContext


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was measured on one device.

    Attributes:
        step: Median seconds of a step.
        spread: Difference of its third and first quartile.
        phases: Median seconds of each phase; waiting for the device after each makes their sum a
            little more than `step`.
        volumes: Cases trained on per second.
        inference: Seconds per case, predicted in batches.
        memory: Largest resident memory of the process in MiB, or allocated on a CUDA device.
        parameters: Of the network.
        energy: Joules a step of the whole device; None where nothing tells.
        no_energy: Why not.
    """

    device: str
    steps: int
    step: float
    spread: float
    phases: dict[str, float]
    volumes: float
    inference: float
    memory: float
    parameters: int
    work: Work
    ceilings: Ceilings
    energy: float | None = None
    no_energy: str | None = None

    def record(
        self, platform: Mapping[str, str], projection: StoredProjection | None = None
    ) -> StoredProfile:
        """What is kept of it beside a run."""
        limit, share = self.limit()
        return StoredProfile(
            device=self.device,
            steps=self.steps,
            step=self.step,
            spread=self.spread,
            phases=self.phases,
            volumes=self.volumes,
            inference=self.inference,
            memory=self.memory,
            parameters=self.parameters,
            flops=self.work.flops,
            bytes=self.work.bytes,
            bandwidth=self.ceilings.bandwidth,
            matrix_rate=self.ceilings.matrix_rate,
            limit=limit,
            share=share,
            energy=self.energy,
            no_energy=self.no_energy,
            platform=dict(platform),
            projection=projection,
        )

    def limit(self) -> tuple[str, float]:
        """What bounds the step from below, and the share of that limit which is reached.

        The step can take no less than its traffic at the measured bandwidth or its arithmetic at
        the measured rate, whichever is longer; caches and fused operators may pass the first.
        """
        bounds = {
            "memory": self.work.bytes / self.ceilings.bandwidth,
            "arithmetic": self.work.flops / self.ceilings.matrix_rate,
        }
        name = max(bounds, key=bounds.__getitem__)
        return name, bounds[name] / self.step


def profile(
    model: DeepModel, train: LabelledCohort, context: FitContext, *, warm_up: int, steps: int
) -> Profile:
    """Train for some steps and time them; the model itself is not fitted.

    Args:
        model: A composition.
        train: Cases to draw from.
        context: Device, settings and seed.
        warm_up: Steps that are not timed.
        steps: Steps timed as a whole; as many again are timed phase by phase.
    """
    train = model.seen(train)
    precision = context.training.precision
    with (
        seeded(context.seed, context.device),
        tensor_cores(context.device, precision),
        reused_memory(context.device),
    ):
        network = model.assemble_for(train.cohort, train.outcomes)
        place(network, context.device)
        losses = build_losses(model.composition, model.components, context.training)
        generator = np.random.default_rng(context.seed)
        step = TrainingStep(network, losses, train, context, generator)
        network.train()
        for _ in range(warm_up):
            step(0)
        meter = energy_meter(context.device)
        before = None if isinstance(meter, str) else meter()
        whole = [_timed_step(step, context.device) for _ in range(steps)]
        used = None if isinstance(meter, str) or before is None else meter() - before
        clock = _PhaseTimes(context.device)
        for _ in range(steps):
            step(0, clock.phase)
        work = count_work(lambda: step(0))
        seconds = _inference_seconds(network, train, context)
        bf16 = uses_bf16(context.device, precision)
        ceilings = measure_ceilings(context.device, bf16=bf16)
    median = float(np.median(whole))
    return Profile(
        device=context.device,
        steps=steps,
        step=median,
        spread=float(np.subtract(*np.quantile(whole, (0.75, 0.25)))),
        phases={name: float(np.median(clock.seconds[name])) for name in PHASES},
        volumes=context.training.batch_size / median,
        inference=seconds,
        memory=_memory(context.device),
        parameters=sum(one.numel() for one in network.parameters()),
        work=work,
        ceilings=ceilings,
        energy=None if used is None else used / steps,
        no_energy=meter if isinstance(meter, str) else None,
    )


class _PhaseTimes:
    def __init__(self, device: str) -> None:
        self.device = device
        self.seconds: dict[str, list[float]] = {name: [] for name in PHASES}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        wait_for(self.device)
        start = time.perf_counter()
        yield
        wait_for(self.device)
        self.seconds[name].append(time.perf_counter() - start)


def _timed_step(step: TrainingStep, device: str) -> float:
    start = time.perf_counter()
    step(0)
    wait_for(device)
    return time.perf_counter() - start


def _inference_seconds(
    network: MultiTaskNetwork, train: LabelledCohort, context: FitContext
) -> float:
    some = train.cohort.case_ids[: 2 * context.training.batch_size]
    cohort = replace(train.cohort, case_ids=some)
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        infer(
            network,
            cohort,
            context.device,
            context.training.batch_size,
            precision=context.training.precision,
        )
        best = min(best, (time.perf_counter() - start) / len(some))
    return best


def _memory(device: str) -> float:
    import torch

    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return peak_memory_mib()
