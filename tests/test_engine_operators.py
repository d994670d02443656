"""Counted work against numbers that can be worked out by hand."""

from __future__ import annotations

import torch
from torch import nn

from mtsbench.engine.operators import count_work, measure_ceilings, wait_for


def test_a_matrix_product_has_its_arithmetic_and_its_traffic():
    left, right = torch.ones(30, 40), torch.ones(40, 50)

    work = count_work(lambda: left @ right)

    assert work.flops == 2 * 30 * 40 * 50
    assert work.bytes == 4 * (30 * 40 + 40 * 50 + 30 * 50)


def test_a_view_moves_nothing_and_a_copy_moves_both_sides():
    values = torch.ones(10, 20)

    assert count_work(lambda: values.view(200)).bytes == 0
    assert count_work(lambda: values.clone()).bytes == 2 * 4 * 200


def test_the_backward_pass_of_a_convolution_is_twice_the_forward():
    layer = nn.Conv3d(4, 8, 3, padding=1)
    image = torch.ones(2, 4, 6, 6, 6, requires_grad=True)
    forward = count_work(lambda: layer(image)).flops

    both = count_work(lambda: layer(image).sum().backward()).flops

    assert forward == 2 * 2 * 6**3 * 8 * 4 * 27
    assert both == 3 * forward


def test_ceilings_are_rates_a_machine_can_have():
    found = measure_ceilings("cpu")

    assert 1e8 < found.bandwidth < 1e13
    assert 1e8 < found.matrix_rate < 1e15
    wait_for("cpu")
