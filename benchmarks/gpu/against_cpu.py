"""A step of training on one batch, computed on the GPU and on the CPU."""

from __future__ import annotations

import numpy as np
import torch
from day import Day
from torch import Tensor, nn
from variants import new_step

from mtsbench.benchmark.training_part import TrainingPart
from mtsbench.composition import Precision
from mtsbench.engine.batches import Batch
from mtsbench.engine.precision import autocast, tensor_cores
from mtsbench.engine.sources import StreamedCohort
from mtsbench.interfaces import Targets

ROWS = np.arange(8)


def differences(day: Day, part: TrainingPart, *, training: bool) -> dict[str, object]:
    """Relative errors of logits, risks and gradients against the CPU in float64.

    Batch statistics amplify rounding at the deepest level (64 voxels): with running statistics
    errors are those of the arithmetic; with batch statistics they are to be judged beside those of
    the CPU itself (cpu32, cpu-bf16).
    """
    batch = StreamedCohort(part.cohort.cohort, "cpu").batch(ROWS)
    ways: tuple[tuple[str, str, torch.dtype, Precision], ...] = (
        ("cpu64", "cpu", torch.float64, "fp32"),
        ("cpu32", "cpu", torch.float32, "fp32"),
        ("cpu-bf16", "cpu", torch.float32, "bf16"),
        ("fp32", day.device, torch.float32, "fp32"),
        ("bf16", day.device, torch.float32, "bf16"),
    )
    results = {
        name: _one_step(part, batch, device, dtype, precision, training=training)
        for name, device, dtype, precision in ways
    }
    mode = "batch" if training else "running"
    return {
        f"{mode}:{name}": {
            what: float(f"{relative(one, exact):.3g}")
            for what, one, exact in zip(
                ("logit", "risk", "gradient"), result, results["cpu64"], strict=True
            )
        }
        for name, result in results.items()
    }


def _one_step(
    part: TrainingPart,
    batch: Batch,
    device: str,
    dtype: torch.dtype,
    precision: Precision,
    *,
    training: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, survival outputs and all gradients of a step without dropout."""
    step = new_step(part, device, precision=precision)
    network = step.network.to(dtype).train(training)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    outcomes = part.cohort.outcomes
    assert batch.mask is not None  # the simulated cohort has all masks
    image, clinical, mask = (
        one.to(device=device, dtype=dtype) for one in (batch.image, batch.clinical, batch.mask)
    )
    targets = Targets(
        time=torch.from_numpy(outcomes.time[ROWS]).to(device),
        event=torch.from_numpy(outcomes.event[ROWS]).to(device),
        mask=mask,
    )
    # In bf16 oneDNN leaves parts of the gradient of weights at 2^3 voxels unwritten (README.md), so
    # the CPU's own rounding is read off torch's other kernels.
    others = device == "cpu" and precision == "bf16"
    with torch.backends.mkldnn.flags(enabled=not others), tensor_cores(device, precision):
        with autocast(device, precision):
            outputs = network(image, clinical)
            total, _ = step.total_loss(outputs, targets, network.head.penalty(), 0)
        total.backward()
    gradients = [
        one.grad.reshape(-1).double().cpu() for one in network.parameters() if one.grad is not None
    ]
    return outputs.tumour_logit.detach(), outputs.survival.detach(), torch.cat(gradients)


def relative(one: Tensor, exact: Tensor) -> float:
    """Length of the difference over that of the exact one."""
    one, exact = one.detach().double().cpu(), exact.detach().double().cpu()
    return float((one - exact).norm() / exact.norm().clamp(min=1e-30))
