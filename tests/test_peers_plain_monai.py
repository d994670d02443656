"""The plain MONAI loop: a fair peer trains the same network on the same data."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "peers"


@pytest.fixture(scope="module")
def plain():
    pytest.importorskip("mtsbench_deepmts")
    pytest.importorskip("mtsbench_cohorts")
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module("plain_monai")
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def part(plain, tmp_path_factory):
    from mtsbench.benchmark import training_part
    from mtsbench.plugins import load_components

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_part, "CASES", 12)
        return training_part.prepare(
            plain.MODEL,
            load_components(),
            tmp_path_factory.mktemp("cache"),
            voxels=32,
            device="cpu",
            batch=2,
        )


@pytest.fixture
def still(part):
    """Settings that move nothing."""
    from dataclasses import replace

    return replace(part.context.training, rotation=0.0, translation=0.0, flip=0.0)


def test_without_movement_the_transforms_give_the_prepared_case(plain, part, still, tmp_path):
    listed = plain.write_cases(part.cohort, tmp_path / "cases")

    found = plain.transforms(part.cohort, still)(listed[1])

    case = part.cohort.cohort[1]
    assert np.abs(found["image"].numpy() - case.image).max() < 1e-3
    assert (found["mask"].numpy() == case.mask).all()
    assert found["event"] == part.cohort.outcomes.event[1]


def test_the_peer_s_transforms_move_by_the_ranges_of_the_recipe(plain, part, tmp_path):
    listed = plain.write_cases(part.cohort, tmp_path / "cases")
    settings = part.context.training
    chain = plain.transforms(part.cohort, settings)
    chain.set_random_state(1)

    moved = [chain(listed[0])["mask"].numpy()[0] for _ in range(12)]

    mask = part.cohort.cohort[0].mask[0]
    axis = np.arange(mask.shape[0]) * part.cohort.cohort[0].grid.spacing[0]

    def centre(of):
        return float((of.sum((1, 2)) * axis).sum() / of.sum())

    shifts = [centre(one) - centre(mask) for one in moved]
    assert max(map(abs, shifts)) > settings.translation / 4
    # A turn by 5 degrees moves what lies 40 mm from the middle by 3.5 mm more.
    assert max(map(abs, shifts)) < settings.translation + 10


def test_batches_are_balanced_and_as_many_as_the_epoch_has_steps(plain, part):
    batches = plain.BalancedBatches(part.cohort, part.context.training)
    batches.steps = 3

    drawn = list(batches)

    assert len(drawn) == len(batches) == 3
    assert all(part.cohort.outcomes.event[rows].sum() == 1 for rows in drawn)


def test_both_begin_with_the_same_weights_and_get_the_same_loss(plain, part):
    import torch

    from mtsbench.engine.batches import read_targets
    from mtsbench.engine.precision import place
    from mtsbench.engine.sources import StreamedCohort

    (first, losses), (second, _) = plain.new_network(part), plain.new_network(part)
    place(second, "cpu")
    batch = StreamedCohort(part.cohort.cohort, "cpu").batch([0, 1])
    targets = read_targets(part.cohort, np.array([0, 1]), batch)
    found = []
    for network in (first.eval(), second.eval()):
        with torch.inference_mode():
            outputs = network(batch.image, batch.clinical)
            found.append(losses(outputs, targets, network.head.penalty(), 0)[0].item())

    assert found[0] == pytest.approx(found[1], rel=1e-4)


@pytest.mark.parametrize("cached", [False, True])
def test_the_peer_trains(plain, part, tmp_path, cached):
    import torch

    peer = plain.Peer(part, tmp_path / "peer", workers=0, cached=cached)
    before = torch.cat([one.detach().flatten().clone() for one in peer.network.parameters()])

    loss = peer.epoch(1, plain.Clock("cpu", on=False))

    after = torch.cat([one.detach().flatten() for one in peer.network.parameters()])
    assert np.isfinite(loss)
    assert not torch.equal(before, after)


def test_everything_is_measured_with_workers_and_printed(plain, monkeypatch):
    from mtsbench.benchmark import training_part

    monkeypatch.setattr(training_part, "CASES", 12)
    monkeypatch.setattr(plain, "BATCH", 2)

    found = plain.measure("cpu", 32, steps=1, repeats=2, workers=1, names=["plain"])

    assert set(found["epoch_seconds"]) == {"plain", "mtsbench"}
    plain_epochs, ours = found["epoch_seconds"]["plain"], found["epoch_seconds"]["mtsbench"]
    assert found["ratios"]["plain"] == pytest.approx(
        [a / b for a, b in zip(plain_epochs, ours, strict=True)]
    )
    assert {"data and augmentation", "forward", "backward"} <= set(found["step_parts"]["plain"])
    assert "augmentation" in found["step_parts"]["mtsbench"]
    assert found["transforms_of_a_case"]["RandAffined"] > 0
    text = "\n".join(plain.table(found))
    assert "times as fast as plain" in text
