"""Numbers of half the size: what they hold, what they refuse, and what they do to a key."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.errors import DataError, OptionError
from mtsbench.experiment import said
from mtsbench.preprocessing.settings import PreprocessingSettings
from mtsbench.preprocessing.storage import decode, encode, stored_as

CHANNELS = ("pet_suv", "ct_hu")
SETTINGS = PreprocessingSettings(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0))


def images(pet: float, ct: float):
    found = np.zeros((2, 2, 3, 4), np.float32)
    found[0, 1, 2, 3], found[1, 1, 2, 3] = pet, ct
    return found


def test_float32_is_kept_as_it_is():
    given_ = images(1.0, -3.0)

    assert encode(given_, "float32", CHANNELS, "P1") is given_
    assert decode(given_) is given_


@given(pet=st.floats(0, 60, width=32), ct=st.floats(-1024, 3071, width=32))
def test_uptake_is_kept_to_eleven_bits_and_tissue_to_half_a_unit(pet, ct):
    found = decode(encode(images(pet, ct), "float16", CHANNELS, "P1"))

    assert found.dtype == np.float32
    assert found[0, 1, 2, 3] == pytest.approx(pet, rel=2**-11, abs=2**-24)
    assert abs(found[1, 1, 2, 3] - ct) <= 0.5
    assert not found[0, 0].any()


@pytest.mark.parametrize("channels", [("ct_hu", "pet_suv"), ("ct_hu",), ("mr_t1",)])
def test_each_channel_has_its_own_kind_of_number_wherever_it_stands(channels):
    values = np.full((len(channels), 1, 1, 2), 100.26, np.float32)

    found = decode(encode(values, "float16", channels, "P1"))

    for channel, image in zip(channels, found, strict=True):
        assert (image == (100 if channel == "ct_hu" else np.float16(100.26))).all()


@pytest.mark.parametrize(
    ("pet", "ct", "message"),
    [
        (
            70000.0,
            0.0,
            "'pet_suv': the value 70000 cannot be stored as float16, which holds -65504",
        ),
        (-65510.0, 0.0, "'pet_suv': the value -65510 cannot be stored as float16"),
        (0.0, 32768.0, "'ct_hu': the value 32768 cannot be stored as int16, which holds -32768 to"),
        (0.0, -40000.0, "'ct_hu': the value -40000 cannot be .*; use --set preprocessing.storage="),
    ],
)
def test_a_value_that_would_not_fit_is_refused_with_case_and_channel(pet, ct, message):
    with pytest.raises(DataError, match=f"case 'P1', channel {message}"):
        encode(images(pet, ct), "float16", CHANNELS, "P1")


@pytest.mark.parametrize(("pet", "ct"), [(65504.0, 32767.0), (-65504.0, -32768.0)])
def test_the_largest_and_smallest_values_fit(pet, ct):
    found = decode(encode(images(pet, ct), "float16", CHANNELS, "P1"))

    assert found[:, 1, 2, 3].tolist() == [pet, ct]


def test_a_table_without_images_has_nothing_to_round():
    assert stored_as("float16", (), (4, 4, 4)) == (np.dtype(np.float32), (0, 4, 4, 4))


def test_only_a_storage_that_changes_results_enters_the_key():
    assert said(replace(SETTINGS, storage="float16"))["storage"] == "float16"
    assert set(said(SETTINGS)) == {"size", "spacing", "test_centre", "ct_window"}


def test_an_unknown_storage_is_refused():
    with pytest.raises(OptionError, match="storage must be one of float32, float16, got 'int8'"):
        replace(SETTINGS, storage="int8")
