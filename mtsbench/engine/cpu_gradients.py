"""Whether this processor computes the gradients of 3D convolutions in bf16 at all.

On processors with AVX-512 BF16 the oneDNN of torch 2.13 leaves parts of a weight gradient unwritten
where a volume is only a few voxels deep, as at the bottom of DeepMTS on 32^3 voxels. What stands in
the memory then becomes the gradient: other numbers in every run, up to 1e35. float32 is right.
"""

from __future__ import annotations

import logging

import torch

CHANNELS, DEPTH, TRIES = 32, 2, 3
ROUNDING = 0.05  # relative error of a right gradient in bf16, with much room
_log = logging.getLogger(__name__)


def weight_gradient_error() -> float:
    """Relative error of the weight gradient of one small convolution in bf16, on the CPU.

    The largest of a few tries, each after memory was filled with NaN and given back, so that a
    gradient that is not written shows. torch's own random numbers are left alone.
    """
    random = torch.Generator().manual_seed(0)
    volume = torch.randn(4, CHANNELS, *[DEPTH] * 3, generator=random)
    weight = torch.randn(CHANNELS, CHANNELS, 3, 3, 3, generator=random)
    right = _weight_gradient(volume, weight)
    worst = 0.0
    for _ in range(TRIES):
        used = [torch.full((weight.numel() // part,), torch.nan) for part in (1, 2) * 8]
        del used
        found = _weight_gradient(volume.bfloat16(), weight.bfloat16()).float()
        error = float((found - right).norm() / right.norm())
        worst = max(worst, error) if error == error else float("inf")
    return worst


def warn_of_wrong_gradients(error: float) -> None:
    """Warn where the error of `weight_gradient_error` is more than rounding."""
    if error <= ROUNDING:
        return
    _log.warning(
        "this processor's oneDNN (torch %s) computes wrong gradients of 3D convolutions in bf16 "
        "(relative error %.2g): the training may be wrong; use training.precision=fp32",
        torch.__version__,
        error,
    )


def _weight_gradient(volume: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    weight = weight.detach().requires_grad_()
    torch.nn.functional.conv3d(volume, weight, padding=1).sum().backward()
    assert weight.grad is not None
    return weight.grad
