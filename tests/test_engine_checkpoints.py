from __future__ import annotations

import json

import pytest
import torch

from mtsbench.engine.checkpoints import (
    DESCRIPTION,
    WEIGHTS,
    load_weights,
    read_description,
    save_network,
)
from mtsbench.errors import CheckpointError

PARTS = {"backbone": "tiny", "head": "cox"}
SEEN = {"channels": 2, "clinical_features": 5, "precision": "fp32", "batch_size": 3}


def network(width: int = 3, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv3d(2, width, 3), torch.nn.BatchNorm3d(width))


@pytest.fixture
def folder(tmp_path):
    save_network(network(), tmp_path, parts=PARTS, **SEEN)
    return tmp_path


def describe(folder, **changes) -> None:
    path = folder / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_checkpoint_is_safetensors_and_json(folder):
    assert {path.name for path in folder.iterdir()} == {"checkpoint.safetensors", "network.json"}
    assert json.loads((folder / DESCRIPTION).read_text())["parts"] == PARTS


def test_what_was_saved_is_what_is_loaded(folder):
    description = read_description(folder, PARTS)
    loaded = network(seed=1)
    load_weights(loaded, folder)

    assert (description.channels, description.clinical_features) == (2, 5)
    assert (description.precision, description.batch_size) == ("fp32", 3)
    expected = network().state_dict()
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, expected[name])
        assert value.dtype == expected[name].dtype


def test_a_network_with_channels_last_in_memory_is_saved_as_it_is(folder, tmp_path_factory):
    last = network().to(memory_format=torch.channels_last_3d)
    other = tmp_path_factory.mktemp("last")

    save_network(last, other, parts=PARTS, **SEEN)

    assert (other / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()


@pytest.mark.parametrize("name", [WEIGHTS, DESCRIPTION])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()

    with pytest.raises(CheckpointError, match=f"{name} is missing; a checkpoint holds both files"):
        read_description(folder, PARTS)


@pytest.mark.parametrize("position", [0, 7, 200, -1])
def test_a_flipped_byte_in_the_weights_is_noticed(folder, position):
    path = folder / WEIGHTS
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"checkpoint.safetensors is damaged: its checksum"):
        read_description(folder, PARTS)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_truncated_weights_are_noticed(folder, share):
    path = folder / WEIGHTS
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])

    with pytest.raises(CheckpointError, match="is damaged: its checksum is not the one in network"):
        read_description(folder, PARTS)
    with pytest.raises(CheckpointError, match=r"checkpoint.safetensors does not fit the network: "):
        load_weights(network(), folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[:20], r"network.json is damaged \(1 faults, first: Invalid JSON"),
        (lambda text: "", r"network.json is damaged \(1 faults, first: Invalid JSON"),
        (lambda text: "[1]", r"network.json is damaged \(1 faults, first: Input should be"),
        (lambda text: "{}", r"network.json is damaged \(4 faults, first: Field required\)"),
        (lambda text: text.replace("channels", "chanels"), r"network.json is damaged \(2 faults"),
    ],
)
def test_a_damaged_description_is_named(folder, damage, message):
    path = folder / DESCRIPTION
    path.write_text(damage(path.read_text()))

    with pytest.raises(CheckpointError, match=message):
        read_description(folder, PARTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": None}, "first: Value error, precision and batch_size are missing"),
        ({"batch_size": None}, "first: Value error, precision and batch_size are missing"),
        ({"precision": "fp8"}, "first: Input should be 'auto', 'fp32' or 'bf16'"),
        ({"batch_size": 0}, "first: Input should be greater than or equal to 1"),
        ({"format": 3}, "first: Input should be 1 or 2"),
    ],
)
def test_a_description_that_does_not_say_how_to_predict_is_damaged(folder, changes, message):
    describe(folder, **changes)

    with pytest.raises(CheckpointError, match=message):
        read_description(folder, PARTS)


@pytest.mark.parametrize(
    "parts",
    [{"backbone": "tiny"}, {**PARTS, "head": "logistic"}, {**PARTS, "survival_network": "tiny"}],
)
def test_a_network_of_other_parts_is_refused(folder, parts):
    with pytest.raises(
        CheckpointError, match=r"holds a network of \{'backbone': 'tiny', 'head': 'cox'\}, but the"
    ):
        read_description(folder, parts)


def test_weights_of_another_shape_are_refused_with_the_first_that_does_not_fit(folder):
    with pytest.raises(
        CheckpointError,
        match=r"does not fit the network: size mismatch for 0.weight.*; was it trained with",
    ):
        load_weights(network(width=4), folder)


def test_weights_that_are_missing_are_named(folder):
    larger = torch.nn.Sequential(*network(), torch.nn.Linear(3, 1))

    with pytest.raises(CheckpointError, match=r'fit the network: Missing key\(s\).* "2.weight"'):
        load_weights(larger, folder)


def test_a_pickle_in_place_of_the_weights_is_not_read(folder):
    torch.save(network().state_dict(), folder / WEIGHTS)

    with pytest.raises(CheckpointError, match="is damaged: its checksum"):
        read_description(folder, PARTS)
    with pytest.raises(CheckpointError, match=r"does not fit the network: .*[Hh]eader"):
        load_weights(network(), folder)
