from __future__ import annotations

import pytest
import torch

from mtsbench.engine.precision import (
    autocast,
    choose_device,
    place,
    tensor_cores,
    uses_bf16,
    warn_of_slow_convolutions,
)
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


def test_bf16_on_a_cpu_must_be_asked_for():
    layer, image = torch.nn.Linear(3, 2), torch.ones(1, 3)

    with autocast("cpu", "bf16"):
        assert layer(image).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "auto", False),
        ("cuda", "auto", True),
        ("cuda:1", "fp32", False),
        ("cpu", "fp32", False),
        ("cpu", "bf16", True),
    ],
)
def test_bf16_is_the_default_on_cuda_only(device, precision, expected):
    assert uses_bf16(device, precision) is expected


def cuda_settings() -> tuple[object, ...]:
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    return cudnn.benchmark, cudnn.conv.fp32_precision, matmul.fp32_precision


@pytest.mark.parametrize(("precision", "allowed"), [("auto", "tf32"), ("fp32", "ieee")])
def test_tensor_cores_are_used_inside_and_all_is_as_before_afterwards(precision, allowed):
    before = cuda_settings()

    with tensor_cores("cuda", precision):
        inside = cuda_settings()

    assert inside == (True, allowed, allowed)
    assert cuda_settings() == before


def test_a_cpu_keeps_its_settings():
    before = cuda_settings()

    with tensor_cores("cpu", "auto"):
        assert cuda_settings() == before


@pytest.mark.parametrize(
    ("version", "cudnn", "warned"),
    [
        ("2.9.0+cu128", 91600, True),
        ("2.9.1+cu128", 91002, True),
        ("2.9.1", None, True),
        ("2.9.1+cu130", 91501, False),
        ("2.10.0", 91002, False),
        ("2.13.0+cpu", None, False),
    ],
)
def test_a_torch_with_slow_3d_convolutions_is_named(version, cudnn, warned, caplog):
    warn_of_slow_convolutions(version, cudnn)

    assert [version in one.getMessage() for one in caplog.records] == [True] * warned


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_precision_on_cuda_is_bfloat16():
    layer, image = torch.nn.Linear(3, 2).cuda(), torch.ones(1, 3).cuda()

    with autocast("cuda"):
        assert layer(image).dtype == torch.bfloat16


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_instance_normalisation_keeps_its_layout_on_cuda():
    network = torch.nn.Sequential(torch.nn.Conv3d(2, 4, 3), torch.nn.InstanceNorm3d(4))

    place(network, "cuda")

    assert network[0].weight.is_contiguous()


def test_a_network_is_placed_with_channels_last_and_computes_the_same():
    network = torch.nn.Conv3d(2, 4, 3)
    image = torch.rand(1, 2, 5, 6, 7)
    expected = network(image)

    place(network, "cpu")

    assert network.weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(network(image), expected)
