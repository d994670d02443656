from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtsbench.composition import Part, TrainingSettings
from mtsbench.engine.balancing import TaskBalance
from mtsbench.engine.network import BuiltLoss, TotalLoss, assemble, build_losses
from mtsbench.errors import OptionError, PluginError, UnknownComponentError
from mtsbench.interfaces import Outputs, Targets


class Recorder(torch.nn.Module):
    """Stands behind the backbone and keeps what it was shown."""

    def __init__(self, inner) -> None:
        super().__init__()
        self.inner = inner
        self.seen = None

    def forward(self, image):
        self.seen = image
        return self.inner(image)


@pytest.fixture
def cascade(phantom):
    """Builds a network whose survival network sees the tumour map, and its input."""

    def build(mask_link: str = "soft", *, backbone_features: bool = True):
        torch.manual_seed(0)
        composition = phantom.composition(
            survival_network=Part(name="encoder"),
            mask_link=mask_link,
            backbone_features=backbone_features,
        )
        network = assemble(composition, phantom.components(), channels=2, clinical_features=1)
        network.survival_network = Recorder(network.survival_network)
        return network, torch.rand(3, 2, *phantom.SIZE), torch.rand(3, 1)

    return build


def test_a_segmenting_backbone_gives_survival_and_tumour_outputs(phantom):
    network = assemble(phantom.composition(), phantom.components(), 2, 1)

    outputs = network(torch.rand(3, 2, *phantom.SIZE), torch.rand(3, 1))

    assert outputs.survival.shape == (3, 1)
    assert outputs.tumour_logit.shape == (3, 1, *phantom.SIZE)


def test_a_backbone_that_does_not_segment_gives_no_tumour_output(phantom):
    network = assemble(phantom.composition(backbone="encoder"), phantom.components(), 2, 1)

    outputs = network(torch.rand(3, 2, *phantom.SIZE), torch.rand(3, 1))

    assert outputs.survival.shape == (3, 1)
    assert outputs.tumour_logit is None


def test_the_survival_network_sees_the_image_and_behind_it_the_tumour_probability(cascade):
    network, image, clinical = cascade("soft")

    logit = network(image, clinical).tumour_logit

    seen = network.survival_network.seen
    assert torch.equal(seen[:, :2], image)
    torch.testing.assert_close(seen[:, 2:], logit.sigmoid())


def test_a_hard_link_shows_the_thresholded_mask(cascade):
    network, image, clinical = cascade("hard")

    logit = network(image, clinical).tumour_logit

    seen = network.survival_network.seen[:, 2:]
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(seen.bool(), logit > 0)


@pytest.mark.parametrize(("link", "flows"), [("soft", True), ("detached", False), ("hard", False)])
def test_only_a_soft_link_carries_the_survival_gradient_to_the_tumour_map(cascade, link, flows):
    network, image, clinical = cascade(link, backbone_features=False)

    network(image, clinical).survival.sum().backward()

    assert (network.backbone.logit.weight.grad is not None) == flows


def test_the_head_sees_the_groups_the_composition_asks_for(cascade):
    widths = [
        cascade("soft", backbone_features=both)[0].head.linear.in_features for both in (True, False)
    ]

    # Maps of 4 and 8 channels from each network, and one clinical feature.
    assert widths == [2 * (4 + 8) + 1, (4 + 8) + 1]


def test_options_reach_the_part_they_are_meant_for(phantom):
    composition = replace(
        phantom.composition(),
        backbone=Part(name="segmenting", options={"width": 6}),
        head=Part(name="cox", options={"dropout": 0.0}),
    )

    network = assemble(composition, phantom.components(), 2, 1)

    assert network.backbone.channels == (6, 12)
    assert network.head.drop.p == 0.0


def test_a_survival_network_behind_a_backbone_without_tumour_map_is_refused(phantom):
    composition = phantom.composition(backbone="encoder", survival_network=Part(name="segmenting"))

    with pytest.raises(
        PluginError, match=r"backbone 'encoder' gives no tumour map, .* network 'segmenting' needs"
    ):
        assemble(composition, phantom.components(), 2, 1)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("survival_reading", "head 'curves' has survival_curves but no survival_reading; a CurveH"),
        ("learn_baseline", "head 'curves' has survival_curves but no learn_baseline; a CurveHead"),
    ],
)
def test_a_head_whose_curves_would_be_left_out_is_refused(phantom, monkeypatch, missing, message):
    monkeypatch.delattr(phantom.CurveHead, missing)

    with pytest.raises(PluginError, match=message):
        assemble(phantom.composition(head=Part(name="curves")), phantom.components(), 2, 1)


