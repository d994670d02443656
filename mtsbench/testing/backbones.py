"""What a backbone promises: the declared feature maps of each case, whatever its batch."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from mtsbench.capabilities import has_one_size
from mtsbench.engine.determinism import seeded
from mtsbench.engine.image_size import least_side, side_for
from mtsbench.interfaces import Backbone, Features
from mtsbench.testing.contract import Contract, NotApplicable, ensure
from mtsbench.testing.networks import (
    all_finite,
    check_gradients,
    check_state,
    one_line,
    same,
)

CHANNELS = 2
LEAST_SIZE = 16
EXTREME = 50.0


class BackboneContract(Contract):
    """Checks of one backbone, on two images of random numbers with at least 16 voxels a side."""

    kind = "backbone"

    def test_the_maps_are_those_declared(self) -> None:
        """As many maps as `channels` says, each with its number of channels."""
        backbone = self._backbone()
        maps = self._features(backbone, self._image(backbone)).maps
        found = tuple(one.shape[1] if one.ndim == 5 else None for one in maps)

        ensure(
            found == tuple(backbone.channels),
            f"declares maps of {tuple(backbone.channels)} channels, gives {found}; maps have shape "
            "(B, C, D, H, W)",
        )

    def test_the_tumour_map_is_there_as_declared(self) -> None:
        """A backbone that segments gives one logit per voxel, another gives none."""
        backbone = self._backbone()
        image = self._image(backbone)
        logit = self._features(backbone, image).tumour_logit
        expected = (len(image), 1, *image.shape[2:]) if backbone.segments else None
        found = None if logit is None else tuple(logit.shape)

        ensure(
            found == expected,
            f"declares segments = {backbone.segments}, so tumour_logit must have shape {expected}, "
            f"got {found}",
        )

    def test_one_case_equals_a_batch(self) -> None:
        """When evaluated, what a case gets does not depend on the cases beside it."""
        backbone = self._backbone().eval()
        image = self._image(backbone)
        together = [one[:1] for one in self._given(backbone, image)]

        ensure(
            same(self._given(backbone, image[:1]), together),
            "a case alone and in a batch gets different maps in evaluation mode; normalise with "
            "learnt statistics or within a case",
        )

    def test_evaluation_is_repeatable(self) -> None:
        """The same image gives the same maps twice in evaluation mode."""
        backbone = self._backbone().eval()
        image = self._image(backbone)

        ensure(
            same(self._given(backbone, image), self._given(backbone, image)),
            "two evaluations of one image differ; switch noise and dropout off in eval()",
        )

    def test_every_parameter_gets_a_gradient(self) -> None:
        """Maps and tumour map together train every weight."""
        backbone = self._backbone().train()
        with seeded(0, "cpu"):
            check_gradients(backbone, self._given(backbone, self._image(backbone)))

    def test_the_state_fits_a_new_build(self) -> None:
        """A second build takes the weights of the first and gives the same maps."""
        first, second = self._backbone(seed=0), self._backbone(seed=1)
        with torch.no_grad():
            self._given(first.train(), self._image(first))
        check_state(first, second)
        image = self._image(first)

        ensure(
            same(self._given(first.eval(), image), self._given(second.eval(), image)),
            "a second build with the same weights gives other maps; register what is learnt as "
            "parameter or buffer",
        )

    def test_the_seed_decides_the_initial_weights(self) -> None:
        """Two builds after the same torch seed are equal."""
        first, second = (self._backbone(seed=3).state_dict() for _ in range(2))

        ensure(
            all(torch.equal(first[name], second[name]) for name in first),
            "two builds after the same torch.manual_seed differ; draw from torch's generator only",
        )

    def test_sides_may_differ(self) -> None:
        """Images whose sides are different multiples of `multiple` work."""
        backbone = self._backbone().eval()
        self._takes_more_sizes(backbone)
        step = self._size(backbone)[0]
        self._works(backbone, (step, step + backbone.multiple, step + 2 * backbone.multiple))

    def test_an_odd_size_works_or_is_declared(self) -> None:
        """With multiple = 1 odd sizes work; a larger one is declared and core refuses the rest."""
        backbone = self._backbone().eval()
        self._takes_more_sizes(backbone)
        if backbone.multiple > 1:
            raise NotApplicable(
                f"the backbone declares multiple = {backbone.multiple}, so core gives it no other "
                "size"
            )
        odd = max(LEAST_SIZE - 1, least_side(backbone)) | 1
        self._works(backbone, (odd + 2, odd + 4, odd))

    def test_extreme_images_are_finite(self) -> None:
        """Voxels of +-50 and images of zeros give finite maps, also while training."""
        backbone = self._backbone()
        image = self._image(backbone)
        for what, one in (("+-50", image.sign() * EXTREME), ("zero", image * 0)):
            for mode in (True, False):
                with torch.no_grad():
                    given = self._given(backbone.train(mode), one)
                ensure(
                    all_finite(given),
                    f"an image of voxels {what} gives maps with nan or inf; guard divisions",
                )

    def test_any_number_of_image_channels_can_be_asked_for(self) -> None:
        """One and three channels work as two do."""
        for channels in (1, 3):
            backbone = self._backbone(channels).eval()
            try:
                self._features(backbone, self._image(backbone, channels))
            except Exception as error:
                ensure(False, f"built for {channels} channels it fails: {one_line(error)}")

    def test_the_image_is_left_as_it_is(self) -> None:
        """The image given is not written to."""
        backbone = self._backbone().eval()
        image = self._image(backbone)
        copy = image.clone()
        self._given(backbone, image)

        ensure(
            torch.equal(image, copy), "the backbone changed its image; avoid in-place operations"
        )

    def _backbone(self, channels: int = CHANNELS, seed: int = 0) -> _Network:
        with seeded(seed, "cpu"):
            built = self.build(channels)
        ensure(isinstance(built, nn.Module), f"must be a torch.nn.Module, got {type(built)!r}")
        return cast("_Network", built)

    def _size(self, backbone: Backbone) -> tuple[int, int, int]:
        """The least that the backbone declares to take."""
        if has_one_size(backbone):
            return backbone.only_size
        side = side_for([backbone], LEAST_SIZE)
        return side, side, side

    def _takes_more_sizes(self, backbone: Backbone) -> None:
        if has_one_size(backbone):
            raise NotApplicable(f"the backbone declares only_size = {tuple(backbone.only_size)}")

    def _image(self, backbone: Backbone, channels: int = CHANNELS) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(2, channels, *self._size(backbone), generator=generator)

    def _features(self, backbone: Backbone, image: Tensor) -> Features:
        features = backbone(image)
        ensure(
            isinstance(features, Features),
            f"must give mtsbench.interfaces.Features, got {type(features).__name__}",
        )
        return features

    def _given(self, backbone: Backbone, image: Tensor) -> list[Tensor]:
        features = self._features(backbone, image)
        logit = features.tumour_logit
        return [*features.maps, *([] if logit is None else [logit])]

    def _works(self, backbone: Backbone, size: tuple[int, ...]) -> None:
        image = torch.randn(1, CHANNELS, *size, generator=torch.Generator().manual_seed(0))
        try:
            with torch.no_grad():
                features = self._features(backbone, image)
        except Exception as error:
            ensure(
                False,
                f"an image of {size} voxels fails though the backbone declares multiple = "
                f"{backbone.multiple}: {one_line(error)}",
            )
        logit = features.tumour_logit
        ensure(
            logit is None or tuple(logit.shape[2:]) == size,
            f"an image of {size} voxels gets a tumour map of another size; declare the multiple "
            "that each side must have",
        )


class _Network(nn.Module):
    """How type checkers see a backbone that is a module."""

    channels: tuple[int, ...]
    segments: bool
    multiple: int
