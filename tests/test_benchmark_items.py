from __future__ import annotations

import pickle

import pytest

from mtsbench.benchmark.items import all_items, choose
from mtsbench.benchmark.records import Protocol
from mtsbench.errors import OptionError
from mtsbench.plugins import load_components


def names(device: str) -> list[str]:
    return [item.name for item in all_items(device)]


def test_processors_and_gpus_have_their_own_sizes_and_share_the_statistics():
    cpu, cuda = names("cpu"), names("cuda:0")

    assert {"deepmts-training-32", "deepmts-inference-32"} <= set(cpu)
    assert {"deepmts-training-128", "deepmts-inference-128"} <= set(cuda)
    shared = set(cpu) & set(cuda)
    assert {"harrell-c-20000", "bootstrap-2000-300", "radiomics-case"} <= shared
    assert not any("training" in name or "inference" in name for name in shared)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_item_can_be_sent_to_a_process_and_names_its_device(device):
    for item in all_items(device):
        assert callable(pickle.loads(pickle.dumps(item.measure)))
        deep = "training" in item.name or "inference" in item.name
        assert item.device == (device if deep else "cpu")


def test_every_component_that_an_item_needs_is_installed_here():
    components = load_components()

    for item in all_items("cpu"):
        for kind, name in item.needs:
            assert name in components.names(kind)


def test_items_are_chosen_by_name_in_their_own_order():
    items = all_items("cpu")

    assert choose(items, []) == items
    chosen = choose(items, ["uno-c-20000", "deepmts-training-32"])
    assert [item.name for item in chosen] == ["deepmts-training-32", "uno-c-20000"]


def test_an_item_of_another_device_is_refused_with_the_names_there_are():
    with pytest.raises(OptionError, match=r"no item is called 'deepmts-training-128' on this devi"):
        choose(all_items("cpu"), ["deepmts-training-128"])


@pytest.mark.parametrize(
    "name", ["harrell-c-20000", "uno-c-20000", "antolini-c-2000", "brier-20000"]
)
def test_a_statistic_is_measured(name):
    (item,) = choose(all_items("cpu"), [name])

    found = item.measure(Protocol(warm_up=0, steps=2))

    assert 0 < found.median < 60
