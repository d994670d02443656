"""Every part and model of this package keeps the promises of the conformance kit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mtsbench.interfaces import Outputs, Targets
from mtsbench.testing import (
    BackboneContract,
    HeadContract,
    LossContract,
    ModelContract,
    PluginContract,
)

ORACLE = json.loads((Path(__file__).parent / "oracles" / "losses.json").read_text())


def published(time: str, value: str) -> tuple[Outputs, Targets, float]:
    """A batch and its loss by the published code, run as `make_loss_oracles.py` says."""
    risk = torch.tensor(ORACLE["log_risk"], dtype=torch.float64)[:, None]
    targets = Targets(
        time=torch.tensor(ORACLE[time], dtype=torch.float64),
        event=torch.tensor(ORACLE["event"]).bool(),
        mask=None,
    )
    return Outputs(survival=risk, tumour_logit=None), targets, ORACLE[value]


class TestPackage(PluginContract):
    distribution = "mtsbench-deepmts"


class TestSegmentation(BackboneContract):
    component = "deepmts-segmentation"


class TestEncoder(BackboneContract):
    component = "deepmts-encoder"


class TestCascade(BackboneContract):
    component = "deepmts-cascade"


class TestHead(HeadContract):
    component = "deepmts-cox"


class TestCoxLoss(LossContract):
    component = "deepmts-cox"
    reads = "log-risk"
    ties = "breslow"
    oracle = (published("time", "published_cox"), published("tied_time", "breslow_with_ties"))


class TestDiceLoss(LossContract):
    component = "deepmts-dice"
    reads = "mask"


class TestNoCascade(ModelContract):
    component = "deepmts-no-cascade"


@pytest.mark.slow
class TestDeepMts(ModelContract):
    component = "deepmts"


@pytest.mark.slow
class TestCascadeOnly(ModelContract):
    component = "deepmts-cascade-only"


@pytest.mark.slow
class TestHardMask(ModelContract):
    component = "deepmts-hard-mask"


@pytest.mark.slow
class TestDetachedMask(ModelContract):
    component = "deepmts-detached-mask"


@pytest.mark.slow
class TestNoSegmentation(ModelContract):
    component = "deepmts-no-segmentation"


@pytest.mark.slow
class TestDenseAlone(ModelContract):
    component = "deepmts-dense-alone"
