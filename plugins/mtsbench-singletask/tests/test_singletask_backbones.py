"""The catalogue tells the truth, and every family runs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from mtsbench.plugins import load_components

COMPONENTS = load_components()
# Small ones, one of each family.
TIMM = [
    "convnext_atto",
    "densenet121",
    "efficientnet_b0",
    "mnasnet_small",
    "resnet18",
    "seresnet18",
]
OTHERS = ["densenet121", "resnet18", "seresnet50", "dynunet", "segresnet", "swinunetr", "unetr"]
NAMES = [
    *(f"timm3d:{name}" for name in TIMM),
    *(f"monai:{name}" for name in OTHERS),
    "deepconvsurv",
]


def build(name, channels=2, **options):
    torch.manual_seed(0)
    return COMPONENTS.build("backbone", name, channels, options=options)


@pytest.mark.parametrize("name", NAMES)
def test_a_backbone_is_what_its_facts_say(name):
    size = (32, 64, 32)
    options = {"size": "32,64,32"} if name == "monai:unetr" else {}
    backbone = build(name, **options).eval()
    facts = COMPONENTS.get("backbone", name).component.facts

    with torch.no_grad():
        features = backbone(torch.randn(1, 2, *size))

    count = sum(parameter.numel() for parameter in backbone.parameters())
    assert facts["parameters"] == f"{count:,} with two image channels"
    assert facts["maps"] == ", ".join(map(str, backbone.channels)) + " channels"
    assert facts["each axis"] == (
        f"a multiple of {backbone.multiple}, at least {backbone.smallest_side} voxels"
    )
    assert tuple(one.shape[1] for one in features.maps) == backbone.channels
    assert (features.tumour_logit is not None) == backbone.segments
    if backbone.segments:
        assert features.tumour_logit.shape == (1, 1, *size)


@pytest.mark.parametrize("name", ["timm3d:resnet18", "monai:segresnet", "monai:densenet121"])
def test_a_case_alone_has_the_maps_it_has_in_a_batch(name):
    backbone, image = build(name).eval(), torch.randn(3, 2, 32, 40, 32)

    with torch.no_grad():
        together, alone = backbone(image).maps, backbone(image[1:2]).maps

    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one[1:2], other, rtol=1e-3, atol=1e-4)


def test_deepconvsurv_gives_32_channels_and_no_image_gives_none():
    image = torch.randn(2, 2, 16, 24, 32)

    (map_,) = build("deepconvsurv")(image).maps

    assert map_.shape[:2] == (2, 32)
    assert build("no-image")(image[:, :0]).maps == ()


def test_listing_the_catalogue_imports_no_network_library():
    code = (
        "import sys; from mtsbench.plugins import load_components; "
        "found = load_components().matching('resnet').names('backbone'); "
        "print(len(found), [m for m in ('torch', 'timm_3d', 'monai') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    count, loaded = done.stdout.split(maxsplit=1)
    assert int(count) > 50
    assert loaded.strip() == "[]"


def test_timm_imports_twice_without_declaring_operators_twice():
    from mtsbench_singletask.timm_import import import_timm

    assert import_timm() is import_timm()
