"""The plain way to train the same network, against mtsbench's engine, in one process.

    python benchmarks/peers/plain_monai.py [--device cpu] [--size 64] [--steps 10] [--json]

The peer is what a researcher writes who has read MONAI's tutorials and its tuning guide: prepared
arrays on disk, dictionary transforms, a DataLoader with persistent workers (pinned memory and
cuDNN's benchmark mode on a GPU), and an eager loop in float32 with Adam. Contender `plain` loads
each case from its file, `cached` keeps loaded cases in a CacheDataset. The network, its first
weights, losses, balanced batches of 8 and ranges of augmentation are those of `mtsbench`.

An epoch is `--steps` steps from drawing cases to the updated weights, the first batch included.
Epochs alternate, and the order turns with each repeat, so a busy machine hits all alike. Ratios
are taken within a repeat, of time on the clock and of processor time, workers included: the second
holds on a busy machine too, best with OMP_NUM_THREADS=1, because threads that wait also count.
After that come the parts of an epoch, the transforms of one case on one thread, and the network
alone on a batch that is already there.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import CacheDataset, DataLoader, Dataset
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    EnsureTyped,
    LoadImaged,
    RandAffined,
    RandFlipd,
)
from peer_epochs import (
    SEED,
    Clock,
    Contender,
    Engine,
    alternate,
    network_alone,
    new_network,
    parts_of_a_step,
)
from torch.utils.data import Sampler

from mtsbench.benchmark.training_part import TrainingPart, prepare
from mtsbench.composition import TrainingSettings
from mtsbench.data import LabelledCohort
from mtsbench.engine.batches import draw_training_rows
from mtsbench.interfaces import Targets
from mtsbench.machine import platform_versions
from mtsbench.plugins import load_components

MODEL = "deepmts"
KEYS = ("image", "mask")
BATCH = 8


class BalancedBatches(Sampler[list[int]]):
    """Rows of each batch, drawn as mtsbench draws them."""

    def __init__(self, train: LabelledCohort, settings: TrainingSettings) -> None:
        self.train, self.settings, self.steps = train, settings, 0
        self.generator = np.random.default_rng(SEED)

    def __iter__(self) -> Iterator[list[int]]:
        """As many batches as the epoch has steps."""
        for _ in range(self.steps):
            yield draw_training_rows(
                self.train.outcomes,
                self.settings.batch_size,
                balanced=self.settings.balanced,
                generator=self.generator,
            ).tolist()

    def __len__(self) -> int:
        return self.steps


def write_cases(train: LabelledCohort, folder: Path) -> list[dict[str, Any]]:
    """Prepared, normalised cases as the peer's own preprocessing would have left them."""
    folder.mkdir()
    listed = []
    for row, case_id in enumerate(train.cohort.case_ids):
        case = train.cohort[row]
        assert case.mask is not None  # the simulated cohort has masks
        files = {key: folder / f"{case_id}-{key}.npy" for key in KEYS}
        np.save(files["image"], case.image)
        np.save(files["mask"], case.mask)
        listed.append(
            {
                **{key: str(path) for key, path in files.items()},
                "clinical": case.clinical,
                "time": np.float32(train.outcomes.time[row]),
                "event": bool(train.outcomes.event[row]),
            }
        )
    return listed


def transforms(train: LabelledCohort, settings: TrainingSettings) -> Compose:
    """Load, flip, rotate and shift one case."""
    grid = train.cohort[0].grid
    return Compose(
        [
            LoadImaged(KEYS, reader="NumpyReader", channel_dim=0),
            EnsureChannelFirstd(KEYS),
            RandFlipd(KEYS, prob=settings.flip, spatial_axis=2),
            RandAffined(
                KEYS,
                prob=1.0,
                spatial_size=grid.size,
                rotate_range=[np.deg2rad(settings.rotation)] * 3,
                translate_range=[settings.translation / step for step in grid.spacing],
                mode=("bilinear", "nearest"),
                padding_mode="zeros",
                cache_grid=True,
            ),
            EnsureTyped(KEYS, track_meta=False),
        ]
    )


class Peer:
    """MONAI and a loop."""

    def __init__(self, part: TrainingPart, folder: Path, workers: int, *, cached: bool) -> None:
        self.device, settings = part.context.device, part.context.training
        self.batches = BalancedBatches(part.cohort, settings)
        listed, chain = write_cases(part.cohort, folder), transforms(part.cohort, settings)
        self.loader = DataLoader(
            CacheDataset(listed, chain, progress=False) if cached else Dataset(listed, chain),
            batch_sampler=self.batches,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=self.device.startswith("cuda"),
        )
        network, self.losses = new_network(part)
        self.network = network.to(self.device).train()
        rate = settings.learning_rates[0][1]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=rate, eps=1e-7)

    def epoch(self, steps: int, clock: Clock) -> float:
        """Train for some steps; the last loss."""
        self.batches.steps = steps
        loss = torch.zeros(())
        # Set anew each time, because mtsbench sets it for its own epochs.
        torch.backends.cudnn.benchmark = True
        batches = iter(self.loader)
        for _ in range(steps):
            with clock("data and augmentation"):
                batch = next(batches)
            with clock("copy to the device"):
                batch = {
                    key: value.to(self.device, non_blocking=True)
                    for key, value in batch.items()
                    if isinstance(value, torch.Tensor)
                }
            loss = self.step(batch, clock)
        return float(loss)

    def step(self, batch: dict[str, torch.Tensor], clock: Clock) -> torch.Tensor:
        """Forward, losses, backward, optimiser."""
        with clock("forward"):
            outputs = self.network(batch["image"], batch["clinical"])
        with clock("loss"):
            targets = Targets(time=batch["time"], event=batch["event"], mask=batch["mask"])
            loss, _ = self.losses(outputs, targets, self.network.head.penalty(), 0)
        with clock("backward"):
            self.optimiser.zero_grad()
            loss.backward()
        with clock("optimiser"):
            self.optimiser.step()
        return loss.detach()


