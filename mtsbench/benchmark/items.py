"""Everything that `mtsbench benchmark` measures, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from mtsbench.benchmark import deep_items, table_items
from mtsbench.benchmark.training_part import DATA, DATASET
from mtsbench.errors import OptionError
from mtsbench.options import did_you_mean

if TYPE_CHECKING:
    from mtsbench.benchmark.records import Measurement, Protocol
    from mtsbench.components import Kind

# Voxels along each axis. A processor takes minutes for what a GPU does in a blink, so it gets a
# size of its own, and the size is in every name.
VOXELS = {"cuda": 128, "cpu": 32}
MANY, SOME, FEW = 20_000, 2_000, 300
SAMPLES = 2_000


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that is measured, in a process of its own.

    Attributes:
        name: Holds the size.
        what: What one repetition does.
        data: What it is done to.
        device: Where it is computed.
        needs: Components without which it cannot be measured.
        measure: Picklable.
    """

    name: str
    what: str
    data: str
    device: Literal["cpu", "cuda"]
    needs: tuple[tuple[Kind, str], ...]
    measure: Callable[[Protocol], Measurement]


def all_items(device: str) -> tuple[Item, ...]:
    """The items of a device, in the order of measuring.

    Args:
        device: cpu or cuda[:N].
    """
    return (*_deep(device), *_tables())


def choose(items: Sequence[Item], names: Sequence[str]) -> tuple[Item, ...]:
    """The items of these names, all of them if none is named.

    Raises:
        OptionError: No such item on this device.
    """
    known = [item.name for item in items]
    for name in names:
        if name not in known:
            raise OptionError(
                f"no item is called {name!r} on this device.{did_you_mean(name, known)} "
                f"Items: {', '.join(known)}"
            )
    return tuple(item for item in items if not names or item.name in names)


def _deep(device: str) -> list[Item]:
    kind: Literal["cpu", "cuda"] = "cuda" if device.startswith("cuda") else "cpu"
    voxels, batch = VOXELS[kind], deep_items.BATCH
    cube = f"{voxels}x{voxels}x{voxels}"
    trained: tuple[tuple[str, str, str | None], ...] = (
        ("deepmts", "deepmts", None),
        ("singletask-resnet18", "singletask-resnet18", None),
        ("monai-segresnet", "singletask", "monai:segresnet"),
        ("monai-dynunet", "singletask", "monai:dynunet"),
    )
    items = []
    for name, model, backbone in trained:
        needs: list[tuple[Kind, str]] = [("dataset", DATASET), ("model", model)]
        needs += [("backbone", backbone)] if backbone else []
        items.append(
            Item(
                name=f"{name}-training-{voxels}",
                what=f"a training step, {cube} voxels, batch {batch}",
                data=DATA,
                device=kind,
                needs=tuple(needs),
                measure=partial(
                    deep_items.training_step,
                    model=model,
                    voxels=voxels,
                    device=device,
                    settings={"backbone": backbone} if backbone else {},
                ),
            )
        )
    items.append(
        Item(
            name=f"deepmts-inference-{voxels}",
            what=f"one patient predicted, {cube} voxels",
            data=DATA,
            device=kind,
            needs=(("dataset", DATASET), ("model", "deepmts")),
            measure=partial(deep_items.inference, model="deepmts", voxels=voxels, device=device),
        )
    )
    return items


def _tables() -> list[Item]:
    curves = f"{table_items.GRID_DAYS} days"
    measured: tuple[tuple[str, str, Callable[[Protocol], Measurement]], ...] = (
        (
            f"harrell-c-{MANY}",
            f"Harrell's C with influences, {MANY:,} patients",
            partial(table_items.harrell, patients=MANY),
        ),
        (
            f"uno-c-{MANY}",
            f"Uno's C, {MANY:,} patients",
            partial(table_items.uno, patients=MANY),
        ),
        (
            f"antolini-c-{SOME}",
            f"Antolini's C of curves of {curves}, {SOME:,} patients",
            partial(table_items.antolini, patients=SOME),
        ),
        (
            f"brier-{MANY}",
            f"integrated Brier score, {MANY:,} patients",
            partial(table_items.brier, patients=MANY),
        ),
        (
            f"bootstrap-{SAMPLES}-{FEW}",
            f"difference of two C, {SAMPLES:,} samples of {FEW} patients",
            partial(table_items.bootstrap, patients=FEW, samples=SAMPLES),
        ),
    )
    return [
        Item(
            name="radiomics-case",
            what="features of PET and CT of one patient, resampling included, and their risk",
            data=DATA,
            device="cpu",
            needs=(("dataset", DATASET), ("model", table_items.RADIOMICS)),
            measure=table_items.radiomics,
        ),
        *(
            Item(
                name=name, what=what, data="random numbers", device="cpu", needs=(), measure=measure
            )
            for name, what, measure in measured
        ),
    ]
