"""A grid that a backbone does not take is refused, and the least one that it takes is found."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.engine.image_size import check_size, side_for
from mtsbench.errors import DataError


def backbone(multiple: int = 1, **limits):
    return SimpleNamespace(multiple=multiple, channels=(4,), segments=False, **limits)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"multiple": 8}, r"\(16, 20, 32\) voxels, but backbone 'net' needs multiples of 8; set"),
        ({"smallest_side": 19}, "'net' needs at least 19 along every axis; set --set prepro"),
        ({"only_size": (32, 32, 32)}, r"'net' needs exactly \(32, 32, 32\); set --set prepro"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_with_what_is_needed(limits, message):
    with pytest.raises(DataError, match=message):
        check_size(backbone(**limits), "net", (16, 20, 32))


def test_a_size_that_fits_is_taken():
    check_size(backbone(4, smallest_side=16), "net", (16, 20, 32))
    check_size(backbone(4, only_size=(16, 20, 32)), "net", (16, 20, 32))


@given(
    least=st.integers(1, 40),
    limits=st.lists(st.tuples(st.sampled_from([1, 2, 4, 6, 16]), st.integers(1, 50)), min_size=1),
)
def test_the_side_is_the_least_that_all_take(least, limits):
    networks = [backbone(multiple, smallest_side=smallest) for multiple, smallest in limits]

    side = side_for(networks, least)

    def taken(size: int) -> bool:
        fits = [size % multiple == 0 and size >= smallest for multiple, smallest in limits]
        return size >= least and all(fits)

    assert taken(side)
    assert not any(taken(smaller) for smaller in range(1, side))


def test_a_network_of_one_size_decides_the_side():
    assert side_for([backbone(16, only_size=(32, 32, 32)), backbone(2)], 16) == 32