def transform_seconds(part: TrainingPart, folder: Path) -> dict[str, float]:
    """Median seconds of each transform for one case, on one thread as in a worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    chain = transforms(part.cohort, part.context.training)
    seconds: dict[str, list[float]] = {}
    for listed in write_cases(part.cohort, folder)[:8]:
        data: Any = listed
        for transform in chain.transforms:
            start = time.perf_counter()
            data = transform(data)
            taken = time.perf_counter() - start
            seconds.setdefault(type(transform).__name__, []).append(taken)
    torch.set_num_threads(threads)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def measure(
    device: str, size: int, steps: int, repeats: int, workers: int, names: list[str]
) -> dict[str, Any]:
    """Everything that is reported, as plain values."""
    with tempfile.TemporaryDirectory(prefix="plain-monai-") as name:
        folder = Path(name)
        part = prepare(
            *(MODEL, load_components(), folder / "cache"),
            voxels=size,
            device=device,
            batch=BATCH,
        )
        contenders: dict[str, Contender] = {
            one: Peer(part, folder / one, workers, cached=one == "cached") for one in names
        }
        contenders["mtsbench"] = Engine(part)
        epochs, processors = alternate(contenders, device, steps, repeats)
        few = max(1, steps // 2)
        return {
            "device": device,
            "size": size,
            "batch": part.context.training.batch_size,
            "steps": steps,
            "workers": workers,
            "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            "platform": dict(platform_versions()),
            "epoch_seconds": epochs,
            "processor_seconds": processors,
            "ratios": ratios(epochs),
            "processor_ratios": ratios(processors),
            "step_parts": {
                one: parts_of_a_step(contender, device, few)
                for one, contender in contenders.items()
            },
            "transforms_of_a_case": transform_seconds(part, folder / "transforms"),
            "network_alone": {
                "plain": network_alone(part, engine=False, repeats=few),
                "mtsbench": network_alone(part, engine=True, repeats=few),
            },
        }


def ratios(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    """How many times longer each peer took than mtsbench in the same repeat."""
    return {
        name: [peer / ours for peer, ours in zip(epochs, seconds["mtsbench"], strict=True)]
        for name, epochs in seconds.items()
        if name != "mtsbench"
    }


def table(found: dict[str, Any]) -> list[str]:
    """The findings as lines of text."""
    lines = [
        f"DeepMTS, {found['size']}^3 voxels, batch {found['batch']}, {found['device']}, "
        f"{found['steps']} steps an epoch, {found['workers']} workers"
    ]
    for name, seconds in found["epoch_seconds"].items():
        lines.append(f"  {name:9} {spread(seconds)} s an epoch")
    for name, seconds in found["processor_seconds"].items():
        lines.append(f"  {name:9} {spread(seconds)} s of processors an epoch")
    for name, values in found["ratios"].items():
        work = spread(found["processor_ratios"][name])
        lines.append(f"  mtsbench is {spread(values)} times as fast as {name}, with 1 / {work} of")
        lines.append("    its processor time")
    for name, parts in found["step_parts"].items():
        shown = ", ".join(f"{part} {seconds * 1e3:.0f}" for part, seconds in parts.items())
        lines.append(f"  ms of a step, {name}: {shown}")
    parts = found["transforms_of_a_case"]
    shown = ", ".join(f"{part} {seconds * 1e3:.1f}" for part, seconds in parts.items())
    lines.append(f"  ms of a case in a worker: {shown}")
    shown = ", ".join(f"{one} {s * 1e3:.0f}" for one, s in found["network_alone"].items())
    return [*lines, f"  ms of the network alone: {shown}"]


def spread(values: list[float]) -> str:
    """Median and extremes."""
    return f"{np.median(values):.2f} ({np.min(values):.2f} to {np.max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, help="voxels along each axis; 128 on a GPU, else 64")
    parser.add_argument("--steps", type=int, default=10, help="of an epoch")
    parser.add_argument("--repeats", type=int, default=5, help="epochs of each contender")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--peers", default="plain,cached", help="plain, cached or both")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    size = chosen.size or (128 if chosen.device.startswith("cuda") else 64)
    names = chosen.peers.split(",")
    found = measure(chosen.device, size, chosen.steps, chosen.repeats, chosen.workers, names)
    print(json.dumps(found, indent=1) if chosen.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()
