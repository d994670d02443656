"""Training steps and inference of deep models."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.benchmark.records import Measurement
from mtsbench.benchmark.timing import repeat
from mtsbench.benchmark.training_part import NO_SETTINGS, TrainingPart, prepare, rows
from mtsbench.plugins import load_components

if TYPE_CHECKING:
    from mtsbench.benchmark.records import Protocol

BATCH = 8


def training_step(
    protocol: Protocol,
    *,
    model: str,
    voxels: int,
    device: str,
    settings: Mapping[str, str] = NO_SETTINGS,
    batch: int = BATCH,
) -> Measurement:
    """Data, augmentation, forward, losses, backward and optimiser of one batch."""
    from mtsbench.engine.profiling import profile

    with _prepared(model, voxels, device, settings, batch) as part:
        found = profile(
            part.deep_model(),
            part.cohort,
            part.context,
            warm_up=protocol.warm_up,
            steps=protocol.steps,
        )
    limit, share = found.limit()
    return Measurement(
        median=found.step,
        spread=found.spread,
        details={
            "cases_per_second": found.volumes,
            "memory_mib": found.memory,
            "parameters": float(found.parameters),
            f"share_of_{limit}_limit": share,
            **{f"{name}_seconds": seconds for name, seconds in found.phases.items()},
        },
    )


def inference(protocol: Protocol, *, model: str, voxels: int, device: str) -> Measurement:
    """Reading, the network's outputs and their risk of one patient, without gradients."""
    from mtsbench.engine.inference import infer
    from mtsbench.engine.operators import wait_for
    from mtsbench.engine.precision import place

    with _prepared(model, voxels, device, NO_SETTINGS, BATCH) as part:
        deep = part.deep_model()
        patients = deep.seen(part.cohort)
        network = deep.assemble_for(patients.cohort, patients.outcomes)
        place(network, part.context.device)
        one = rows(patients, slice(1)).cohort
        return repeat(
            lambda: infer(network, one, part.context.device, 1),
            protocol,
            wait=lambda: wait_for(part.context.device),
        )


@contextmanager
def _prepared(
    model: str, voxels: int, device: str, settings: Mapping[str, str], batch: int
) -> Iterator[TrainingPart]:
    with tempfile.TemporaryDirectory(prefix="mtsbench-benchmark-") as folder:
        yield prepare(
            model,
            load_components(),
            Path(folder),
            voxels=voxels,
            device=device,
            batch=batch,
            settings=settings,
        )
