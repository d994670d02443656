"""The compositions, assembled by core through the installed entry point."""

from __future__ import annotations

import pytest
import torch

from mtsbench.engine.network import assemble
from mtsbench.errors import DataError
from mtsbench.interfaces import Outputs, Targets
from mtsbench.plugins import load_components

NAMES = (
    "deepmts",
    "deepmts-cascade-only",
    "deepmts-dense-alone",
    "deepmts-detached-mask",
    "deepmts-hard-mask",
    "deepmts-no-cascade",
    "deepmts-no-segmentation",
    "joint",
)


@pytest.fixture(scope="module")
def components():
    return load_components(strict=True)


def build(components, name, **options):
    torch.manual_seed(0)
    composition = components.build("model", name, options=options)
    return assemble(composition, components, 2, 1)


def reaches(network, part, outputs):
    """Whether the survival output alone has a gradient in a part of the network."""
    network.zero_grad()
    outputs.survival.sum().backward()
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


@pytest.fixture(scope="module")
def batch():
    torch.manual_seed(1)
    return torch.randn(2, 2, 32, 32, 32), torch.randn(2, 1)


def test_deepmts_has_the_published_number_of_parameters(components):
    network = build(components, "deepmts")

    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trainable == 3_709_672


def test_every_model_of_the_package_is_announced(components):
    announced = [a.component.name for a in components.all("model")]

    assert set(NAMES) <= set(announced)


@pytest.mark.parametrize("name", ["deepmts-segmentation", "deepmts-encoder", "deepmts-cascade"])
def test_a_backbone_is_what_its_facts_say(components, name):
    facts = components.get("backbone", name).component.facts
    smallest = int(facts["each axis"].split(" from ")[1].split()[0])

    backbone = components.build("backbone", name, 2)

    count = sum(parameter.numel() for parameter in backbone.parameters())
    assert facts["parameters"] == f"{count:,} with two image channels"
    assert facts["maps"] == ", ".join(map(str, backbone.channels)) + " channels"
    assert facts["each axis"].startswith(f"a multiple of {backbone.multiple}, ")
    with torch.no_grad():
        maps = backbone.eval()(torch.zeros(1, 2, *[smallest] * 3)).maps
        assert tuple(one.shape[1] for one in maps) == backbone.channels
        with pytest.raises((DataError, RuntimeError)):
            backbone(torch.zeros(1, 2, *[smallest - 1] * 3))


def test_joint_is_deepmts_with_or_without_cascade_and_takes_other_parts(components):
    plain = components.build("model", "joint")
    others = {"survival_network": "deepmts-cascade", "survival_loss": "cox", "head": "cox"}
    changed = components.build("model", "joint", options=others)

    without = components.build("model", "deepmts-no-cascade")
    names = [item.loss.name for item in without.losses]
    assert [item.loss.name for item in plain.losses] == names == ["deepmts-dice", "deepmts-cox"]
    assert (plain.backbone, plain.survival_network) == (without.backbone, None)
    assert plain.training == without.training
    assert changed.survival_network.name == "deepmts-cascade"
    assert changed.head.name == "cox"
    assert [(item.task, item.loss.name) for item in changed.losses] == [
        ("segmentation", "deepmts-dice"),
        ("survival", "cox"),
    ]


def test_every_parameter_of_deepmts_gets_a_finite_gradient(components, batch):
    network = build(components, "deepmts")
    composition = components.build("model", "deepmts")
    losses = [components.build("loss", item.loss.name) for item in composition.losses]
    outputs: Outputs = network(*batch)
    targets = Targets(
        time=torch.tensor([10.0, 20.0]),
        event=torch.tensor([True, False]),
        mask=(torch.rand(2, 1, 32, 32, 32) > 0.9).float(),
    )

    sum(loss(outputs, targets) for loss in losses).backward()

    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_the_survival_loss_flows_through_the_soft_map_into_the_decoder(components, batch):
    network = build(components, "deepmts")

    assert reaches(network, network.backbone.decoder, network(*batch))


@pytest.mark.parametrize("name", ["deepmts-detached-mask", "deepmts-hard-mask"])
def test_a_detached_or_hard_mask_stops_the_survival_gradient(components, batch, name):
    network = build(components, name)

    outputs = network(*batch)

    assert not reaches(network, network.backbone.decoder, outputs)


def test_the_hard_mask_is_zero_or_one_in_the_survival_network(components, batch):
    network = build(components, "deepmts-hard-mask")
    seen = []
    network.survival_network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    network(*batch)

    assert set(seen[0][:, -1].unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(seen[0][:, :2], batch[0])


def test_no_cascade_has_no_survival_network_and_cascade_only_no_encoder_features(components):
    without = build(components, "deepmts-no-cascade")
    alone = build(components, "deepmts-cascade-only")

    assert without.survival_network is None
    assert tuple(without.head.dense) == ("backbone",)
    assert tuple(alone.head.dense) == ("survival_network",)


def test_the_published_recipe_drops_the_rate_at_2500_5000_and_10000_steps(components):
    training = components.build("model", "deepmts").training

    drops = [(epoch * training.steps_per_epoch, rate) for epoch, rate in training.learning_rates]
    assert drops == [(0, 1e-4), (2500, 5e-5), (5000, 1e-5), (10000, 1e-6)]
    assert (training.batch_size, training.balanced, training.patience) == (8, True, 50)
    assert (training.flip, training.rotation, training.mask_threshold) == (0.5, 5.0, 0.2)


def test_the_published_translation_is_an_option(components):
    composition = components.build("model", "deepmts", options={"translation_mode": "choice"})

    assert composition.training.translation_mode == "choice"


def test_the_encoder_alone_is_the_encoder_of_deepmts_without_decoder_and_map(components, batch):
    alone = build(components, "deepmts-no-segmentation")
    whole = build(components, "deepmts-no-cascade")
    shared = alone.backbone.state_dict()

    assert set(shared) < set(whole.backbone.state_dict())
    whole.backbone.load_state_dict(shared, strict=False)
    image, clinical = batch
    alone.eval()
    whole.eval()
    assert alone(image, clinical).tumour_logit is None
    for one, other in zip(alone.backbone(image).maps, whole.backbone(image).maps, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", ["deepmts-no-segmentation", "deepmts-dense-alone"])
def test_a_model_of_survival_alone_trains_all_its_parameters_with_the_cox_loss(
    components, batch, name
):
    network = build(components, name)
    image, clinical = batch

    network(image, clinical).survival.sum().backward()

    assert [item.task for item in components.build("model", name).losses] == ["survival"]
    assert all(parameter.grad is not None for parameter in network.parameters())
