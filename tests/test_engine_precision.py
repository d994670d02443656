from __future__ import annotations

import pytest
import torch

from mtsbench.engine.precision import autocast, choose_device, place
from mtsbench.errors import OptionError


def test_auto_is_cuda_where_there_is_one_else_cpu():
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "mps", "meta", "cuda:-1"])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(OptionError, match=rf"device must be auto, cpu or cuda\[:N\], got '{name}'"):
        choose_device(name)


def test_a_device_that_is_not_in_this_machine_is_refused():
    count = torch.cuda.device_count()

    with pytest.raises(
        OptionError, match=f"device 'cuda:{count}' is not in this machine, which has {count} CUDA"
    ):
        choose_device(f"cuda:{count}")
    for number in range(count):
        assert choose_device(f"cuda:{number}") == f"cuda:{number}"


def test_precision_on_cpu_is_full():
    layer, image = torch.nn.Linear(3, 2), torch.ones(1, 3)

    with autocast("cpu"):
        inside = layer(image)

    assert inside.dtype == torch.float32
    assert torch.equal(inside, layer(image))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_precision_on_cuda_is_bfloat16():
    layer, image = torch.nn.Linear(3, 2).cuda(), torch.ones(1, 3).cuda()

    with autocast("cuda"):
        assert layer(image).dtype == torch.bfloat16


def test_a_network_is_placed_with_channels_last_and_computes_the_same():
    network = torch.nn.Conv3d(2, 4, 3)
    image = torch.rand(1, 2, 5, 6, 7)
    expected = network(image)

    place(network, "cpu")

    assert network.weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(network(image), expected)
