"""MONAI's losses through the contract of mtsbench."""

from __future__ import annotations

import pytest
import torch

from mtsbench.errors import DataError, PluginError
from mtsbench.interfaces import Outputs, Targets
from mtsbench.plugins import load_components

COMPONENTS = load_components()
every_loss = pytest.mark.parametrize("name", ["dice-ce", "dice-focal", "tversky"])


def value(name, logit, mask, **options):
    loss = COMPONENTS.build("loss", name, options=options)
    outputs = Outputs(survival=torch.zeros(len(mask), 1), tumour_logit=logit)
    return loss(outputs, Targets(time=torch.ones(1), event=torch.ones(1).bool(), mask=mask))


def ball():
    mask = torch.zeros(2, 1, 6, 8, 10)
    mask[:, :, 2:4, 3:6, 4:8] = 1
    return mask


@every_loss
def test_a_perfect_map_has_no_loss_and_a_wrong_one_has_much(name):
    mask = ball()

    perfect = value(name, (2 * mask - 1) * 50, mask)
    wrong = value(name, (1 - 2 * mask) * 50, mask)

    assert perfect.item() == pytest.approx(0.0, abs=1e-4)
    assert wrong.item() > 0.9


@every_loss
@pytest.mark.parametrize("size", [50.0, -50.0])
@pytest.mark.parametrize("filled", [0.0, 1.0])
def test_a_loss_is_finite_for_empty_and_full_masks(name, size, filled):
    logit = torch.full((2, 1, 4, 4, 4), size, requires_grad=True)

    found = value(name, logit, torch.full((2, 1, 4, 4, 4), filled))
    found.backward()

    assert torch.isfinite(found)
    assert torch.isfinite(logit.grad).all()


@every_loss
def test_the_order_of_the_cases_does_not_matter(name):
    torch.manual_seed(0)
    logit, mask = torch.randn(3, 1, 4, 5, 6), (torch.rand(3, 1, 4, 5, 6) > 0.7).float()
    order = [2, 0, 1]

    torch.testing.assert_close(
        value(name, logit, mask), value(name, logit[order], mask[order]), rtol=1e-5, atol=1e-6
    )


def test_dice_ce_is_dice_plus_cross_entropy():
    torch.manual_seed(1)
    logit, mask = torch.randn(1, 1, 4, 5, 6), (torch.rand(1, 1, 4, 5, 6) > 0.7).float()
    probability = logit.sigmoid()
    dice = 1 - (2 * (probability * mask).sum() + 1e-5) / (probability.sum() + mask.sum() + 1e-5)
    entropy = torch.nn.functional.binary_cross_entropy(probability, mask)

    assert value("dice-ce", logit, mask, ce_weight=0.5).item() == pytest.approx(
        (dice + 0.5 * entropy).item(), rel=1e-4
    )


def test_dice_focal_is_dice_plus_cross_entropy_weighed_by_the_error():
    torch.manual_seed(1)
    logit, mask = torch.randn(1, 1, 4, 5, 6), (torch.rand(1, 1, 4, 5, 6) > 0.7).float()
    probability = logit.sigmoid()
    dice = 1 - (2 * (probability * mask).sum() + 1e-5) / (probability.sum() + mask.sum() + 1e-5)
    of_the_truth = torch.where(mask > 0, probability, 1 - probability)
    focal = (-((1 - of_the_truth) ** 3) * of_the_truth.log()).mean()

    assert value("dice-focal", logit, mask, gamma=3.0, focal_weight=0.5).item() == pytest.approx(
        (dice + 0.5 * focal).item(), rel=1e-4
    )


def test_tversky_weighs_missed_voxels_as_it_is_told():
    mask = ball()
    missed = torch.full_like(mask, -50.0)
    missed[:, :, 2:3] = torch.where(mask[:, :, 2:3] > 0, 50.0, -50.0)  # half of the tumour
    found = {
        weight: value("tversky", missed, mask, false_positive=0.5, false_negative=weight).item()
        for weight in (0.2, 0.8)
    }

    # 1 - TP / (TP + beta FN) with TP = FN.
    assert found[0.2] == pytest.approx(1 - 1 / 1.2, abs=1e-3)
    assert found[0.8] == pytest.approx(1 - 1 / 1.8, abs=1e-3)


@every_loss
def test_a_network_without_map_or_a_cohort_without_masks_is_refused(name):
    with pytest.raises(PluginError, match=f"{name} needs a backbone that segments"):
        value(name, None, ball())
    outputs = Outputs(survival=torch.zeros(2, 1), tumour_logit=ball())
    with pytest.raises(DataError, match=f"{name} needs masks of the training cases"):
        COMPONENTS.build("loss", name)(
            outputs, Targets(time=torch.ones(2), event=torch.ones(2).bool(), mask=None)
        )
