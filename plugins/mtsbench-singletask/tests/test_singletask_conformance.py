"""Every backbone and model of this package keeps the promises of the conformance kit."""

from __future__ import annotations

import pytest

from mtsbench.plugins import load_components
from mtsbench.testing import BackboneContract, ModelContract, PluginContract
from mtsbench.testing.checking import check_contract

COMPONENTS = load_components()


class TestPackage(PluginContract):
    distribution = "mtsbench-singletask"


class TestDeepConvSurvBackbone(BackboneContract):
    component = "deepconvsurv"


class TestNoImage(BackboneContract):
    component = "no-image"


class TestSegResNet(BackboneContract):
    component = "monai:segresnet"


class TestMnasNet(BackboneContract):
    component = "timm3d:mnasnet_small"


class TestConvNext(BackboneContract):
    component = "timm3d:convnext_atto"


class TestDeepConvSurv(ModelContract):
    component = "deepconvsurv"


class TestClinicalDeep(ModelContract):
    component = "clinical-deep"


@pytest.mark.slow
class TestSingleTask(ModelContract):
    component = "singletask"


@pytest.mark.slow
class TestResNet(ModelContract):
    component = "singletask-resnet18"


@pytest.mark.slow
class TestResNetMasked(ModelContract):
    component = "singletask-resnet18-masked"


@pytest.mark.slow
class TestDenseNet(ModelContract):
    component = "singletask-densenet121"


@pytest.mark.slow
class TestDenseNetMasked(ModelContract):
    component = "singletask-densenet121-masked"


def parameters(name: str) -> int:
    told = COMPONENTS.get("backbone", name).component.facts.get("parameters", "0")
    return int(told.split()[0].replace(",", ""))


OTHERS = sorted(
    (name for name in COMPONENTS.names("backbone") if name.startswith(("timm3d:", "monai:"))),
    key=parameters,
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", OTHERS)
def test_every_backbone_of_timm_and_monai_keeps_its_promises(name):
    """The largest has 693 million parameters and needs 12 GiB of memory."""
    contract = type(
        "Other",
        (BackboneContract,),
        {"component": name, "components": classmethod(lambda cls: COMPONENTS)},
    )

    found = list(check_contract(contract, "backbone", name))

    assert [one for one in found if one.status == "broken"] == []
    assert sum(one.status == "kept" for one in found) >= 10
