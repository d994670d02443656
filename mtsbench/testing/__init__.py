"""Conformance kit for authors of plugins: subclass a contract, name the component, run pytest.

    from mtsbench.testing import LossContract

    class TestMyLoss(LossContract):
        component = "my-loss"

The component is looked up through its installed entry point, so packaging is tested too. A check
that cannot apply is shown as skipped with the capability that the component declares.
`mtsbench plugins check NAME` runs the same checks without a test file.
"""

from mtsbench.testing.backbones import BackboneContract
from mtsbench.testing.contract import BrokenPromise, Contract, NotApplicable
from mtsbench.testing.datasets import DatasetContract
from mtsbench.testing.executors import ExecutorContract
from mtsbench.testing.heads import HeadContract
from mtsbench.testing.losses import LossContract
from mtsbench.testing.metrics import MetricContract
from mtsbench.testing.models import ModelContract
from mtsbench.testing.packaging import PluginContract
from mtsbench.testing.phantom import phantom_cohort
from mtsbench.testing.trackers import TrackerContract

__all__ = [
    "BackboneContract",
    "BrokenPromise",
    "Contract",
    "DatasetContract",
    "ExecutorContract",
    "HeadContract",
    "LossContract",
    "MetricContract",
    "ModelContract",
    "NotApplicable",
    "PluginContract",
    "TrackerContract",
    "phantom_cohort",
]
