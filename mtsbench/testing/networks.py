"""What heads and backbones both promise, checked on any torch module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from mtsbench.testing.contract import ensure

TOLERANCE = 1e-4


def check_gradients(network: nn.Module, outputs: Iterable[Tensor]) -> None:
    """Every parameter that can be trained gets a finite gradient from the outputs.

    Raises:
        BrokenPromise: One does not.
    """
    generator = torch.Generator().manual_seed(1)
    total = torch.zeros(())
    for one in outputs:
        total = total + (one * torch.randn(one.shape, generator=generator)).sum()
    ensure(
        total.requires_grad or not any(one.requires_grad for one in network.parameters()),
        "no output has a gradient; do not detach the outputs",
    )
    if total.requires_grad:
        total.backward()
    trained = {name: one for name, one in network.named_parameters() if one.requires_grad}
    missing = [name for name, one in trained.items() if one.grad is None]
    ensure(
        not missing,
        f"{len(missing)} of {len(trained)} parameters get no gradient, the first is "
        f"{missing[0] if missing else ''!r}; use it in the forward pass or leave it out",
    )
    wild = [name for name, one in trained.items() if not all_finite([one.grad])]
    ensure(not wild, f"the gradient of {wild[0] if wild else ''!r} is nan or inf")


def check_state(first: nn.Module, second: nn.Module) -> None:
    """`second`, built anew, takes every weight and buffer of `first`.

    Raises:
        BrokenPromise: The state does not fit.
    """
    try:
        second.load_state_dict(first.state_dict())
    except RuntimeError as error:
        ensure(False, f"the state of one build does not fit the next: {one_line(error)}")


def all_finite(tensors: Iterable[Tensor | None]) -> bool:
    """Whether no number is nan or inf; None counts as finite."""
    return all(bool(torch.isfinite(one).all()) for one in tensors if one is not None)


def same(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    """Whether all tensors agree in shape and, to 1e-4 of their largest value, in value."""
    return len(first) == len(second) and all(
        a.shape == b.shape and _close(a.detach(), b.detach())
        for a, b in zip(first, second, strict=True)
    )


def _close(a: Tensor, b: Tensor) -> bool:
    return float((a - b).abs().max()) <= TOLERANCE * (1 + float(b.abs().max()))


def one_line(error: BaseException) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split())
