"""One broken backbone for each check, and the check that names its fault."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mtsbench.interfaces import Features
from mtsbench.testing import BackboneContract, BrokenPromise


class RightBackbone(nn.Module):
    """Two maps and a tumour map of any size; right in every way."""

    multiple = 1
    segments = True
    channels = (4, 6)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fine = nn.Conv3d(channels, 4, 3, padding=1)
        self.norm = nn.BatchNorm3d(4)
        self.coarse = nn.Conv3d(4, 6, 3, stride=2, padding=1)
        self.logit = nn.Conv3d(4, 1, 1)

    def forward(self, image):
        fine = self.norm(self.fine(image)).relu()
        return Features(maps=(fine, self.coarse(fine)), tumour_logit=self.logit(fine))


class OtherChannels(RightBackbone):
    channels = (4, 8)


class SilentAboutTheTumour(RightBackbone):
    segments = False


class CoarseTumour(RightBackbone):
    def forward(self, image):
        given = super().forward(image)
        return Features(maps=given.maps, tumour_logit=given.tumour_logit[..., ::2])


class BatchStatistics(RightBackbone):
    def __init__(self, channels):
        super().__init__(channels)
        self.norm = nn.BatchNorm3d(4, track_running_stats=False)


class AlwaysDrops(RightBackbone):
    def forward(self, image):
        return super().forward(nn.functional.dropout(image, 0.5, training=True))


class Unused(RightBackbone):
    def __init__(self, channels):
        super().__init__(channels)
        self.spare = nn.Conv3d(2, 2, 1)


class WithoutGradient(RightBackbone):
    def forward(self, image):
        with torch.no_grad():
            return super().forward(image)


class InfiniteGradient(RightBackbone):
    def forward(self, image):
        given = super().forward(image)
        return Features(
            maps=tuple((one * 0).sqrt() for one in given.maps), tumour_logit=given.tumour_logit
        )


class Forgetful(RightBackbone):
    def __init__(self, channels):
        super().__init__(channels)
        self.scale = float(torch.rand(()))

    def forward(self, image):
        return super().forward(image * self.scale)


class GrowsInUse(RightBackbone):
    def forward(self, image):
        if self.training:
            self.register_buffer("seen", torch.ones(1))
        return super().forward(image)


class DrawsFromNumpy(RightBackbone):
    def __init__(self, channels):
        super().__init__(channels)
        with torch.no_grad():
            self.logit.bias.fill_(np.random.default_rng().normal())


class CubesOnly(RightBackbone):
    def forward(self, image):
        if len(set(image.shape[2:])) > 1:
            raise RuntimeError("sizes of tensors must match")
        return super().forward(image)


class EvenOnly(RightBackbone):
    def forward(self, image):
        given = super().forward(image)
        size = [count // 2 * 2 for count in image.shape[2:]]
        return Features(
            maps=given.maps, tumour_logit=given.tumour_logit[:, :, : size[0], : size[1], : size[2]]
        )


class Standardised(RightBackbone):
    def forward(self, image):
        return super().forward(
            (image - image.mean()) / image.flatten(1).std(1)[:, None, None, None, None]
        )


class TwoChannelsOnly(RightBackbone):
    def __init__(self, channels):
        super().__init__(2)


class InPlace(RightBackbone):
    def forward(self, image):
        return super().forward(image.clamp_(min=0))


class GivesTuple(RightBackbone):
    def forward(self, image):
        return super().forward(image).maps


class Picky(RightBackbone):
    """Takes images from 20 voxels on and says so."""

    smallest_side = 20

    def forward(self, image):
        if min(image.shape[2:]) < 20:
            raise RuntimeError("kernel size is larger than the image")
        return super().forward(image)


class PickierThanItSays(Picky):
    smallest_side = 18


class OneSizeOnly(RightBackbone):
    only_size = (16, 24, 20)

    def forward(self, image):
        if tuple(image.shape[2:]) != self.only_size:
            raise RuntimeError("the position embedding is of another size")
        return super().forward(image)


class Empty(nn.Module):
    multiple, segments, channels = 1, False, ()

    def forward(self, image):
        return Features(maps=())


FAULTS = [
    ("the_maps_are_those_declared", OtherChannels, r"of \(4, 8\) channels, gives \(4, 6\)"),
    ("the_maps_are_those_declared", GivesTuple, r"mtsbench\.interfaces\.Features, got tuple"),
    ("the_tumour_map_is_there_as_declared", SilentAboutTheTumour, "segments = False"),
    ("the_tumour_map_is_there_as_declared", CoarseTumour, r"got \(2, 1, 16, 16, 8\)"),
    ("one_case_equals_a_batch", BatchStatistics, "a case alone and in a batch"),
    ("evaluation_is_repeatable", AlwaysDrops, "two evaluations of one image differ"),
    ("every_parameter_gets_a_gradient", Unused, r"2 of 10 parameters get no gradient.*spare"),
    ("every_parameter_gets_a_gradient", WithoutGradient, "no output has a gradient"),
    ("every_parameter_gets_a_gradient", InfiniteGradient, "is nan or inf"),
    ("the_state_fits_a_new_build", Forgetful, "the same weights gives other maps"),
    ("the_state_fits_a_new_build", GrowsInUse, "does not fit the next"),
    ("the_seed_decides_the_initial_weights", DrawsFromNumpy, "two builds after the same torch"),
    ("sides_may_differ", CubesOnly, r"an image of \(16, 17, 18\) voxels fails though"),
    ("an_odd_size_works_or_is_declared", EvenOnly, "a tumour map of another size"),
    ("sides_may_differ", PickierThanItSays, r"an image of \(18, 19, 20\) voxels fails though"),
    ("extreme_images_are_finite", Standardised, "an image of voxels zero gives maps with nan"),
    ("any_number_of_image_channels_can_be_asked_for", TwoChannelsOnly, "built for 1 channels"),
    ("the_image_is_left_as_it_is", InPlace, "the backbone changed its image"),
]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(BackboneContract, lambda channels: fault(channels))

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def test_a_right_backbone_keeps_every_promise(contract_of, verdicts):
    found = verdicts(contract_of(BackboneContract, lambda channels: RightBackbone(channels)))

    assert {status for status, _ in found.values()} == {"kept"}, found


def test_a_declared_multiple_spares_the_odd_size(contract_of, verdicts, phantom):
    found = verdicts(contract_of(BackboneContract, phantom.build_coarse))

    assert {name: one for name, one in found.items() if one[0] != "kept"} == {
        "an_odd_size_works_or_is_declared": (
            "not applicable",
            "the backbone declares multiple = 8, so core gives it no other size",
        )
    }


def test_a_declared_smallest_side_is_where_the_checks_begin(contract_of, verdicts):
    found = verdicts(contract_of(BackboneContract, lambda channels: Picky(channels)))

    assert {status for status, _ in found.values()} == {"kept"}, found


def test_a_backbone_of_one_size_is_given_that_size_alone(contract_of, verdicts):
    found = verdicts(contract_of(BackboneContract, lambda channels: OneSizeOnly(channels)))

    reason = "the backbone declares only_size = (16, 24, 20)"
    assert {name: one for name, one in found.items() if one[0] != "kept"} == {
        "sides_may_differ": ("not applicable", reason),
        "an_odd_size_works_or_is_declared": ("not applicable", reason),
    }


def test_a_backbone_without_maps_has_nothing_to_train(contract_of, verdicts):
    found = verdicts(contract_of(BackboneContract, lambda channels: Empty()))

    assert {status for status, _ in found.values()} == {"kept"}, found


def test_a_backbone_that_is_no_module_is_refused(contract_of):
    with pytest.raises(BrokenPromise, match=r"must be a torch\.nn\.Module, got <class 'list'>"):
        contract_of(BackboneContract, lambda channels: [])().test_evaluation_is_repeatable()
