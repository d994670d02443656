"""mtsbench's own training step under other settings, and how long a step of each takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from day import Day
from graphed_step import graphed

from mtsbench.benchmark.training_part import TrainingPart, prepare
from mtsbench.composition import Compilation, Precision
from mtsbench.engine.network import build_losses
from mtsbench.engine.precision import place, tensor_cores
from mtsbench.engine.step import TrainingStep
from mtsbench.plugins import load_components

MODEL = "deepmts"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """How a step is computed; the default is what a run does today: eager, channels last, bf16.

    Attributes:
        precision: As in `TrainingSettings`.
        tf32: For what is left in float32.
        search: Whether cuDNN tries its kernels and keeps the fastest.
        contiguous: Channels first.
        compilation: Mode of torch.compile; None is eager.
        graph: Forward, losses and backward as one CUDA graph.
    """

    precision: Precision = "bf16"
    tf32: bool = True
    search: bool = True
    contiguous: bool = False
    compilation: str | None = None
    graph: bool = False


VARIANTS = {
    "bf16": Variant(),
    "no-search": Variant(search=False),
    "contiguous": Variant(contiguous=True),
    "tf32": Variant(precision="fp32"),
    "fp32": Variant(precision="fp32", tf32=False),
    "compile": Variant(compilation="default"),
    "compile-graphs": Variant(compilation="reduce-overhead"),
    "autotune": Variant(compilation="max-autotune-no-cudagraphs"),
    "eager-graph": Variant(graph=True),
}


@contextmanager
def prepared(day: Day, size: int) -> Iterator[TrainingPart]:
    """The training patients of one fold, as cubes of `size` voxels."""
    with tempfile.TemporaryDirectory() as folder:
        yield prepare(MODEL, load_components(), Path(folder), voxels=size, device=day.device)


def new_step(
    part: TrainingPart,
    device: str,
    *,
    precision: Precision = "auto",
    compilation: Compilation = "off",
) -> TrainingStep:
    """The step of a run, with weights and draws by one seed."""
    settings = replace(part.context.training, precision=precision, compilation=compilation)
    context = replace(part.context, device=device, training=settings)
    torch.manual_seed(0)
    model = part.deep_model()
    network = model.assemble_for(part.cohort.cohort, part.cohort.outcomes)
    place(network, device)
    network.train()
    losses = build_losses(model.composition, model.components, settings)
    return TrainingStep(network, losses, part.cohort, context, np.random.default_rng(0))


def built(part: TrainingPart, day: Day, chosen: Variant) -> TrainingStep:
    """A step of a variant, and torch set for it until the next one is built.

    What is set is what `engine.precision.tensor_cores` means, by the setters that torch.compile
    can read; it is not undone, because reading what was set before can raise there.
    """
    torch.set_float32_matmul_precision("high" if chosen.tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = chosen.tf32
    torch.backends.cudnn.benchmark = chosen.search
    step = new_step(part, day.device, precision=chosen.precision)
    if chosen.contiguous:
        for one in step.network.parameters():
            one.data = one.data.contiguous()
    if chosen.compilation is not None:
        step.forward = torch.compile(step.network, mode=chosen.compilation)
    return step


def official(day: Day) -> None:
    """Whether `training.compilation=on` of a run compiles at all, or falls back with a warning."""
    with prepared(day, 32) as part:
        step = new_step(part, day.device, compilation="on")
        start = time.perf_counter()
        with tensor_cores(day.device, "auto"):
            for _ in range(3):
                step(0)
        day.wait()
        # `compiled` returns an object whose `fast` is None once it has fallen back.
        fell_back = getattr(step.forward, "fast", "off") is None
        seconds = time.perf_counter() - start
        day.keep("official", {"name": "on", "fell_back": fell_back, "seconds": seconds})


def variant(day: Day) -> None:
    """Milliseconds of a training step of each named variant, its memory, and its set-up."""
    with prepared(day, day.size) as part:
        for name in day.names:
            chosen = VARIANTS[name]
            start = time.perf_counter()
            step = built(part, day, chosen)
            action = _action(step, graph=chosen.graph and day.cuda)
            for _ in range(3):
                action()
            day.wait()
            set_up = time.perf_counter() - start
            found = {"name": name, "size": day.size, "set_up_s": set_up, **_timed(day, action)}
            day.keep("variant", found)
            del step, action
            if day.cuda:
                torch.cuda.empty_cache()


def _action(step: TrainingStep, *, graph: bool) -> Callable[[], object]:
    return graphed(step) if graph else lambda: step(0)


def _timed(day: Day, action: Callable[[], object]) -> dict[str, float]:
    if day.cuda:
        torch.cuda.reset_peak_memory_stats()
    found = {"ms": day.median_ms(action, day.steps)}
    day.wait()
    start = time.perf_counter()
    for _ in range(day.steps):  # as a run does it: the host may run ahead
        action()
    found["host_ms"] = (time.perf_counter() - start) / day.steps * 1e3
    day.wait()
    found["ms_unsynchronised"] = (time.perf_counter() - start) / day.steps * 1e3
    if day.cuda:
        found["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return found