def test_a_head_that_says_another_reading_is_refused(phantom, monkeypatch):
    monkeypatch.setattr(phantom.CurveHead, "survival_reading", "smooth")

    with pytest.raises(PluginError, match="head 'curves' has the survival_reading 'smooth'; it mu"):
        assemble(phantom.composition(head=Part(name="curves")), phantom.components(), 2, 1)


def test_a_head_that_would_see_nothing_is_refused(phantom):
    with pytest.raises(PluginError, match="head 'cox' would see no feature map: the composition"):
        assemble(phantom.composition(backbone_features=False), phantom.components(), 2, 1)


def test_an_unknown_part_is_refused_by_name(phantom):
    composition = replace(phantom.composition(), backbone=Part(name="segmentng"))

    with pytest.raises(UnknownComponentError, match=r"backbone is called 'segmentng'. Did you"):
        assemble(composition, phantom.components(), 2, 1)


def outputs_and_targets() -> tuple[Outputs, Targets]:
    return (
        Outputs(survival=torch.tensor([[2.0], [1.0]], requires_grad=True), tumour_logit=None),
        Targets(time=torch.tensor([1.0, 2.0]), event=torch.tensor([True, False]), mask=None),
    )


def test_the_total_is_the_weighted_sum_and_the_penalty():
    outputs, targets = outputs_and_targets()
    total_loss = TotalLoss(
        {
            "sum": BuiltLoss(loss=lambda out, _: out.survival.sum(), task="survival", weight=2.0),
            "time": BuiltLoss(
                loss=lambda _, target: target.time.sum(), task="segmentation", weight=0.5
            ),
        },
        TaskBalance(TrainingSettings(segmentation_emphasis=4.0)),
    )

    total, parts = total_loss(outputs, targets, penalty=torch.tensor(10.0), epoch=0)

    assert total.item() == 2.0 * 3.0 + 4.0 * 0.5 * 3.0 + 10.0
    assert {name: part.item() for name, part in parts.items()} == {"sum": 3.0, "time": 3.0}
    assert total.requires_grad
    assert not parts["sum"].requires_grad


def test_a_built_loss_keeps_its_task_and_weight(phantom):
    composition = phantom.composition(phantom.loss("cox", 2.0), phantom.loss("dice", 3.0))

    built = build_losses(composition, phantom.components(), phantom.settings()).losses

    assert {name: (one.task, one.weight) for name, one in built.items()} == {
        "cox": ("survival", 2.0),
        "dice": ("segmentation", 3.0),
    }


@pytest.mark.parametrize("rule", ["one-minus-gamma", "uncertainty", "two-stage"])
def test_one_task_alone_cannot_be_balanced(phantom, rule):
    composition = phantom.composition(backbone="encoder")

    with pytest.raises(OptionError, match=f"balancing={rule} needs a segmentation and a survival"):
        build_losses(composition, phantom.components(), phantom.settings(balancing=rule))


def test_the_cut_points_of_a_head_reach_the_outputs(phantom):
    network = assemble(phantom.composition(), phantom.components(), 2, 1)
    image, clinical = torch.zeros(2, 2, 8, 8, 8), torch.zeros(2, 1)
    assert network(image, clinical).time_grid is None

    network.head.register_buffer("time_grid", torch.tensor([0.0, 100.0]))

    assert network(image, clinical).time_grid.tolist() == [0.0, 100.0]


def test_a_loss_with_options_is_built_with_them(phantom):
    composition = phantom.composition(phantom.loss("failing", good_steps=7))

    built = build_losses(composition, phantom.components(), phantom.settings())

    assert built.losses["failing"].loss.left == 7


def test_a_loss_named_twice_is_refused_rather_than_dropped(phantom):
    composition = phantom.composition(
        phantom.loss("cox"), phantom.loss("dice"), phantom.loss("cox")
    )

    with pytest.raises(PluginError, match="the composition names loss 'cox' 2 times; name it once"):
        build_losses(composition, phantom.components(), phantom.settings())


def test_a_map_that_no_loss_trains_is_not_given(phantom):
    alone = phantom.composition(phantom.loss("cox"))
    image, clinical = torch.zeros(1, 2, 8, 8, 8), torch.zeros(1, 1)

    trained = assemble(phantom.composition(), phantom.components(), 2, 1)
    untrained = assemble(alone, phantom.components(), 2, 1)

    assert trained(image, clinical).tumour_logit is not None
    assert untrained(image, clinical).tumour_logit is None
