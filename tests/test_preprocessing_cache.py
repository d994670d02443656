from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from counting_dataset import CHANNELS, Phantoms, phantom, prepare, three

from mtsbench.errors import DataError, OptionError
from mtsbench.preprocessing import CaseCache, Preprocessing, PreprocessingSettings
from mtsbench.preprocessing.cropping import crop

SETTINGS = PreprocessingSettings(size=(8, 8, 8), spacing=(4.0, 4.0, 4.0))


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


TUMOUR_OF_ALL = [("P1", "tumour"), ("P2", "tumour"), ("P3", "tumour")]


def test_a_prepared_crop_is_read_as_it_was_made(tmp_path):
    dataset = three()
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    prepare(cache, [("P1", "tumour"), ("P1", "pet-uptake")])

    for rule in ("tumour", "pet-uptake"):
        found, expected = cache.read("P1", rule), crop(phantom("P1"), CHANNELS, rule, SETTINGS)
        np.testing.assert_array_equal(found.images, expected.images)
        np.testing.assert_array_equal(found.mask, expected.mask)
        assert isinstance(found.images, np.memmap)
        assert found.images.dtype == np.float32
        assert (found.case_id, found.grid) == ("P1", expected.grid)
        assert found.clinical == phantom("P1").clinical


def test_half_the_bytes_have_an_entry_of_their_own_beside_the_exact_one(tmp_path):
    half = replace(SETTINGS, storage="float16")
    prepare(CaseCache(tmp_path, three(), SETTINGS), TUMOUR_OF_ALL)
    exact, dataset = content(tmp_path), three()

    prepare(cache := CaseCache(tmp_path, dataset, half), TUMOUR_OF_ALL)
    found = cache.read("P1", "tumour")

    assert sorted(dataset.loaded) == ["P1", "P2", "P3"]
    assert {name: data for name, data in content(tmp_path).items() if name in exact} == exact
    assert found.images.dtype == np.float32
    expected = crop(phantom("P1"), CHANNELS, "tumour", SETTINGS).images
    for image, kept, channel in zip(found.images, expected, CHANNELS, strict=True):
        rounded = np.rint(kept) if channel == "ct_hu" else kept.astype(np.float16)
        np.testing.assert_array_equal(image, rounded)


def test_a_case_that_half_the_bytes_cannot_hold_is_named_and_leaves_nothing(tmp_path):
    half = replace(SETTINGS, storage="float16")
    bright = phantom("P1")
    bright.images["pet_suv"].array[...] = 1e6

    with pytest.raises(DataError, match=r"case 'P1', channel 'pet_suv': the value 1e\+06 cannot"):
        prepare(CaseCache(tmp_path, Phantoms(bright), half), TUMOUR_OF_ALL[:1])

    assert list(tmp_path.iterdir()) == []


def test_a_case_is_loaded_once_for_all_its_crops(tmp_path):
    dataset = three()
    requests = [*TUMOUR_OF_ALL, ("P1", "field-of-view"), ("P1", "pet-uptake"), ("P2", "tumour")]

    prepare(CaseCache(tmp_path, dataset, SETTINGS), requests)

    assert sorted(dataset.loaded) == ["P1", "P2", "P3"]


def test_preparing_again_computes_nothing(tmp_path):
    dataset = three()
    prepare(CaseCache(tmp_path, dataset, SETTINGS), TUMOUR_OF_ALL)
    before = content(tmp_path)
    dataset.loaded.clear()

    same_spacing = replace(SETTINGS, spacing=(4, 4, 4), ct_window=(-200.0, 200.0))
    progress = prepare(CaseCache(tmp_path, dataset, same_spacing), TUMOUR_OF_ALL)

    assert dataset.loaded == []
    assert content(tmp_path) == before
    assert progress[-1] == (3, 3)


def test_only_what_is_missing_is_computed(tmp_path):
    dataset = three()
    cache = CaseCache(tmp_path, dataset, SETTINGS)
    prepare(cache, TUMOUR_OF_ALL[:2])
    dataset.loaded.clear()

    prepare(cache, TUMOUR_OF_ALL)

    assert dataset.loaded == ["P3"]


def test_order_and_workers_do_not_change_a_byte(tmp_path):
    requests = [*TUMOUR_OF_ALL, ("P2", "field-of-view"), ("P3", "pet-uptake")]
    prepare(CaseCache(tmp_path / "a", three(), SETTINGS), requests, workers=1)
    prepare(CaseCache(tmp_path / "b", three(), SETTINGS), requests[::-1], workers=3)

    assert len(content(tmp_path / "a")) == 15
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_geometries_and_rules_do_not_meet_in_one_folder(tmp_path):
    dataset = three()
    other = replace(SETTINGS, spacing=(4.0, 4.0, 5.0))
    prepare(CaseCache(tmp_path, dataset, SETTINGS), TUMOUR_OF_ALL)

    with pytest.raises(DataError, match="'P1' was not prepared around its 'tumour' centre"):
        CaseCache(tmp_path, dataset, other).read("P1", "tumour")
    with pytest.raises(DataError, match="'P1' was not prepared around its 'pet-uptake' centre"):
        CaseCache(tmp_path, dataset, SETTINGS).read("P1", "pet-uptake")


