"""What this package announces; the catalogue of timm-3d is read from a table, torch is not."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

from mtsbench.components import Component, ModelComponent, Need
from mtsbench.composition import Composition
from mtsbench.hookspecs import hookimpl
from mtsbench_singletask import models

if TYPE_CHECKING:
    from mtsbench.interfaces import Backbone, Model

TIMM = "https://github.com/ZFTurbo/timm_3d"
MONAI = "https://docs.monai.io/en/stable/networks.html"
DEEPCONVSURV = "https://doi.org/10.1109/BIBM.2016.7822579"
RESNET = "https://doi.org/10.1109/CVPR.2016.90"
DENSENET = "https://doi.org/10.1109/CVPR.2017.243"
DEEPSURV = "https://doi.org/10.1186/s12874-018-0482-1"
CATALOGUE = "timm_catalogue.csv"
# Name, parameters for two channels, multiple of each axis, smallest side, channels of the maps.
MONAI_FACTS = (
    ("densenet121", 11_264_576, 1, 32, "128, 256, 512, 1024"),
    ("resnet18", 33_182_848, 1, 1, "64, 128, 256, 512"),
    ("resnet50", 46_180_864, 1, 1, "256, 512, 1024, 2048"),
    ("seresnet50", 48_708_016, 1, 16, "256, 512, 1024, 2048"),
    ("dynunet", 5_646_577, 16, 32, "16, 32, 64, 128, 256"),
    ("segresnet", 4_701_329, 8, 8, "16, 32, 64, 128"),
    ("swinunetr", 15_703_843, 32, 64, "24, 24, 48, 96, 384"),
)


def build_timm(channels: int, *, name: str, multiple: int) -> Backbone:
    """A network of the catalogue."""
    from mtsbench_singletask.timm_backbones import TimmBackbone

    return TimmBackbone(name, channels, multiple)


def build_monai(channels: int, *, name: str) -> Backbone:
    """A network of MONAI."""
    from mtsbench_singletask.monai_backbones import build_network

    return build_network(name, channels)


def build_unetr(channels: int, *, size: tuple[int, int, int] = (32, 32, 32)) -> Backbone:
    """UNETR, for crops of exactly this size (D, H, W)."""
    from mtsbench_singletask.monai_backbones import Unetr

    return Unetr(channels, size)


def build_deepconvsurv(channels: int) -> Backbone:
    """A stack of convolutions."""
    from mtsbench_singletask.small_backbones import DeepConvSurv

    return DeepConvSurv(channels)


def build_no_image(channels: int) -> Backbone:
    """No map at all."""
    from mtsbench_singletask.small_backbones import NoImage

    return NoImage()


class _Fixed:
    """A builder without options; `partial` would show its bound arguments as options."""

    def __init__(self, build: Callable[[int], Backbone]) -> None:
        self.build = build

    def __call__(self, channels: int) -> Backbone:
        """A backbone for this number of channels."""
        return self.build(channels)


@hookimpl
def mtsbench_backbones() -> Iterator[Component[Backbone]]:
    """timm-3d's, MONAI's, and two small ones."""
    yield Component(
        name="deepconvsurv",
        summary="Three 3D convolutions of 32 filters with pooling",
        build=build_deepconvsurv,
        reference=DEEPCONVSURV,
        facts=_facts(177_696, 1, "32", 7),
    )
    yield Component(
        name="no-image",
        summary="No feature map: the head sees clinical variables alone",
        build=build_no_image,
        reference=DEEPSURV,
        facts={"parameters": "0", "maps": "none"},
    )
    for name, parameters, multiple, smallest, maps in MONAI_FACTS:
        yield Component(
            name=f"monai:{name}",
            summary=f"MONAI's {name}, random weights",
            build=_Fixed(partial(build_monai, name=name)),
            reference=MONAI,
            facts=_facts(parameters, multiple, maps, smallest),
        )
    yield Component(
        name="monai:unetr",
        summary="MONAI's UNETR for crops of one size, random weights",
        build=build_unetr,
        reference=MONAI,
        facts=_facts(95_794_833, 16, "16, 32, 64, 128", 16),
    )
    table = files(__package__).joinpath(CATALOGUE).read_text()
    for row in csv.DictReader(table.splitlines()):
        multiple = int(row["multiple"])
        build = partial(build_timm, name=row["name"], multiple=multiple)
        yield Component(
            name=f"timm3d:{row['name']}",
            summary=f"timm-3d's {row['name']}, random weights"[:80],
            build=_Fixed(build),
            reference=TIMM,
            facts=_facts(int(row["parameters"]), multiple, row["channels"].replace("+", ", "), 32),
        )


def _facts(parameters: int, multiple: int, maps: str, smallest: int) -> dict[str, str]:
    return {
        "parameters": f"{parameters:,} with two image channels",
        "each axis": f"a multiple of {multiple}, at least {smallest} voxels",
        "maps": f"{maps} channels",
    }


@hookimpl
def mtsbench_models() -> Iterator[ModelComponent[Model | Composition]]:
    """Deep survival models without segmentation."""
    yield _model("singletask", "any backbone", models.build_singletask, RESNET)
    yield _model("deepconvsurv", "three 3D convolutions", models.build_deepconvsurv, DEEPCONVSURV)
    for name, network, whole, masked, reference in (
        ("resnet18", "ResNet-18", models.build_resnet18, models.build_resnet18_masked, RESNET),
        (
            "densenet121",
            "DenseNet-121",
            models.build_densenet121,
            models.build_densenet121_masked,
            DENSENET,
        ),
    ):
        yield _model(f"singletask-{name}", f"a 3D {network}", whole, reference)
        yield _model(
            f"singletask-{name}-masked",
            f"a 3D {network} that sees the true tumour alone",
            masked,
            reference,
            masked=True,
        )
    yield ModelComponent(
        name="clinical-deep",
        summary="A dense network on clinical variables alone (DeepSurv)",
        build=models.build_clinical_deep,
        reference=DEEPSURV,
        produces=frozenset({"risk", "survival"}),
        needs=frozenset({"clinical"}),
    )


def _model(
    name: str,
    source: str,
    build: Callable[..., Composition],
    reference: str,
    *,
    masked: bool = False,
) -> ModelComponent[Composition]:
    image: frozenset[Need] = frozenset({"image"})
    return ModelComponent(
        name=name,
        summary=f"Survival from {source}",
        build=build,
        reference=reference,
        produces=frozenset({"risk", "survival"}),
        needs=image | {"training-masks"} if masked else image,
        needs_mask_at_test=masked,
    )
