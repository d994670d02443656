"""Where and in which precision a network is computed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from mtsbench.engine import cpu_gradients
from mtsbench.engine.narrow_norm import mend_narrow_norms
from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from mtsbench.composition import Precision

_log = logging.getLogger(__name__)
MENDED_CUDNN = 91500


def choose_device(name: str) -> str:
    """`auto` is `cuda` where there is one, else `cpu`.

    Raises:
        OptionError: The named device is unknown or not in this machine.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise OptionError(f"device must be auto, cpu or cuda[:N], got {name!r}") from error
    if device.type not in ("cpu", "cuda"):
        raise OptionError(f"device must be auto, cpu or cuda[:N], got {name!r}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise OptionError(
            f"device {name!r} is not in this machine, which has {torch.cuda.device_count()} CUDA "
            "devices; use --device cpu"
        )
    return name


def place(network: nn.Module, device: str) -> None:
    """Move a network to its device, in the memory layout that is fastest there.

    On a CPU channels last takes 1.6 (32^3 voxels) to 1.9 (48^3) times less time with batch
    normalisation (DeepMTS, batch 8, two cores, torch 2.13), and 1.4 times less with instance
    normalisation (DynUNet, batch 4, 32^3). On CUDA torch has no channels-last instance
    normalisation, so a network with one would be copied back and forth at each.
    """
    network.to(device)
    if is_cuda(device) and any(isinstance(one, nn.InstanceNorm3d) for one in network.modules()):
        return
    # torch's stubs know this keyword for tensors only.
    network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    if not is_cuda(device):
        mend_narrow_norms(network)


def is_cuda(device: str) -> bool:
    """Whether torch computes there with CUDA."""
    return torch.device(device).type == "cuda"


def uses_bf16(device: str, precision: Precision) -> bool:
    """Whether matrix products and convolutions are computed in bfloat16."""
    return precision == "bf16" or (precision == "auto" and is_cuda(device))


def autocast(device: str, precision: Precision = "auto") -> torch.autocast:
    """bf16 where it is asked for or, by default, on CUDA; its range needs no loss scaling."""
    return torch.autocast(
        torch.device(device).type, dtype=torch.bfloat16, enabled=uses_bf16(device, precision)
    )


@contextmanager
def tensor_cores(device: str, precision: Precision) -> Iterator[None]:
    """On CUDA, inside the block: TF32 for what autocast leaves in float32, the fastest kernels.

    `fp32` turns TF32 off, also in convolutions, where torch has it on by default. What was set
    before is set again afterwards. A CPU is left alone, but its gradients in bf16 are tried once.
    """
    if not is_cuda(device):
        if uses_bf16(device, precision):
            cpu_gradients.warn_of_wrong_gradients(cpu_gradients.weight_gradient_error())
        yield
        return
    warn_of_slow_convolutions(torch.__version__, torch.backends.cudnn.version())
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    # A setting that torch adds to its module at run time, unknown to type checkers.
    convolutions = cudnn.conv  # type: ignore[attr-defined]
    before = cudnn.benchmark, convolutions.fp32_precision, matmul.fp32_precision
    allowed = "ieee" if precision == "fp32" else "tf32"
    cudnn.benchmark, convolutions.fp32_precision, matmul.fp32_precision = True, allowed, allowed
    try:
        yield
    finally:
        cudnn.benchmark, convolutions.fp32_precision, matmul.fp32_precision = before


def warn_of_slow_convolutions(torch_version: str, cudnn_version: int | None) -> None:
    """Warn of a torch whose 3D convolutions in bf16 bypass cuDNN.

    torch 2.9 takes several times the time and memory for them (pytorch issues 166122, 166643);
    2.9.1 uses cuDNN again if it is 9.15 or newer.
    """
    if not torch_version.startswith("2.9."):
        return
    if not torch_version.startswith("2.9.0") and (cudnn_version or 0) >= MENDED_CUDNN:
        return
    _log.warning(
        "torch %s computes 3D convolutions in bf16 several times slower than other versions and "
        "with far more memory (cuDNN %s); use torch 2.10 or newer",
        torch_version,
        cudnn_version,
    )
