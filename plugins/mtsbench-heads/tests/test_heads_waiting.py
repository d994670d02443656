"""No survival loss makes a GPU wait for the processor."""

from __future__ import annotations

import pytest
import torch
from mtsbench_heads.cox_loss import CoxLoss

from mtsbench.interfaces import Outputs, Targets


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_the_partial_likelihood_asks_the_device_for_no_number(ties):
    """A fake tensor has no numbers: `item`, `if` and selection by a mask raise."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    loss = CoxLoss(ties=ties, memory=16)
    with FakeTensorMode():
        for _ in range(3):
            outputs = Outputs(survival=torch.empty(8, 1, requires_grad=True), tumour_logit=None)
            targets = Targets(
                time=torch.empty(8), event=torch.empty(8, dtype=torch.bool), mask=None
            )
            loss(outputs, targets).backward()