def test_cases_of_equal_content_do_not_meet_either(tmp_path):
    first = phantom("P1")
    dataset = Phantoms(first, replace(first, case_id="P2"))
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    prepare(cache, TUMOUR_OF_ALL[:2])

    assert len(content(tmp_path)) == 6


def test_a_changed_case_is_made_again(tmp_path):
    dataset = three()
    cache = CaseCache(tmp_path, dataset, SETTINGS)
    prepare(cache, TUMOUR_OF_ALL)
    old = np.array(cache.read("P2", "tumour").images)
    changed = dict(dataset.cases["P2"].images)
    changed["ct_hu"] = replace(changed["ct_hu"], array=changed["ct_hu"].array + 7)
    dataset.cases["P2"] = replace(dataset.cases["P2"], images=changed)
    dataset.loaded.clear()

    with pytest.raises(DataError, match=r"'P2' was not prepared .* or has changed since"):
        CaseCache(tmp_path, dataset, SETTINGS).read("P2", "tumour")
    prepare(cache, TUMOUR_OF_ALL)

    assert dataset.loaded == ["P2"]
    np.testing.assert_allclose(cache.read("P2", "tumour").images[1], old[1] + 7, atol=1e-3)


def test_at_most_the_workers_cases_are_in_memory(tmp_path):
    dataset = Phantoms(*(phantom(f"P{number}") for number in range(12)), seconds=0.01)
    requests = [(case_id, "tumour") for case_id in dataset.case_ids]

    prepare(CaseCache(tmp_path, dataset, SETTINGS), requests, workers=3)

    assert len(dataset.loaded) == 12
    assert 1 < dataset.most_alive <= 3
    assert dataset.alive == 0


def test_progress_counts_requests_in_the_calling_thread(tmp_path):
    cache = CaseCache(tmp_path, three(), SETTINGS)
    threads, seen = set(), []

    def progress(done, total):
        threads.add(threading.current_thread())
        seen.append((done, total))

    requests = [*TUMOUR_OF_ALL, ("P1", "field-of-view"), ("P1", "tumour")]
    cache.prepare(requests, workers=2, progress=progress)

    assert threads == {threading.current_thread()}
    assert len(seen) == 3
    assert seen[-1] == (4, 4)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_an_interrupted_run_begins_no_further_case(tmp_path):
    dataset = Phantoms(*(phantom(f"P{number}") for number in range(30)), seconds=0.005)
    requests = [(case_id, "tumour") for case_id in dataset.case_ids]

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CaseCache(tmp_path, dataset, SETTINGS).prepare(requests, workers=1, progress=interrupt)

    assert len(dataset.loaded) < 30


def test_what_a_killed_run_left_is_ignored(tmp_path):
    prepare(CaseCache(tmp_path, three(), SETTINGS), TUMOUR_OF_ALL)
    whole = content(tmp_path)
    key = min(name.split(".")[0] for name in whole)
    # Killed while an array was being written, before its JSON: the three files it can leave.
    (tmp_path / f"{key}.json").unlink()
    (tmp_path / f"{key}.mask.npy").unlink()
    partial = tmp_path / f".{key}.mask.npy.0123.partial"
    partial.write_bytes(whole[f"{key}.mask.npy"][:50])

    dataset = three()
    prepare(CaseCache(tmp_path, dataset, SETTINGS), TUMOUR_OF_ALL)

    assert len(dataset.loaded) == 1
    assert content(tmp_path) == {**whole, partial.name: partial.read_bytes()}


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:-100], lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])],
    ids=["cut off", "one bit"],
)
def test_a_damaged_file_is_refused_by_read_and_replaced_by_prepare(tmp_path, caplog, damage):
    dataset = three()
    cache = CaseCache(tmp_path, dataset, SETTINGS)
    prepare(cache, TUMOUR_OF_ALL[:1])
    whole = content(tmp_path)
    (images,) = tmp_path.glob("*.images.npy")
    images.write_bytes(damage(whole[images.name]))

    cache = CaseCache(tmp_path, dataset, SETTINGS)
    with pytest.raises(DataError, match=r"'P1': the cache file .* is damaged .* prepares .* again"):
        cache.read("P1", "tumour")
    assert caplog.messages == []
    prepare(cache, TUMOUR_OF_ALL[:1])

    assert content(tmp_path) == whole
    assert dataset.loaded == ["P1", "P1"]
    assert len(caplog.messages) == 1
    assert "case 'P1': the cache file" in caplog.messages[0]


