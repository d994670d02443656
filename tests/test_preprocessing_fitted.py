from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from mtsbench.data import Case, ClinicalVariable
from mtsbench.errors import DataError, OptionError
from mtsbench.preprocessing import (
    CaseCache,
    Preprocessing,
    PreprocessingSettings,
)
from mtsbench.volumes import Grid, Volume

SETTINGS = PreprocessingSettings(size=(4, 4, 4), spacing=(2.0, 2.0, 2.0))
GRID = Grid(size=(8, 8, 8), spacing=(2.0, 2.0, 2.0))
TRAIN, TEST = ("P1", "P2", "P3"), ("P4", "P5")


def phantom(number: int, scale: float = 1.0) -> Case:
    rng = np.random.default_rng(number)
    mask = np.zeros(GRID.size, np.uint8)
    mask[1:4, 1:4, 1:4] = 1
    return Case(
        case_id=f"P{number}",
        images={
            "pet_suv": Volume(array=scale * rng.gamma(2.0, size=GRID.size), grid=GRID),
            "ct_hu": Volume(array=rng.integers(-1024, 3071, GRID.size), grid=GRID),
        },
        mask=Volume(array=mask, grid=GRID),
        clinical={"age": 40.0 + 10 * number, "stage": "II" if number % 2 else "IVA"},
    )


class Phantoms:
    """Five cases in memory; the fingerprint counts how often a case was changed."""

    channels = ("pet_suv", "ct_hu")
    clinical_variables = (
        ClinicalVariable(name="age", kind="numeric"),
        ClinicalVariable(name="stage", kind="categorical"),
    )
    endpoints = ()
    simulated = True
    natural_spacing = (2.0, 2.0, 2.0)
    natural_size = (16, 16, 16)
    test_centre = "field-of-view"

    def __init__(self, *changed: Case) -> None:
        self.cases = {f"P{number}": phantom(number) for number in range(1, 6)}
        self.cases |= {case.case_id: case for case in changed}
        self.changed = {case.case_id for case in changed}
        self.case_ids = tuple(self.cases)

    def load(self, case_id):
        return self.cases[case_id]

    def case_fingerprint(self, case_id):
        return f"{case_id} changed" if case_id in self.changed else case_id

    def outcomes(self, endpoint):
        raise DataError(f"no endpoint {endpoint!r}")

    def centres(self):
        return {}

    def fingerprint(self):
        return "phantoms"


def prepared(folder, dataset, settings=SETTINGS) -> CaseCache:
    cache = CaseCache(folder, dataset, settings)
    requests = Preprocessing.requests(dataset, dataset.case_ids, settings)
    cache.prepare(requests, workers=1, progress=lambda done, total: None)
    return cache


def fit(folder, dataset, train_ids=TRAIN, settings=SETTINGS) -> Preprocessing:
    return Preprocessing.fit(prepared(folder, dataset, settings), dataset, train_ids, settings)


def test_pet_statistics_are_those_of_the_training_crops_around_the_tumour(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)

    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)

    voxels = np.stack([cache.read(c, "tumour").images[0] for c in TRAIN]).astype(np.float64)
    (pet,) = preprocessing.statistics
    assert (pet.channel, pet.mean) == ("pet_suv", pytest.approx(voxels.mean()))
    assert pet.sd == pytest.approx(voxels.std())
    assert preprocessing.without_tumour == ()


def test_a_held_out_case_that_changes_changes_nothing_that_is_learnt(tmp_path):
    outlier = replace(phantom(4, scale=1000.0), clinical={"age": 9e9, "stage": "unheard of"})

    assert fit(tmp_path, Phantoms(outlier)) == fit(tmp_path, Phantoms())


def test_a_training_case_that_changes_does_change_it(tmp_path):
    assert fit(tmp_path, Phantoms(phantom(3, scale=2.0))) != fit(tmp_path, Phantoms())


def test_clinical_variables_that_do_not_vary_in_training_are_told(tmp_path, caplog):
    alike = [replace(phantom(n), clinical={"age": 50.0, "stage": "II"}) for n in range(1, 6)]

    fit(tmp_path, Phantoms(*alike))

    said = "left out, because their values do not vary among the 3 training cases: age, stage"
    assert said in caplog.text


def test_the_order_of_training_cases_does_not_matter(tmp_path):
    dataset = Phantoms(phantom(2, scale=300.0), phantom(4, scale=1e-3))
    cache = prepared(tmp_path, dataset)

    orders = permutations(dataset.case_ids)
    states = [Preprocessing.fit(cache, dataset, order, SETTINGS) for order in orders]

    assert all(state == states[0] for state in states)


