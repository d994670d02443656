"""The fitted preprocessing as JSON: exact, and refused where it is damaged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.errors import CheckpointError
from mtsbench.preprocessing import ClinicalEncoder, Preprocessing, PreprocessingSettings
from mtsbench.preprocessing.clinical import CategoricalCode, NumericCode
from mtsbench.preprocessing.normalisation import ChannelStatistics

SETTINGS = PreprocessingSettings(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0))
FINITE = st.floats(-1e300, 1e300)
POSITIVE = st.floats(1e-300, 1e300)


@given(
    mean=FINITE,
    sd=POSITIVE,
    spacing=st.tuples(*[st.floats(0.01, 50.0)] * 3),
    sd_of_age=st.none() | POSITIVE,
    levels=st.lists(st.text(), unique=True, max_size=4),
    missing=st.booleans(),
    without=st.lists(st.text(), max_size=3),
)
def test_any_state_survives_json_exactly(mean, sd, spacing, sd_of_age, levels, missing, without):
    state = Preprocessing(
        settings=replace(SETTINGS, spacing=spacing),
        channels=("pet_suv", "ct_hu"),
        statistics=(ChannelStatistics(channel="pet_suv", mean=mean, sd=sd),),
        clinical=ClinicalEncoder(
            codes=(
                NumericCode(variable="age", mean=mean, sd=sd_of_age, missing_indicator=missing),
                CategoricalCode(
                    variable="stage",
                    levels=tuple(levels),
                    reference=None,
                    missing_indicator="missing" not in levels,
                ),
            )
        ),
        without_tumour=tuple(without),
    )

    assert Preprocessing.from_json(state.to_json()) == state


def damaged(path: str, value: object) -> str:
    state = Preprocessing(
        settings=SETTINGS,
        channels=("pet_suv",),
        statistics=(ChannelStatistics(channel="pet_suv", mean=1.0, sd=2.0),),
        clinical=ClinicalEncoder(codes=()),
        without_tumour=(),
    )
    content = json.loads(state.to_json())
    *parents, last = path.split("/")
    place = content
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "Invalid JSON"),
        (damaged("version", 1)[:-9], "Invalid JSON"),
        ("{}", "version: Field required"),
        (damaged("version", 2), "version: Input should be 1"),
        (damaged("extra", 2), "extra: Extra inputs are not permitted"),
        (damaged("preprocessing/channels", None), "channels: Input should be a valid"),
        (damaged("preprocessing/channels", ["ct_hu"]), "statistics of the channels pet_suv, exp"),
        (damaged("preprocessing/statistics/0/sd", 0.0), "channel 'pet_suv': mean 1 and SD 0"),
        (damaged("preprocessing/statistics/0/mean", float("nan")), "mean"),
        (damaged("preprocessing/settings/size", [0, 4, 4]), "size must be three voxel counts"),
        (damaged("preprocessing/settings/test_centre", "brain"), "test_centre"),
        (damaged("preprocessing/clinical/codes", [{"variable": "age"}]), "codes"),
    ],
)
def test_a_damaged_state_is_refused_with_its_cause(text, cause):
    with pytest.raises(CheckpointError, match=f"stored preprocessing cannot be used .*{cause}"):
        Preprocessing.from_json(text)
