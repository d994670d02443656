"""The segmentation backbone: size, shapes, probability and error."""

from __future__ import annotations

import pytest
import torch
from mtsbench_deepmts.segmentation import SegmentationBackbone

from mtsbench.errors import DataError


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(0)
    return SegmentationBackbone(2)


def test_the_parameters_are_as_many_as_published(backbone):
    taps = sum(p.numel() for p in backbone.taps.parameters())
    everything = sum(p.numel() for p in backbone.parameters())

    assert taps == 11_284
    assert everything - taps == 2_664_066


def test_taps_and_logit_have_the_declared_shapes_on_a_non_cubic_image(backbone):
    features = backbone(torch.randn(2, 2, 16, 32, 48))

    assert features.tumour_logit.shape == (2, 1, 16, 32, 48)
    assert [tuple(tap.shape[1:]) for tap in features.maps] == [
        (4, 16, 32, 48),
        (8, 8, 16, 24),
        (16, 4, 8, 12),
        (32, 2, 4, 6),
        (64, 1, 2, 3),
    ]
    assert backbone.channels == (4, 8, 16, 32, 64)


def test_the_sigmoid_of_the_logit_is_the_published_softmax_channel(backbone):
    channels = []
    handle = backbone.output.register_forward_hook(lambda *call: channels.append(call[2]))
    backbone.eval()

    with torch.no_grad():
        logit = backbone(torch.randn(1, 2, 16, 16, 16)).tumour_logit
    handle.remove()

    assert torch.allclose(logit.sigmoid(), channels[0].softmax(dim=1)[:, :1], atol=1e-6)


def test_a_case_gives_the_same_output_alone_as_in_a_batch(backbone):
    image = torch.randn(3, 2, 16, 16, 16)
    backbone.eval()

    with torch.no_grad():
        together, alone = backbone(image).tumour_logit[1:2], backbone(image[1:2]).tumour_logit

    # Untrained running averages make the logits thousands large.
    assert (together - alone).abs().max() < 1e-5 * together.abs().max()


def test_a_size_that_cannot_be_halved_four_times_is_refused(backbone):
    with pytest.raises(DataError, match=r"\(16, 24, 16\) voxels.*multiple of 16"):
        backbone(torch.zeros(1, 2, 16, 24, 16))
