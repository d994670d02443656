"""Options of the parts of a composition, from the command line to the stored key."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component, ModelComponent
from mtsbench.composition import Composition, Part, WeightedLoss
from mtsbench.errors import OptionError
from mtsbench.experiment import Request, resolve
from mtsbench.model_building import build_model, model_maker
from mtsbench.parts import set_options, split_options
from mtsbench.plugins import Components

URL = "https://example.org"
JOINT = Composition(
    backbone=Part(name="net"),
    head=Part(name="curve", options={"dropout": 0.5}),
    losses=(
        WeightedLoss(loss=Part(name="fit"), task="survival", weight=2.0),
        WeightedLoss(loss=Part(name="overlap"), task="segmentation"),
    ),
)


def build_net(channels, *, size: tuple[int, int, int] = (8, 8, 8)):
    return size


def build_curve(
    channels,
    clinical_features,
    *,
    dropout: float = 0.1,
    risk: Literal["mortality", "rmst"] = "mortality",
    cut_points: tuple[float, ...] = (),
):
    return dropout, risk, cut_points


def build_fit(*, memory: int = 0):
    return memory


def build_joint():
    return JOINT


def build_plain():
    return object()


@pytest.fixture
def components(tiny):
    """The tiny dataset and model, a composition, and its parts."""
    made = (
        ("backbone", "net", build_net),
        ("head", "curve", build_curve),
        ("loss", "fit", build_fit),
        ("loss", "overlap", build_fit),
        ("model", "joint", build_joint),
        ("model", "plain", build_plain),
    )
    announced = tuple(
        Announced(
            component=(ModelComponent if kind == "model" else Component)(
                name=name, summary="s", build=build, reference=URL
            ),
            kind=kind,
            distribution="made",
            version="1",
        )
        for kind, name, build in made
    )
    plugin = Plugin(entry_point="made", distribution="made", version="1", announced=announced)
    return Components(plugins=(*tiny.components().plugins, plugin))


def settle(components, **settings):
    request = Request(model="joint", dataset="tiny", preset="demo", settings=settings)
    return resolve(request, components)


def test_a_dot_tells_the_options_of_a_part_from_those_of_the_model():
    own, of_parts = split_options({"dropout": "0", "head.risk": "rmst", "head.dropout": "1"})

    assert own == {"dropout": "0"}
    assert of_parts == {"head": {"risk": "rmst", "dropout": "1"}}


def test_each_part_takes_its_options_and_the_others_stay(components):
    changed, settled = set_options(
        JOINT,
        components,
        {
            "head": {"risk": "rmst", "cut_points": "0,365"},
            "survival_loss": {"memory": "64"},
            "backbone": {"size": "8,16,8"},
        },
    )

    assert changed.head.options == {"dropout": 0.5, "risk": "rmst", "cut_points": (0.0, 365.0)}
    assert changed.backbone.options == {"size": (8, 16, 8)}
    assert [item.loss.options for item in changed.losses] == [{"memory": 64}, {}]
    assert [item.weight for item in changed.losses] == [2.0, 1.0]
    assert settled == {
        "head.risk": "rmst",
        "head.cut_points": (0.0, 365.0),
        "survival_loss.memory": 64,
        "backbone.size": (8, 16, 8),
    }


def test_an_option_of_a_part_is_checked_before_anything_is_trained(components):
    for settings, message in (
        ({"head.risk": "median"}, "'risk' of head 'curve' must be one of 'mortality', 'rmst'"),
        ({"survival_loss.memry": "1"}, r"loss 'fit' has no option 'memry'. Did you mean 'memory'"),
        ({"survival_network.size": "1"}, "options of the survival_network need a model with exa"),
        ({"neck.size": "1"}, "begins with 'neck'; expected one of dataset, .*head, survival_loss"),
    ):
        with pytest.raises(OptionError, match=message):
            settle(components, **settings)


def test_two_losses_of_one_task_cannot_be_told_apart(components):
    twice = replace(JOINT, losses=(*JOINT.losses, *JOINT.losses[:1]))

    with pytest.raises(OptionError, match="this one has fit, fit; options can be set of its back"):
        set_options(twice, components, {"survival_loss": {"memory": "1"}})


def test_a_model_that_is_not_made_of_parts_has_no_options_of_parts(components):
    with pytest.raises(OptionError, match="'plain' is not made of parts, so 'head' has no options"):
        build_model("plain", {"head.risk": "rmst"}, components)


def test_an_option_of_a_part_is_part_of_the_key_and_of_the_record(components):
    plain, changed = settle(components), settle(components, **{"head.cut_points": "0,30"})

    assert plain.method()["options"] == {}
    assert changed.method()["options"] == {"head.cut_points": [0.0, 30.0]}


def test_a_recorded_option_of_a_part_is_taken_up_again(components):
    recorded = settle(components, **{"head.cut_points": "0,30"}).method()["options"]

    model = model_maker("joint", recorded, components, "cpu")()

    assert model.composition.head.options == {"dropout": 0.5, "cut_points": (0.0, 30.0)}


def test_balancing_a_single_task_is_refused_before_anything_is_trained(components, monkeypatch):
    assert settle(components, **{"training.balancing": "two-stage"}).training.gamma == 0.5

    monkeypatch.setattr(f"{__name__}.JOINT", replace(JOINT, losses=JOINT.losses[:1]), raising=True)
    with pytest.raises(
        OptionError, match="two-stage needs a segmentation and a survival loss, but"
    ):
        settle(components, **{"training.balancing": "two-stage"})
