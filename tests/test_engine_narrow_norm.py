"""Eight-channel batch normalisation: torch's bits, whatever the size and the threads."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mtsbench.engine.narrow_norm import WORTHWHILE, NarrowBatchNorm3d, mend_narrow_norms


@pytest.fixture(params=[2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def pair(channels: int = 8, **settings_) -> tuple[nn.BatchNorm3d, nn.BatchNorm3d]:
    torch_norm, ours = (nn.BatchNorm3d(channels, eps=1e-3, **settings_) for _ in range(2))
    if torch_norm.weight is not None:
        nn.init.uniform_(torch_norm.weight, 0.5, 2.0)
        nn.init.normal_(torch_norm.bias)
    ours.load_state_dict(torch_norm.state_dict())
    mend_narrow_norms(ours)
    return torch_norm, ours


def bits(norm: nn.BatchNorm3d, image: torch.Tensor, gradient: torch.Tensor) -> list[torch.Tensor]:
    """Output, gradients and running statistics of one step."""
    image = image.clone(memory_format=torch.preserve_format).requires_grad_()
    output = norm(image)
    output.backward(gradient)
    trained = [one.grad for one in norm.parameters()]
    return [output.detach(), image.grad, *trained, *norm.buffers()]


def drawn(*shape: int, channels_last: bool = True) -> torch.Tensor:
    image = 3 * torch.randn(shape) + 1
    return image.to(memory_format=torch.channels_last_3d) if channels_last else image


def assert_same(torch_norm, ours, image, gradient) -> None:
    expected, found = bits(torch_norm, image, gradient), bits(ours, image, gradient)
    assert len(expected) == len(found)
    assert all(torch.equal(one, other) for one, other in zip(expected, found, strict=True))


@pytest.mark.usefixtures("threads")
@given(batch=st.integers(2, 5), size=st.tuples(*[st.integers(29, 36)] * 3), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None)
def test_every_bit_is_torchs_own(batch, size, seed):
    torch.manual_seed(seed)
    image, gradient = drawn(batch, 8, *size), drawn(batch, 8, *size)
    torch_norm, ours = pair(momentum=0.2)

    assert_same(torch_norm, ours, image, gradient)


def test_the_other_backward_pass_is_taken_where_it_is_worth_it(threads, monkeypatch):
    from mtsbench.engine import narrow_norm

    taken = []
    monkeypatch.setattr(
        narrow_norm, "_sums", lambda x, dy, mean: taken.append(len(x)) or (mean, mean)
    )
    _, ours = pair()
    large, small = drawn(3, 8, 30, 30, 30), drawn(2, 8, 5, 5, 5)
    assert small.numel() < WORTHWHILE <= large.numel()

    bits(ours, small, small)
    bits(ours, large.contiguous(), large)
    ours.eval()
    bits(ours, large, large)
    assert taken == []

    ours.train()
    bits(ours, large, large)
    assert taken == [3 * 30**3]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(
    "unusual",
    [{"affine": False}, {"track_running_stats": False}, {"momentum": None}],
    ids=lambda one: next(iter(one)),
)
def test_unusual_settings_are_left_to_torch(unusual):
    image, gradient = drawn(2, 8, 33, 33, 33), drawn(2, 8, 33, 33, 33)

    assert_same(*pair(**unusual), image, gradient)


def test_only_eight_channels_are_mended_and_names_stay():
    network = nn.Sequential(nn.Conv3d(2, 8, 3), nn.BatchNorm3d(8), nn.BatchNorm3d(16))
    names = list(network.state_dict())

    mend_narrow_norms(network)

    assert [type(one) for one in network][1:] == [NarrowBatchNorm3d, nn.BatchNorm3d]
    assert list(network.state_dict()) == names


def test_the_number_of_threads_is_what_it_was(threads):
    _, ours = pair()
    image = drawn(3, 8, 30, 30, 30)

    bits(ours, image, image)

    assert torch.get_num_threads() == threads
