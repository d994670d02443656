from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtsbench.engine.inference import infer
from mtsbench.engine.network import assemble
from mtsbench.interfaces import Outputs


@pytest.fixture
def network(phantom):
    torch.manual_seed(0)
    return assemble(phantom.composition(), phantom.components(), 2, 1)


class DoubledHead(torch.nn.Module):
    def risk(self, survival):
        return 2 * survival[:, 0]


class Oracle(torch.nn.Module):
    """Reads the risk off the clinical value, and tumour where the first channel is above 1.5."""

    def __init__(self) -> None:
        super().__init__()
        self.head = DoubledHead()

    def forward(self, image, clinical):
        return Outputs(survival=clinical, tumour_logit=image[:, :1] - 1.5)


def test_every_case_has_its_own_risk_in_the_order_of_the_cohort(phantom):
    cohort = phantom.patients(5).cohort

    found = infer(Oracle(), cohort, "cpu", batch_size=2)

    assert found.risk.dtype == np.float64
    expected = [2 * float(cohort[row].clinical[0]) for row in range(5)]
    np.testing.assert_allclose(found.risk, expected, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_predictions_do_not_depend_on_the_batch(phantom, network, batch_size):
    cohort = phantom.patients(7).cohort

    whole = infer(network, cohort, "cpu", 7, in_full=True)
    parts = infer(network, cohort, "cpu", batch_size, in_full=True)

    np.testing.assert_allclose(parts.risk, whole.risk, atol=1e-6)
    for one, other in zip(parts.tumour_probability, whole.tumour_probability, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert parts.dice == pytest.approx(whole.dice)


def test_the_tumour_probability_is_kept_only_if_asked_for(phantom, network):
    cohort = phantom.patients(3).cohort

    kept = infer(network, cohort, "cpu", 2, in_full=True).tumour_probability

    assert infer(network, cohort, "cpu", 2).tumour_probability is None
    assert [one.shape for one in kept] == [phantom.SIZE] * 3
    assert all(one.dtype == np.float32 for one in kept)
    assert all(((one >= 0) & (one <= 1)).all() for one in kept)


def test_a_network_that_does_not_segment_has_no_probability_and_no_dice(phantom):
    network = assemble(phantom.composition(backbone="encoder"), phantom.components(), 2, 1)

    found = infer(network, phantom.patients(3).cohort, "cpu", 2, in_full=True)

    assert found.tumour_probability is None
    assert found.dice == (None, None, None)


def test_dice_is_computed_on_the_common_grid(phantom):
    cohort = phantom.patients(4).cohort

    found = infer(Oracle(), cohort, "cpu", 3)

    for row, dice in enumerate(found.dice):
        predicted, mask = cohort[row].image[0] > 1.5, cohort[row].mask[0] > 0
        overlap = (predicted & mask).sum()
        assert dice == pytest.approx(2 * overlap / (predicted.sum() + mask.sum()))
        assert dice > 0.9


def test_a_case_without_tumour_has_no_dice(phantom):
    patients = phantom.patients(3).cohort

    def read(case_id):
        case = patients.read(case_id)
        empty = np.zeros_like(case.mask) if case_id == "P0-01" else case.mask
        return replace(case, mask=empty)

    found = infer(Oracle(), replace(patients, read=read), "cpu", 3)

    assert [dice is None for dice in found.dice] == [False, True, False]


def test_a_cohort_that_withholds_its_masks_has_no_dice(phantom):
    found = infer(Oracle(), phantom.patients(5, masks=False).cohort, "cpu", 2)

    assert found.dice == (None,) * 5


def test_inference_switches_dropout_and_batch_statistics_off(phantom, network):
    cohort = phantom.patients(4).cohort
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}

    first, second = (infer(network, cohort, "cpu", 2).risk for _ in range(2))

    np.testing.assert_array_equal(first, second)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not network.training
