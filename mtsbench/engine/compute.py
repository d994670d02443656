"""How a network's training step is computed: compiled, checkpointed, by which optimiser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from mtsbench.engine.precision import is_cuda
from mtsbench.errors import OptionError

if TYPE_CHECKING:
    from mtsbench.composition import Compilation
    from mtsbench.engine.network import MultiTaskNetwork
    from mtsbench.interfaces import Outputs

    Forward = Callable[[Tensor, Tensor], Outputs]

_log = logging.getLogger(__name__)
KERAS_EPSILON = 1e-7  # the published settings are given for Keras


def adam(parameters: Iterable[nn.Parameter], rate: float, device: str) -> torch.optim.Adam:
    """Adam; on CUDA one kernel for all parameters, on a CPU the order of rounding it always had."""
    return torch.optim.Adam(
        parameters, lr=rate, eps=KERAS_EPSILON, fused=True if is_cuda(device) else None
    )


def compiled(network: MultiTaskNetwork, compilation: Compilation, device: str) -> Forward:
    """The network's forward pass as the setting `compilation` asks for.

    Raises:
        OptionError: `graphs` was asked for on a device without CUDA.
    """
    if compilation == "off":
        return network
    if compilation == "graphs" and not is_cuda(device):
        raise OptionError(
            f"training.compilation=graphs needs a CUDA device, got {device!r}; use on or off"
        )
    mode = "max-autotune-no-cudagraphs" if compilation == "on" and is_cuda(device) else "default"
    mode = "reduce-overhead" if compilation == "graphs" else mode
    return _Compiled(network, cast("Forward", torch.compile(network, mode=mode)))


class _Compiled:
    def __init__(self, network: MultiTaskNetwork, fast: Forward) -> None:
        self.network = network
        self.fast: Forward | None = fast

    def __call__(self, image: Tensor, clinical: Tensor) -> Outputs:
        if self.fast is not None:
            try:
                return self.fast(image, clinical)
            except Exception as error:
                # Compilers fail in many ways: none installed, an operator they do not know.
                cause = str(error).strip().splitlines() or [""]
                _log.warning(
                    "torch.compile failed (%s: %s); training goes on without it",
                    type(error).__name__,
                    cause[0],
                )
                self.fast = None
        return cast("Outputs", self.network(image, clinical))


def checkpoint_blocks(network: MultiTaskNetwork) -> None:
    """Let each block of the backbone and the survival network forget its activations.

    Blocks are the networks' children; of lists and of sequences of blocks each on its own. The
    second computation draws the same dropout and leaves running statistics alone.
    """
    for part in (network.backbone, network.survival_network):
        for block in _blocks(cast("nn.Module", part)) if part is not None else ():
            block.forward = _checkpointed(block)


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        if isinstance(child, nn.ModuleList | nn.ModuleDict) or _is_sequence_of_blocks(child):
            yield from _blocks(child)
        elif list(child.children()):
            yield child


def _is_sequence_of_blocks(module: nn.Module) -> bool:
    return isinstance(module, nn.Sequential) and all(list(one.children()) for one in module)


def _checkpointed(block: nn.Module) -> Callable[..., object]:
    forward = block.forward

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _frozen_statistics(block)

    def run(*inputs: object) -> object:
        if not torch.is_grad_enabled():
            return forward(*inputs)
        return checkpoint(forward, *inputs, use_reentrant=False, context_fn=contexts)

    return run


@contextmanager
def _frozen_statistics(block: nn.Module) -> Iterator[None]:
    """Batch normalisation by the batch, without a trace in the running statistics."""
    norms = [one for one in block.modules() if isinstance(one, _BatchNorm)]
    momenta = [one.momentum for one in norms]
    for one in norms:
        one.momentum = 0.0
    try:
        yield
    finally:
        for one, momentum in zip(norms, momenta, strict=True):
            one.momentum = momentum
            if one.training and one.num_batches_tracked is not None:
                one.num_batches_tracked.sub_(1)
