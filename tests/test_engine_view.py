"""What a network sees when it is shown part of a cohort."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.engine.deep_model import DeepModel
from mtsbench.engine.view import seen_by
from mtsbench.errors import DataError


def test_the_whole_image_is_the_cohort_itself(phantom):
    cohort = phantom.patients(3).cohort

    assert seen_by(phantom.composition(), cohort) is cohort


def test_a_channel_alone_keeps_its_voxels(phantom):
    cohort = phantom.patients(3).cohort

    seen = seen_by(phantom.composition(channels=("ct_hu",)), cohort)

    assert seen.channels == ("ct_hu",)
    np.testing.assert_array_equal(seen[1].image, cohort[1].image[1:2])


def test_outside_the_tumour_everything_is_zero_and_inside_nothing_changes(phantom):
    cohort = phantom.patients(3).cohort

    seen = seen_by(phantom.composition(region="tumour"), cohort)[0]

    inside = cohort[0].mask[0] == 1
    assert 0 < inside.sum() < inside.size
    assert not seen.image[:, ~inside].any()
    np.testing.assert_array_equal(seen.image[:, inside], cohort[0].image[:, inside])
    assert cohort[0].image[:, ~inside].any(), "the cohort's own image must stay as it was"


def test_a_channel_the_cohort_lacks_is_named(phantom):
    with pytest.raises(DataError, match=r"sees channel 'mr', but the cohort has only pet_suv, ct"):
        seen_by(phantom.composition(channels=("mr",)), phantom.patients(3).cohort)


def test_the_tumour_region_of_a_case_without_a_mask_is_refused(phantom):
    cohort = phantom.patients(3, masks=False).cohort
    seen = seen_by(phantom.composition(region="tumour"), cohort)

    with pytest.raises(DataError, match="case 'P0-00' shows no tumour mask"):
        seen[0]


def test_a_model_of_one_channel_does_not_depend_on_the_other(phantom):
    from dataclasses import replace

    model = DeepModel(phantom.composition(channels=("pet_suv",)), phantom.components(), "cpu")
    model.fit(
        phantom.patients(12),
        phantom.patients(9, seed=1),
        phantom.context(phantom.settings(epochs=1)),
    )
    cohort = phantom.patients(5, seed=2).cohort

    def other_ct(case_id):
        case = cohort.read(case_id)
        return replace(case, image=np.stack([case.image[0], case.image[1] + 7]))

    changed = replace(cohort, read=other_ct)
    np.testing.assert_array_equal(model.predict(cohort).risk, model.predict(changed).risk)
