"""The likelihood of a Weibull accelerated failure time model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from mtsbench.errors import PluginError
from mtsbench_heads.continuous import weibull_parameters

if TYPE_CHECKING:
    from mtsbench.interfaces import Outputs, Targets


def weibull_aft(outputs: Outputs, targets: Targets) -> Tensor:
    """Mean negative log likelihood of time / last training time, censoring included.

    Source: R's `survreg(dist = "weibull")`, whose scale is 1 / shape; the unit of time differs
    and with it a constant of the loss.

    Raises:
        PluginError: The outputs are not those of the Weibull head.
    """
    if outputs.time_grid is None or outputs.survival.shape[1] != 2:
        raise PluginError(
            "weibull-aft needs the outputs (B, 2) and the unit of time of head weibull-aft, got "
            f"{tuple(outputs.survival.shape)}"
        )
    log_scale, shape = weibull_parameters(outputs.survival.float())
    log_time = (targets.time / outputs.time_grid[-1]).log().to(log_scale)
    exponent = shape * (log_time - log_scale)
    log_hazard = shape.log() + exponent - log_time
    return (exponent.exp() - targets.event * log_hazard).mean()
