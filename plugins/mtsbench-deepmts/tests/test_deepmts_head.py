"""The Cox head: size, penalty, initialisation, groups."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from mtsbench_deepmts.head import CoxHead

from mtsbench.capabilities import gives_curves
from mtsbench.data import Outcomes
from mtsbench.errors import PluginError

BOTH = {"backbone": (4, 8, 16, 32, 64), "survival_network": (16, 32, 64)}


def build(channels=BOTH, clinical_features=1):
    torch.manual_seed(0)
    return CoxHead(channels, clinical_features, hidden=64, dropout=0.5, l2=0.1)


def maps(channels=BOTH, batch=3):
    torch.manual_seed(1)
    return {
        group: [torch.randn(batch, width, 2, 3, 4) for width in widths]
        for group, widths in channels.items()
    }


def test_the_parameters_are_as_many_as_published():
    assert sum(p.numel() for p in build().parameters()) == 15_362


def test_the_penalty_is_a_tenth_of_the_squared_kernels_without_biases():
    head = build()
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            parameter.fill_(100.0 if name.endswith("bias") else 2.0)

    kernels = 124 * 64 + 112 * 64 + 129
    assert head.penalty().item() == pytest.approx(0.1 * 4 * kernels)


def test_kernels_start_glorot_uniform_with_zero_bias():
    layer = build().dense["backbone"]

    bound = math.sqrt(6 / (124 + 64))
    assert 0.98 * bound < layer.weight.abs().max() <= bound
    assert (layer.bias == 0).all()


def test_permuting_the_cases_permutes_the_risks():
    head, features, clinical = build().eval(), maps(), torch.tensor([[0.1], [0.5], [0.9]])
    order = torch.tensor([2, 0, 1])

    risk = head.risk(head(features, clinical))

    shuffled = {group: [level[order] for level in levels] for group, levels in features.items()}
    assert torch.allclose(head.risk(head(shuffled, clinical[order])), risk[order])
    assert risk.shape == (3,)


def test_with_two_groups_the_clinical_value_enters_at_the_last_layer():
    head, features = build().eval(), maps()
    zero, one = torch.zeros(3, 1), torch.ones(3, 1)

    difference = head(features, one) - head(features, zero)

    assert torch.allclose(difference, head.output.weight[:, -1:].expand(3, 1), atol=1e-6)


@pytest.mark.parametrize("group", ["backbone", "survival_network"])
def test_one_group_takes_the_clinical_value_before_the_dense_layer(group):
    channels = {group: BOTH[group]}
    head = build(channels)

    assert head.dense[group].in_features == sum(BOTH[group]) + 1
    assert head(maps(channels), torch.zeros(3, 1)).shape == (3, 1)


def test_no_clinical_feature_is_needed():
    head = build(clinical_features=0)

    assert head(maps(), torch.zeros(3, 0)).shape == (3, 1)


def test_dropout_hits_the_clinical_value_too():
    head, features = build().train(), maps(batch=400)
    with torch.no_grad():
        head.output.weight.zero_()
        head.output.weight[:, -1] = 1

    out = head(features, torch.ones(400, 1)) - head.output.bias

    dropped = (out == 0).float().mean().item()
    assert 0.4 < dropped < 0.6
    assert out.max().item() == pytest.approx(2.0)


def test_maps_of_other_groups_are_refused():
    with pytest.raises(PluginError, match="built for maps of backbone, survival_network, got bac"):
        build()({"backbone": maps()["backbone"]}, torch.zeros(3, 1))


def test_the_head_gives_survival_curves_from_the_baseline_of_the_training_cases():
    head = build({"backbone": (4,)}, 0)
    outcomes = Outcomes(
        endpoint="pfs",
        case_ids=("a", "b", "c"),
        time=np.array([100.0, 200.0, 300.0]),
        event=np.array([True, True, False]),
    )
    head.learn_outcomes(outcomes)
    head.learn_baseline(torch.zeros(3, 1), outcomes)

    curves = head.survival_curves(torch.tensor([[0.0], [1.0]]))

    assert gives_curves(head)
    assert head.survival_time[[0, -1]].tolist() == [0.0, 300.0]
    # Nelson-Aalen of equal risks: 1/3 at day 100, 1/2 at day 200.
    assert float(curves[0, -1]) == pytest.approx(np.exp(-5 / 6))
    assert float(curves[1, -1]) == pytest.approx(np.exp(-5 / 6 * np.e))