def test_a_voxel_that_is_nan_stops_with_the_case_and_keeps_what_is_done(tmp_path):
    dataset = three()
    pet = dataset.cases["P2"].images["pet_suv"].array
    pet[1, 2, 3] = np.nan
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    with pytest.raises(DataError, match="case 'P2', channel 'pet_suv': 1 voxels are NaN or Inf"):
        prepare(cache, TUMOUR_OF_ALL, workers=1)

    assert cache.read("P1", "tumour").images.shape == (2, 8, 8, 8)
    assert not [name for name in content(tmp_path) if name.endswith(".partial")]


class Failing(Phantoms):
    def __init__(self, error: Exception) -> None:
        super().__init__(phantom("P1"))
        self.error = error

    def load(self, case_id):
        raise self.error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError("bad header"),
            r"'P1' cannot be prepared \(RuntimeError: bad header\); repair",
        ),
        (DataError("a.nii.gz is cut off"), r"case 'P1': a.nii.gz is cut off"),
        (DataError("case 'P1': a.nii.gz is cut off"), r"^case 'P1': a.nii.gz is cut off$"),
    ],
)
def test_whatever_a_dataset_raises_names_the_case(tmp_path, error, message):
    with pytest.raises(DataError, match=message):
        prepare(CaseCache(tmp_path, Failing(error), SETTINGS), [("P1", "tumour")])


def test_a_dataset_that_mixes_up_its_cases_is_refused(tmp_path):
    dataset = three()
    dataset.cases["P1"] = phantom("P9")

    with pytest.raises(DataError, match="case 'P1': the dataset loaded case 'P9' instead"):
        prepare(CaseCache(tmp_path, dataset, SETTINGS), TUMOUR_OF_ALL[:1])


@pytest.mark.parametrize(("tumour", "reason"), [("none", "no mask"), ("empty", "an empty mask")])
def test_a_case_without_tumour_trains_on_the_crop_of_held_out_cases(tmp_path, tumour, reason):
    dataset = Phantoms(phantom("P1", tumour), phantom("P2"))
    cache = CaseCache(tmp_path, dataset, SETTINGS)

    prepare(cache, TUMOUR_OF_ALL[:2])

    assert cache.training_centre("P1") == "field-of-view"
    assert cache.training_centre("P2") == "tumour"
    expected = crop(phantom("P1", tumour), CHANNELS, "field-of-view", SETTINGS)
    np.testing.assert_array_equal(cache.read("P1", "field-of-view").images, expected.images)
    with pytest.raises(DataError, match=f"case 'P1' has {reason}, so it has no crop around"):
        cache.read("P1", "tumour")


def test_a_case_without_tumour_is_not_made_twice_and_follows_another_test_centre(tmp_path):
    dataset = Phantoms(phantom("P1", "empty"))
    requests = [("P1", "tumour"), ("P1", "field-of-view")]
    prepare(CaseCache(tmp_path, dataset, SETTINGS), requests)
    prepare(CaseCache(tmp_path, dataset, SETTINGS), requests)
    assert dataset.loaded == ["P1"]

    uptake = CaseCache(tmp_path, dataset, replace(SETTINGS, test_centre="pet-uptake"))
    prepare(uptake, [("P1", "tumour")])

    assert uptake.training_centre("P1") == "pet-uptake"
    assert uptake.read("P1", "pet-uptake").case_id == "P1"
    assert dataset.loaded == ["P1", "P1"]


def test_a_case_without_tumour_is_refused_where_even_held_out_cases_need_one(tmp_path):
    cache = CaseCache(
        tmp_path, Phantoms(phantom("P1", "empty")), replace(SETTINGS, test_centre="mask")
    )

    with pytest.raises(DataError, match="case 'P1' has an empty mask, so it cannot be centred"):
        prepare(cache, [("P1", "tumour")])


def test_no_worker_is_refused(tmp_path):
    with pytest.raises(OptionError, match="workers must be at least 1, got 0"):
        prepare(CaseCache(tmp_path, three(), SETTINGS), TUMOUR_OF_ALL, workers=0)


def test_an_unknown_rule_is_refused(tmp_path):
    with pytest.raises(OptionError, match="no centre rule 'mask'; expected one of tumour, field"):
        prepare(CaseCache(tmp_path, three(), SETTINGS), [("P1", "mask")])


def test_what_is_missing_is_told_and_nothing_is_written(tmp_path):
    cases = (
        phantom("whole"),
        phantom("none", tumour="empty"),
        phantom("damaged"),
        phantom("absent"),
    )
    cache = CaseCache(tmp_path, Phantoms(*cases), SETTINGS)
    requests = Preprocessing.requests(cache.dataset, cache.dataset.case_ids, SETTINGS)
    prepare(cache, [one for one in requests if one[0] != "absent"])
    for key in {cache._key("damaged", rule) for case_id, rule in requests if case_id == "damaged"}:
        (tmp_path / f"{key}.images.npy").write_bytes(b"short")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    missing = CaseCache(tmp_path, cache.dataset, SETTINGS).missing(requests)

    assert missing == ("damaged", "absent")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
