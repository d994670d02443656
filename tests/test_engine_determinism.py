from __future__ import annotations

import pytest
import torch

from mtsbench.engine.determinism import seeded


@pytest.fixture(autouse=True)
def _restore():
    strict = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    yield
    torch.use_deterministic_algorithms(strict, warn_only=warn_only)


def draw(seed: int) -> list[float]:
    with seeded(seed, "cpu"):
        return torch.rand(4).tolist()


def test_the_seed_alone_decides_what_is_drawn_inside():
    first = draw(5)
    torch.rand(3)

    assert draw(5) == first
    assert draw(6) != first


def test_the_callers_generator_goes_on_as_if_nothing_had_been_drawn():
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()

    torch.manual_seed(1)
    draw(5)

    assert torch.rand(2).tolist() == expected


@pytest.mark.parametrize(("strict", "warn_only"), [(False, False), (True, False), (True, True)])
def test_determinism_is_strict_inside_and_as_before_outside(strict, warn_only):
    torch.use_deterministic_algorithms(strict, warn_only=warn_only)

    with seeded(0, "cpu"):
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.is_deterministic_algorithms_warn_only_enabled()

    assert torch.are_deterministic_algorithms_enabled() == strict
    assert torch.is_deterministic_algorithms_warn_only_enabled() == warn_only


def test_the_callers_state_is_restored_after_an_error():
    before = torch.get_rng_state()

    def fail() -> None:
        with seeded(0, "cpu"):
            torch.rand(1)
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()

    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_new_tensors_are_not_filled_inside_and_the_callers_choice_comes_back():
    before = torch.utils.deterministic.fill_uninitialized_memory

    with seeded(0, "cpu"):
        inside = torch.utils.deterministic.fill_uninitialized_memory

    assert not inside
    assert torch.utils.deterministic.fill_uninitialized_memory == before
