from __future__ import annotations

import math

import pytest

from mtsbench.errors import OptionError
from mtsbench.preprocessing import PreprocessingSettings


def test_defaults_are_the_published_window_and_a_mask_free_centre():
    settings = PreprocessingSettings(size=(32, 32, 32), spacing=(6.0, 6.0, 6.0))

    assert settings.ct_window == (-1024.0, 1024.0)
    assert settings.test_centre == "field-of-view"
    assert settings.test_rule == "field-of-view"


def test_mask_as_test_centre_means_the_tumour_rule():
    settings = PreprocessingSettings(size=(8, 8, 8), spacing=(1.0, 1.0, 1.0), test_centre="mask")

    assert settings.test_rule == "tumour"


@pytest.mark.parametrize("size", [(0, 8, 8), (8, 8, -1), (8, 8)])
def test_a_size_without_voxels_is_refused(size):
    with pytest.raises(OptionError, match=r"size must be three voxel counts > 0 .*got \("):
        PreprocessingSettings(size=size, spacing=(1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -2.0, 1.0), (1.0, math.nan, 1.0)])
def test_a_spacing_that_is_not_positive_is_refused(spacing):
    with pytest.raises(OptionError, match=r"spacing must be three mm > 0"):
        PreprocessingSettings(size=(8, 8, 8), spacing=spacing)


@pytest.mark.parametrize("window", [(100.0, 100.0), (50.0, -50.0), (-math.inf, 0.0)])
def test_an_empty_window_is_refused(window):
    with pytest.raises(OptionError, match=r"ct_window must be \(low, high\) HU, low < high"):
        PreprocessingSettings(size=(8, 8, 8), spacing=(1.0, 1.0, 1.0), ct_window=window)


def test_an_unknown_test_centre_is_refused():
    with pytest.raises(OptionError, match=r"one of field-of-view, pet-uptake, mask, got 'brain'"):
        PreprocessingSettings(size=(8, 8, 8), spacing=(1.0, 1.0, 1.0), test_centre="brain")
