"""Compilation, checkpointing, precision: what they may change, and what not."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pytest
import torch

from mtsbench.engine.batches import Batch
from mtsbench.engine.compute import adam, checkpoint_blocks, compiled
from mtsbench.engine.network import assemble, build_losses
from mtsbench.engine.step import TrainingStep
from mtsbench.errors import OptionError
from mtsbench.interfaces import Targets


def make_network(phantom):
    torch.manual_seed(3)
    # Dropout must be drawn alike in both computations of a checkpointed block.
    return assemble(phantom.composition(), phantom.components(), 2, 1).train()


def images(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(4)
    return torch.randn(count, 2, 8, 12, 16), torch.randn(count, 1)


def gradients(network, forward=None) -> dict[str, torch.Tensor]:
    torch.manual_seed(5)
    outputs = (forward or network)(*images())
    (outputs.survival.sum() + outputs.tumour_logit.square().mean()).backward()
    return {name: one.grad for name, one in network.named_parameters()}


def steps(phantom, count: int, **changes) -> list[float]:
    settings = phantom.settings(**changes)
    network = make_network(phantom)
    losses = build_losses(phantom.composition(), phantom.components(), settings)
    context = phantom.context(settings)
    step = TrainingStep(network, losses, phantom.patients(18), context, np.random.default_rng(0))
    return [float(step(0)["loss"]) for _ in range(count)]


def test_checkpointed_blocks_give_the_same_gradients_and_running_statistics(phantom):
    plain, saving = make_network(phantom), make_network(phantom)
    checkpoint_blocks(saving)

    expected, found = gradients(plain), gradients(saving)

    assert all(torch.equal(expected[name], found[name]) for name in expected)
    state = saving.state_dict()
    assert all(torch.equal(one, state[name]) for name, one in plain.state_dict().items())


def test_checkpointed_blocks_keep_fewer_activations(phantom):
    def kept(network) -> int:
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda one: sizes.append(one.numel()) or one, lambda one: one
        ):
            network(*images())
        return sum(sizes)

    plain, saving = make_network(phantom), make_network(phantom)
    checkpoint_blocks(saving)

    assert kept(saving) < 0.7 * kept(plain)


def test_a_checkpointed_training_is_the_same_training(phantom):
    assert steps(phantom, 4, checkpointing=True) == steps(phantom, 4)


def test_a_failing_compiler_is_named_and_training_goes_on(phantom, monkeypatch, caplog):
    def broken(network, mode):
        def fail(*inputs):
            raise RuntimeError("no C++ compiler found\nlong story")

        return fail

    monkeypatch.setattr(torch, "compile", broken)

    with caplog.at_level(logging.WARNING):
        found = steps(phantom, 3, compilation="on")

    assert found == steps(phantom, 3)
    assert [one.getMessage() for one in caplog.records] == [
        "torch.compile failed (RuntimeError: no C++ compiler found); training goes on without it"
    ]


def test_what_was_compiled_is_used(phantom, monkeypatch):
    calls = []

    def wrap(network, mode):
        def run(*inputs):
            calls.append(mode)
            return network(*inputs)

        return run

    monkeypatch.setattr(torch, "compile", wrap)

    assert steps(phantom, 2, compilation="on") == steps(phantom, 2)
    assert calls == ["default"] * 2


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the compiler's own
def test_a_compiled_network_gives_the_same_within_rounding(phantom, caplog, monkeypatch):
    # The compiler looks its modules up by name; the fixture does not register this one.
    monkeypatch.setitem(sys.modules, phantom.__name__, phantom)
    network = make_network(phantom).eval()
    expected = network(*images())

    with caplog.at_level(logging.WARNING, logger="mtsbench"):
        found = compiled(network, "on", "cpu")(*images())

    assert not [
        one for one in caplog.records if one.name.startswith("mtsbench")
    ]  # nothing fell back
    torch.testing.assert_close(found.survival, expected.survival, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.tumour_logit, expected.tumour_logit, rtol=1e-4, atol=1e-5)


def test_cuda_graphs_need_cuda(phantom):
    with pytest.raises(
        OptionError, match=r"training\.compilation=graphs needs a CUDA device, got 'cpu'; use on"
    ):
        compiled(make_network(phantom), "graphs", "cpu")


def test_adam_on_a_cpu_is_the_plain_one():
    optimiser = adam([torch.nn.Parameter(torch.ones(1))], 0.5, "cpu")

    assert optimiser.defaults["fused"] is None
    assert optimiser.defaults["eps"] == 1e-7
    assert optimiser.defaults["lr"] == 0.5


def test_bf16_trains_to_the_same_loss_within_two_percent(phantom):
    full = np.array(steps(phantom, 200, precision="fp32", batch_size=6))
    half = np.array(steps(phantom, 200, precision="bf16", batch_size=6))

    assert not np.array_equal(full, half)  # it was computed otherwise
    start, end = full[:20].mean(), full[-50:].mean()
    assert end < 0.8 * start  # something was learnt
    assert half[-50:].mean() == pytest.approx(end, abs=0.02 * start)
    assert np.abs(half - full).max() < 0.25 * start


def test_a_step_never_waits_for_a_number_from_the_device(phantom):
    """A fake tensor has no numbers: asking for one, as `item` or `if` do, raises."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    network = make_network(phantom)
    losses = build_losses(phantom.composition(), phantom.components(), phantom.settings())
    with FakeTensorMode(allow_non_fake_inputs=True):
        image, clinical = torch.empty(4, 2, 8, 12, 16), torch.empty(4, 1)
        batch = Batch(image=image, clinical=clinical, mask=torch.empty(4, 1, 8, 12, 16))
        targets = Targets(
            time=torch.empty(4), event=torch.empty(4, dtype=torch.bool), mask=batch.mask
        )
        total, _ = losses(network(image, clinical), targets, network.head.penalty(), 0)
        total.backward()
        adam(network.parameters(), 1e-3, "cpu").step()
