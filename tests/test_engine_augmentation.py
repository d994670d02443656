from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.composition import TrainingSettings
from mtsbench.engine.augmentation import augment, draw_transforms
from mtsbench.engine.batches import Batch
from mtsbench.volumes import Grid, Volume, to_sitk

SIZE, SPACING = (8, 12, 16), (3.0, 2.0, 1.5)
NOTHING = {"rotation": 0.0, "translation": 0.0, "flip": 0.0}
recipes = st.builds(
    TrainingSettings,
    rotation=st.floats(0, 45),
    translation=st.floats(0, 30),
    translation_mode=st.sampled_from(["range", "choice"]),
    flip=st.floats(0, 1),
)


def drawn(recipe: TrainingSettings, count: int = 64, seed: int = 0) -> np.ndarray:
    return draw_transforms(count, recipe, np.random.default_rng(seed))


def shift(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    return np.concatenate([np.eye(3), [[x], [y], [z]]], axis=1)[None]


def batch(count: int = 1, *, mask: bool = True, size=SIZE, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        image=torch.rand((count, 2, *size), generator=generator),
        clinical=torch.rand((count, 3), generator=generator),
        mask=(torch.rand((count, 1, *size), generator=generator) > 0.7).float() if mask else None,
    )


@settings(deadline=None)
@given(recipe=recipes, seed=st.integers(0, 2**32))
def test_every_transform_is_a_rotation_or_a_flipped_one_within_the_recipe(recipe, seed):
    transforms = drawn(recipe, count=8, seed=seed)

    for matrix, offset in zip(transforms[:, :, :3], transforms[:, :, 3], strict=True):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
        flipped = np.linalg.det(matrix) < 0
        assert recipe.flip > 0 or not flipped
        turn = matrix @ np.diag([-1.0 if flipped else 1.0, 1.0, 1.0])
        # The product is Rz Ry Rx, from which each angle can be read back.
        angles = [
            np.arctan2(turn[2, 1], turn[2, 2]),
            -np.arcsin(np.clip(turn[2, 0], -1, 1)),
            np.arctan2(turn[1, 0], turn[0, 0]),
        ]
        assert (np.abs(np.rad2deg(angles)) <= recipe.rotation + 1e-5).all()
        if recipe.translation_mode == "choice":
            np.testing.assert_array_equal(np.abs(offset), recipe.translation)
        else:
            assert (np.abs(offset) <= recipe.translation).all()


def test_both_ends_are_drawn_in_mode_choice_and_the_inside_in_mode_range():
    ends = drawn(TrainingSettings(translation=7.0, translation_mode="choice"))[:, :, 3]
    inside = drawn(TrainingSettings(translation=7.0, translation_mode="range"))[:, :, 3]

    for axis in range(3):
        assert set(ends[:, axis]) == {-7.0, 7.0}
        assert len(set(inside[:, axis])) == 64
        assert inside[:, axis].min() < -5 < 5 < inside[:, axis].max()


def test_the_flip_comes_as_often_as_asked():
    for share, expected in ((0.0, 0), (1.0, 64)):
        signs = np.linalg.det(drawn(TrainingSettings(flip=share))[:, :, :3])
        assert (signs < 0).sum() == expected
    signs = np.linalg.det(drawn(TrainingSettings(flip=0.25), count=1000)[:, :, :3])
    assert 200 < (signs < 0).sum() < 300


def test_the_generator_alone_decides_the_transforms():
    recipe = TrainingSettings()

    np.testing.assert_array_equal(drawn(recipe, seed=3), drawn(recipe, seed=3))
    assert (drawn(recipe, seed=3) != drawn(recipe, seed=4)).any()


def test_the_identity_returns_the_input():
    before = batch(3)

    after = augment(before, drawn(TrainingSettings(**NOTHING), count=3), SPACING, 0.2)

    torch.testing.assert_close(after.image, before.image, atol=1e-5, rtol=0)
    assert torch.equal(after.mask, before.mask)
    assert torch.equal(after.clinical, before.clinical)


@pytest.mark.parametrize(
    ("transform", "axis"),
    [(shift(z=SPACING[0]), 2), (shift(y=SPACING[1]), 3), (shift(x=SPACING[2]), 4)],
)
def test_a_shift_of_one_spacing_along_an_axis_moves_by_one_voxel(transform, axis):
    before = batch()
    length = before.image.shape[axis]

    after = augment(before, transform, SPACING, 0.5)

    for old, new in ((before.image, after.image), (before.mask, after.mask)):
        torch.testing.assert_close(
            new.narrow(axis, 0, length - 1), old.narrow(axis, 1, length - 1), atol=1e-5, rtol=0
        )
        assert new.narrow(axis, length - 1, 1).abs().max() < 1e-5, "0 comes in from outside"


def test_a_flip_turns_left_and_right_only():
    before = batch()
    flip = np.concatenate([np.diag([-1.0, 1.0, 1.0]), np.zeros((3, 1))], axis=1)[None]

    after = augment(before, flip, SPACING, 0.5)

    torch.testing.assert_close(after.image, before.image.flip(-1), atol=1e-5, rtol=0)
    assert torch.equal(after.mask, before.mask.flip(-1))


def test_each_case_of_a_batch_has_its_own_transform():
    before = batch(2)
    both = np.concatenate([shift(), shift(x=SPACING[2])])

    after = augment(before, both, SPACING, 0.5)

    torch.testing.assert_close(after.image[0], before.image[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        after.image[1, ..., :-1], before.image[1, ..., 1:], atol=1e-5, rtol=0
    )


def test_a_batch_without_masks_stays_without():
    before = batch(2, mask=False)

    after = augment(before, drawn(TrainingSettings(), count=2), SPACING, 0.2)

    assert after.mask is None
    assert after.image.shape == before.image.shape


def resampled(array: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """One channel through SimpleITK with the same map about the centre of the grid."""
    grid = Grid(size=array.shape, spacing=SPACING, origin=(5.0, -7.0, 11.0))
    affine = sitk.AffineTransform(3)
    affine.SetMatrix(transform[:, :3].ravel().tolist())
    affine.SetTranslation(transform[:, 3].tolist())
    affine.SetCenter(grid.centre())
    image = to_sitk(Volume(array=array, grid=grid))
    return sitk.GetArrayFromImage(sitk.Resample(image, image, affine, sitk.sitkLinear, 0.0))


@pytest.mark.parametrize("seed", range(6))
def test_the_resampling_is_that_of_simpleitk_inside_the_image(seed):
    recipe = TrainingSettings(rotation=20.0, translation=4.0, flip=0.5)
    transform = drawn(recipe, count=1, seed=seed)
    before = batch(size=(10, 14, 18), seed=seed)
    ones = np.ones(before.image.shape[2:], np.float32)
    # Where eight neighbours are inside; at the edge torch blends with 0 and ITK does not.
    padded = Batch(image=torch.from_numpy(ones)[None, None], clinical=before.clinical, mask=None)
    inside = augment(padded, transform, SPACING, 0.5).image[0, 0].numpy() > 1 - 1e-5

    after = augment(before, transform, SPACING, 0.5).image[0]

    assert inside.mean() > 0.4
    for channel in range(2):
        expected = resampled(before.image[0, channel].numpy(), transform[0])
        np.testing.assert_allclose(after[channel].numpy()[inside], expected[inside], atol=2e-4)


@pytest.mark.parametrize(
    ("threshold", "rows"), [(0.2, [2, 3, 4]), (0.25, [3, 4]), (0.5, [3, 4]), (0.8, [3])]
)
def test_a_moved_mask_is_cut_at_the_threshold(threshold, rows):
    mask = torch.zeros((1, 1, *SIZE))
    mask[..., 3:5] = 1
    before = Batch(image=torch.zeros((1, 1, *SIZE)), clinical=torch.zeros((1, 0)), mask=mask)

    # A quarter of a voxel: 0.25, 1 and 0.75 along the row.
    moved = augment(before, shift(x=SPACING[2] / 4), SPACING, threshold + 1e-4).mask

    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert moved[0, 0, 4, 6].nonzero().ravel().tolist() == rows


def test_a_table_without_images_stays_as_it_is():
    batch = Batch(image=torch.zeros(2, 0, 4, 4, 4), clinical=torch.ones(2, 3), mask=None)

    assert augment(batch, np.zeros((2, 3, 4)), (1.0, 1.0, 1.0), 0.5) is batch
