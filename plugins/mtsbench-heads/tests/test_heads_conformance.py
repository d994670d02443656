"""Every head and loss of this package keeps the promises of the conformance kit."""

from __future__ import annotations

from mtsbench.testing import HeadContract, LossContract, PluginContract


class TestPackage(PluginContract):
    distribution = "mtsbench-heads"


class TestCoxHead(HeadContract):
    component = "cox"


class TestWeibullHead(HeadContract):
    component = "weibull-aft"


class TestLogisticHazardHead(HeadContract):
    component = "logistic-hazard"


class TestPmfHead(HeadContract):
    component = "pmf"


class TestMtlrHead(HeadContract):
    component = "mtlr"


class TestDeepHitHead(HeadContract):
    component = "deephit"


class TestEfronLoss(LossContract):
    component = "cox"
    ties = "efron"


class TestBreslowLoss(LossContract):
    component = "cox"
    options = {"ties": "breslow"}
    ties = "breslow"


class TestCoxLossWithMemory(LossContract):
    component = "cox"
    options = {"memory": 16}


class TestLogisticHazardLoss(LossContract):
    component = "logistic-hazard"
    reads = "intervals"


class TestPmfLoss(LossContract):
    component = "pmf"
    reads = "intervals"


class TestMtlrLoss(LossContract):
    component = "mtlr"
    reads = "intervals"


class TestDeepHitLoss(LossContract):
    component = "deephit"
    reads = "intervals"


class TestWeibullLoss(LossContract):
    component = "weibull-aft"
    reads = "scale-and-shape"


class TestDiceCrossEntropyLoss(LossContract):
    component = "dice-ce"
    reads = "mask"


class TestDiceFocalLoss(LossContract):
    component = "dice-focal"
    reads = "mask"


class TestTverskyLoss(LossContract):
    component = "tversky"
    reads = "mask"
