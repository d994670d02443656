from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from mtsbench_cohorts.nifti import read_mask, read_volume, share_space

from mtsbench.errors import DataError
from mtsbench.volumes import Grid


def write(path, array, *, spacing=(1.0, 2.0, 3.0), origin=(-5.0, 7.0, 11.0)):
    image = sitk.GetImageFromArray(array, isVector=False)
    if array.ndim == 3:
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
    sitk.WriteImage(image, str(path))
    return path


def test_a_volume_keeps_voxels_and_place(tmp_path):
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

    volume = read_volume(write(tmp_path / "ct.nii.gz", array), "a")

    assert (volume.array == array).all()
    assert volume.grid.size == (2, 3, 4)
    assert volume.grid.spacing == pytest.approx((3.0, 2.0, 1.0))
    assert volume.grid.origin == pytest.approx((-5.0, 7.0, 11.0))


def test_a_missing_file_is_named_with_its_case(tmp_path):
    with pytest.raises(DataError, match=r"case 'a': no file .*pet\.nii\.gz; add it or exclude"):
        read_volume(tmp_path / "pet.nii.gz", "a")


def test_a_file_that_is_no_image_is_named_with_its_case(tmp_path):
    path = tmp_path / "pet.nii.gz"
    path.write_bytes(b"no image")

    with pytest.raises(DataError, match=r"case 'a': cannot read .*pet\.nii\.gz as an image: .+"):
        read_volume(path, "a")


def test_a_time_series_is_refused(tmp_path):
    path = write(tmp_path / "pet.nii.gz", np.zeros((2, 3, 4, 5), dtype=np.float32))

    with pytest.raises(DataError, match=r"case 'a': .*pet.nii.gz has 4 dimensions \(5, 4, 3, 2\)"):
        read_volume(path, "a")


def test_a_vector_image_is_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), dtype=np.float32), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "pet.nii.gz"))

    with pytest.raises(DataError, match=r"case 'a': .*holds vector of .* expected one real"):
        read_volume(tmp_path / "pet.nii.gz", "a")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_voxel_that_is_not_finite_is_refused(tmp_path, value):
    array = np.zeros((2, 3, 4), dtype=np.float32)
    array[1, 2, 3] = value

    with pytest.raises(DataError, match=r"case 'a': .*pet.nii.gz holds NaN or Inf in 1 voxels"):
        read_volume(write(tmp_path / "pet.nii.gz", array), "a")


@pytest.mark.parametrize("name", ["pet.nii", "pet.mha"])
def test_a_voxel_that_is_not_finite_is_refused_in_other_forms(tmp_path, name):
    array = np.zeros((2, 3, 4), dtype=np.float64)
    array[1, 2, 3] = np.nan

    with pytest.raises(DataError, match=rf"case 'a': .*{name} holds NaN or Inf in 1 voxels"):
        read_volume(write(tmp_path / name, array), "a")


def test_a_complex_image_is_refused(tmp_path):
    array = np.zeros((2, 3, 4), dtype=np.complex64)

    with pytest.raises(DataError, match=r"case 'a': .* holds complex of .* expected one real"):
        read_volume(write(tmp_path / "pet.nii.gz", array), "a")


def test_a_file_that_was_cut_off_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 1000, (20, 30, 40)).astype(np.int16)
    path = write(tmp_path / "ct.nii.gz", noise)
    path.write_bytes(path.read_bytes()[:10000])

    with pytest.raises(DataError, match=r"case 'a': .*ct.nii.gz is cut off or damaged: .*Repair"):
        read_volume(path, "a")


def test_only_the_labels_asked_for_become_tumour(tmp_path):
    labels = np.zeros((2, 3, 4), dtype=np.float64)
    labels[0, 0, 0], labels[1, 1, 1] = 1, 2
    path = write(tmp_path / "mask.nii.gz", labels)

    primary = read_mask(path, "a", background=(0, 2))
    both = read_mask(path, "a", tumour=(1, 2))

    assert primary.array.dtype == np.uint8
    assert np.argwhere(primary.array).tolist() == [[0, 0, 0]]
    assert np.argwhere(both.array).tolist() == [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize("label", [2, 0.5, -1])
def test_a_label_that_was_not_expected_is_refused(tmp_path, label):
    labels = np.zeros((2, 3, 4), dtype=np.float32)
    labels[0, 0, 0] = label

    with pytest.raises(
        DataError, match=rf"case 'a': the mask .*mask.nii.gz holds {label} .* none of \[0, 1\]"
    ):
        read_mask(write(tmp_path / "mask.nii.gz", labels), "a")


def test_boxes_share_space_only_where_they_overlap_along_every_axis():
    grid = Grid(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0))

    assert share_space(grid, Grid(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0), origin=(7.9, 0.0, 0.0)))
    beside = Grid(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0), origin=(8.1, 0.0, 0.0))
    assert not share_space(grid, beside)
    mirrored = Grid(
        size=(4, 4, 4),
        spacing=(2.0, 2.0, 2.0),
        origin=(8.1, 0.0, 0.0),
        direction=(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    )
    assert share_space(grid, mirrored)
