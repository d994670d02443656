"""The cascaded survival network: size, valid padding, taps and error."""

from __future__ import annotations

import pytest
import torch
from mtsbench_deepmts.cascade import CascadeNetwork

from mtsbench.errors import DataError


@pytest.fixture(scope="module")
def cascade():
    torch.manual_seed(0)
    return CascadeNetwork(3)


def test_the_parameters_are_as_many_as_published(cascade):
    assert sum(p.numel() for p in cascade.parameters()) == 1_018_960


@pytest.mark.parametrize(
    ("size", "convolved", "pooled"), [(128, 63, 31), (112, 55, 27), (144, 71, 35), (96, 47, 23)]
)
def test_the_stem_is_valid_padded(cascade, size, convolved, pooled):
    image = torch.zeros(1, 3, size, 7, 7)

    with torch.no_grad():
        assert cascade.stem[0](image).shape[2] == convolved
        assert cascade.stem(image).shape[2] == pooled


def test_taps_have_the_declared_channels_and_are_not_negative(cascade):
    maps = cascade(torch.randn(2, 3, 32, 48, 64)).maps

    assert [tuple(tap.shape[1:]) for tap in maps] == [
        (16, 7, 11, 15),
        (32, 3, 5, 7),
        (64, 1, 2, 3),
    ]
    assert cascade.channels == (16, 32, 64)
    assert all((tap >= 0).all() for tap in maps)


def test_pooling_goes_on_from_the_tensor_before_the_taps_normalisation(cascade):
    cascade.eval()
    image = torch.randn(1, 3, 19, 19, 19)

    with torch.no_grad():
        maps = cascade(image).maps
        first = cascade.blocks[0](cascade.stem(image))
        second = cascade.blocks[1](cascade.pool(first))

    assert torch.equal(maps[0], cascade.taps[0](first))
    assert torch.equal(maps[1], cascade.taps[1](second))


def test_an_image_too_small_to_be_halved_is_refused(cascade):
    with pytest.raises(DataError, match=r"\(18, 32, 32\) voxels.*at least 19"):
        cascade(torch.zeros(1, 3, 18, 32, 32))
