"""Slices of test cases: which one is cut, and that files are read back or refused."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.checksums import write_checksums
from mtsbench.data import Case
from mtsbench.errors import DataError
from mtsbench.slices import cut_slice, read_slice, write_slices
from mtsbench.volumes import Grid, Volume

GRID = Grid(size=(6, 100, 120), spacing=(3.0, 2.0, 2.0), origin=(5.0, 6.0, 7.0))


def masks(depth: int, row: int, column: int):
    true, predicted = np.zeros(GRID.size, bool), np.zeros(GRID.size, bool)
    true[depth, row : row + 4, column : column + 4] = True
    predicted[depth, row + 2 : row + 6, column : column + 4] = True
    return true, predicted


def patient() -> Case:
    ramp = np.broadcast_to(np.arange(120, dtype=np.float32), GRID.size)
    return Case(
        case_id="P1",
        images={"pet_suv": Volume(array=ramp, grid=GRID), "other": Volume(array=ramp, grid=GRID)},
        mask=None,
        clinical={},
    )


def test_the_slice_with_most_tumour_is_cut_about_its_middle():
    true, predicted = masks(4, 50, 60)

    one = cut_slice(patient(), true, predicted, GRID)

    assert one.true.shape == one.predicted.shape == one.images["pet_suv"].shape == (80, 80)
    assert one.true.sum() == one.predicted.sum() == 16
    assert one.spacing == (2.0, 2.0)
    assert list(one.images) == ["pet_suv"]
    # The image is the column's number: the tumour's columns are 60 to 63.
    np.testing.assert_allclose(np.unique(one.images["pet_suv"][one.true]), [60, 61, 62, 63])


@pytest.mark.parametrize("place", [(0, 0, 0), (5, 94, 116)])
def test_a_tumour_at_the_edge_keeps_the_width_of_the_field(place):
    one = cut_slice(patient(), *masks(*place), GRID)

    assert one.true.shape == (80, 80)
    assert one.true.sum() == 16


def test_a_larger_prediction_elsewhere_does_not_hide_the_true_tumour():
    true, predicted = np.zeros(GRID.size, bool), np.zeros(GRID.size, bool)
    true[1, 10:14, 10:14] = True
    predicted[3:] = True  # nearly the whole field of view, but not the true tumour's slice

    one = cut_slice(patient(), true, predicted, GRID)

    assert (one.true.sum(), one.predicted.sum(), one.chosen_by) == (16, 0, "true")


def test_of_all_slices_the_one_with_most_true_tumour_is_cut():
    true, predicted = masks(4, 50, 60)
    true[2, 40:50, 60:70] = True  # 100 voxels, where slice 4 has 16 true and 16 predicted
    predicted[4, :, :] = True

    one = cut_slice(patient(), true, predicted, GRID)

    assert (one.true.sum(), one.chosen_by) == (100, "true")


def test_without_true_tumour_the_slice_with_most_predicted_is_cut_and_says_so():
    _, predicted = masks(4, 50, 60)

    one = cut_slice(patient(), np.zeros(GRID.size, bool), predicted, GRID)

    assert (one.predicted.sum(), one.chosen_by) == (16, "predicted")


def test_without_any_tumour_the_middle_is_cut():
    empty = np.zeros(GRID.size, bool)

    one = cut_slice(patient(), empty, empty, GRID)

    assert one.images["pet_suv"][0, 0] == 20
    assert one.chosen_by == "neither"


def test_slices_are_read_back_by_case(tmp_path):
    one = cut_slice(patient(), *masks(2, 50, 60), GRID)
    path = tmp_path / "slices.safetensors"
    write_slices(path, {"P1": one, "P10": one})
    write_checksums(tmp_path, "k", [path])

    found = read_slice(tmp_path / "slices.safetensors", "P1")

    assert found.spacing == one.spacing
    assert found.chosen_by == "true"
    np.testing.assert_array_equal(found.true, one.true)
    np.testing.assert_array_equal(found.predicted, one.predicted)
    np.testing.assert_array_equal(found.images["pet_suv"], one.images["pet_suv"])
    assert read_slice(tmp_path / "slices.safetensors", "P2") is None
    assert read_slice(tmp_path / "none", "P1") is None


def test_the_slice_of_an_earlier_version_is_not_taken_for_one_cut_by_the_true_tumour(tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "slices.safetensors"
    write_slices(path, {"P1": cut_slice(patient(), *masks(2, 50, 60), GRID)})
    save_file(load_file(path), path)  # without the metadata that names the rule

    assert read_slice(path, "P1").chosen_by == "unknown"


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "slices.safetensors"
    path.write_bytes(b"12345678 something")
    write_checksums(tmp_path, "k", [path])
    path.write_bytes(b"12345678 otherthing")

    with pytest.raises(DataError, match=r"slices.safetensors is damaged .*; the same `mtsbench"):
        read_slice(path, "P1")
    path.unlink()
    with pytest.raises(DataError, match=r"slices.safetensors is missing; the same `mtsbench run`"):
        read_slice(path, "P1")