def test_a_cohort_gives_normalised_cases(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)

    train = preprocessing.cohort(cache, dataset, TRAIN, role="train", with_mask=True)
    cases = [train[position] for position in range(len(train))]

    assert train.case_ids == TRAIN
    assert train.channels == ("pet_suv", "ct_hu")
    assert train.clinical_features == ("age", "stage=IVA")
    pet = np.stack([case.image[0] for case in cases])
    assert pet.mean() == pytest.approx(0.0, abs=1e-5)
    assert pet.std() == pytest.approx(1.0, abs=1e-5)
    for case in cases:
        hounsfield = cache.read(case.case_id, "tumour").images[1]
        np.testing.assert_allclose(case.image[1], np.clip(hounsfield / 1024, -1, 1), atol=1e-6)
        assert case.image.dtype == np.float32
        assert case.image.shape == (2, 4, 4, 4)
        assert case.image.flags.writeable
        assert case.mask is not None
        assert (case.mask.dtype, case.mask.shape) == (np.uint8, (1, 4, 4, 4))
        assert not isinstance(case.mask, np.memmap)
        assert case.clinical.dtype == np.float32
    ages = [case.clinical[0] for case in cases]
    assert ages == pytest.approx([-np.sqrt(1.5), 0.0, np.sqrt(1.5)])
    assert [case.clinical[1] for case in cases] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("with_mask", [True, False])
def test_a_cohort_gives_native_cases_and_withholds_their_masks(tmp_path, with_mask):
    dataset = Phantoms()
    fitted = fit(tmp_path, dataset)

    cohort = fitted.cohort(
        prepared(tmp_path, dataset), dataset, TRAIN, role="held-out", with_mask=with_mask
    )

    native, original = cohort.read_native(TRAIN[0]), dataset.load(TRAIN[0])
    for channel in dataset.channels:
        np.testing.assert_array_equal(native.images[channel].array, original.images[channel].array)
    assert (native.mask is not None) == with_mask
    assert cohort.cache_folder == tmp_path


def test_a_table_without_images_is_prepared_too(tmp_path):
    dataset = Phantoms()
    dataset.channels = ()
    fitted = fit(tmp_path, dataset)

    case = fitted.cohort(prepared(tmp_path, dataset), dataset, TRAIN, role="train", with_mask=True)[
        0
    ]

    assert case.image.shape == (0, *SETTINGS.size)
    assert case.clinical.size == len(fitted.clinical.feature_names) > 0


def test_reading_a_case_leaves_the_cache_as_it_was(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    before = np.array(cache.read("P1", "tumour").images)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)
    cohort = preprocessing.cohort(cache, dataset, TRAIN, role="train", with_mask=True)

    first, second = cohort.read("P1"), cohort.read("P1")
    first.image[...] = 99.0

    assert not (second.image == 99.0).any()
    np.testing.assert_array_equal(cache.read("P1", "tumour").images, before)


def test_training_cases_are_cropped_around_the_tumour_and_held_out_ones_are_not(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)

    train = preprocessing.cohort(cache, dataset, TRAIN, role="train", with_mask=True)
    test = preprocessing.cohort(cache, dataset, TEST, role="held-out", with_mask=False)

    assert train[0].grid.centre() == pytest.approx((4.0, 4.0, 4.0))
    assert test[0].grid.centre() == pytest.approx((7.0, 7.0, 7.0))
    assert test[0].mask is None


def test_test_centre_mask_crops_held_out_cases_around_the_tumour_too(tmp_path):
    settings, dataset = replace(SETTINGS, test_centre="mask"), Phantoms()
    cache = prepared(tmp_path, dataset, settings)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, settings)

    test = preprocessing.cohort(cache, dataset, TEST, role="held-out", with_mask=False)

    assert test[0].grid.centre() == pytest.approx((4.0, 4.0, 4.0))
    assert preprocessing.held_out_requests(TEST) == [("P4", "tumour"), ("P5", "tumour")]
    assert Preprocessing.requests(dataset, TEST, settings) == [("P4", "tumour"), ("P5", "tumour")]


def test_requests_name_both_crops_of_every_case():
    assert Preprocessing.requests(Phantoms(), ("P2",), SETTINGS) == [
        ("P2", "tumour"),
        ("P2", "field-of-view"),
    ]


def test_training_cases_without_tumour_are_recorded_and_cropped_like_held_out_ones(tmp_path):
    empty = Volume(array=np.zeros(GRID.size, np.uint8), grid=GRID)
    dataset = Phantoms(replace(phantom(2), mask=empty), replace(phantom(3), mask=None))
    cache = prepared(tmp_path, dataset)

    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)
    train = preprocessing.cohort(cache, dataset, TRAIN, role="train", with_mask=True)

    assert preprocessing.without_tumour == ("P2", "P3")
    assert train[0].grid.centre() == pytest.approx((4.0, 4.0, 4.0))
    assert train[1].grid.centre() == pytest.approx((7.0, 7.0, 7.0))
    assert train[1].mask is not None
    assert not train[1].mask.any()
    assert train[2].mask is None


def test_a_dataset_with_more_channels_in_another_order_is_accepted(tmp_path):
    fitted = fit(tmp_path, Phantoms())
    dataset = Phantoms()
    dataset.channels = ("mr_t2", "ct_hu", "pet_suv")
    for case_id, case in dataset.cases.items():
        images = {**case.images, "mr_t2": case.images["ct_hu"]}
        dataset.cases[case_id] = replace(case, images=images)
    cache = prepared(tmp_path, dataset)
    plain = Phantoms()

    wide = fitted.cohort(cache, dataset, TEST, role="held-out", with_mask=False)
    narrow = fitted.cohort(prepared(tmp_path, plain), plain, TEST, role="held-out", with_mask=False)

    assert wide.channels == ("pet_suv", "ct_hu")
    np.testing.assert_array_equal(wide[0].image, narrow[0].image)


def test_a_dataset_without_a_fitted_channel_is_refused(tmp_path):
    fitted = fit(tmp_path, Phantoms())
    dataset = Phantoms()
    dataset.channels = ("ct_hu",)
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    with pytest.raises(DataError, match="fitted on channel 'pet_suv', but the dataset has only ct"):
        fitted.cohort(cache, dataset, TEST, role="held-out", with_mask=False)


def test_a_channel_of_its_own_kind_is_standardised(tmp_path):
    dataset = Phantoms()
    dataset.channels = ("mr_t2",)
    for case_id, case in dataset.cases.items():
        dataset.cases[case_id] = replace(case, images={"mr_t2": case.images["pet_suv"]})

    preprocessing = fit(tmp_path, dataset)

    assert [statistics.channel for statistics in preprocessing.statistics] == ["mr_t2"]


def test_an_unknown_case_is_refused(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)

    with pytest.raises(DataError, match="case 'P9' is not in the dataset, which has 5 cases"):
        preprocessing.cohort(cache, dataset, ("P9",), role="held-out", with_mask=False)
    with pytest.raises(DataError, match="case 'P9' is not in the dataset"):
        Preprocessing.requests(dataset, ("P9",), SETTINGS)


def test_fitting_on_no_case_is_refused(tmp_path):
    with pytest.raises(DataError, match="no training case to learn preprocessing from"):
        fit(tmp_path, Phantoms(), ())


def test_fitting_before_preparing_is_refused(tmp_path):
    dataset = Phantoms()
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    with pytest.raises(DataError, match="case 'P1' was not prepared around its 'tumour' centre"):
        Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)


def test_a_cache_of_other_settings_is_refused(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)

    with pytest.raises(OptionError, match=r"cache was made with .*4, 4, 4.* uses .*8, 8, 8"):
        Preprocessing.fit(cache, dataset, TRAIN, replace(SETTINGS, size=(8, 8, 8)))


def test_a_cohort_reader_survives_the_way_to_another_process(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)
    cohort = preprocessing.cohort(cache, dataset, TEST, role="held-out", with_mask=True)

    read = pickle.loads(pickle.dumps(cohort.read))

    np.testing.assert_array_equal(read("P4").image, cohort[0].image)


def test_the_fitted_state_survives_json_and_prepares_the_same_images(tmp_path):
    dataset = Phantoms()
    cache = prepared(tmp_path, dataset)
    preprocessing = Preprocessing.fit(cache, dataset, TRAIN, SETTINGS)

    restored = Preprocessing.from_json(preprocessing.to_json())

    assert restored == preprocessing
    first, second = (
        state.cohort(cache, dataset, TEST, role="held-out", with_mask=False)[1]
        for state in (preprocessing, restored)
    )
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.clinical, second.clinical)


def test_importing_the_package_imports_no_heavy_library():
    code = (
        "import sys, mtsbench.preprocessing;"
        "print({'torch', 'SimpleITK', 'pandas', 'scipy.ndimage'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
