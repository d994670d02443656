from __future__ import annotations

import numpy as np
import pytest

from mtsbench.errors import DamagedEntryError
from mtsbench.preprocessing.cropping import CroppedCase
from mtsbench.preprocessing.entries import (
    StoredCrop,
    delete_entry,
    read_entry,
    write_entry,
    write_no_tumour,
)
from mtsbench.volumes import Grid

SIZE = (3, 4, 5)
GRID = Grid(size=SIZE, spacing=(3.0, 2.0, 0.1), origin=(1 / 3, -2.0, 1e-9))


def crop(mask: bool = True) -> CroppedCase:
    rng = np.random.default_rng(0)
    return CroppedCase(
        case_id="P01",
        images=rng.normal(size=(2, *SIZE)).astype(np.float32),
        mask=rng.integers(0, 2, (1, *SIZE), dtype=np.uint8) if mask else None,
        clinical={"age": np.float64(61.5), "grade": 2, "stage": "IVA", "hpv": None},
        grid=GRID,
    )


CHANNELS = ("pet_suv", "ct_hu")


def write(folder, key, cropped, storage="float32") -> None:
    write_entry(folder, key, cropped, CHANNELS, storage)


def read(folder, key="k", size=SIZE, storage="float32"):
    found = read_entry(folder, key, "P01", CHANNELS, size, storage)
    return found.read() if isinstance(found, StoredCrop) else found


def test_an_entry_reads_back_exactly_and_memory_mapped(tmp_path):
    written = crop()

    write(tmp_path, "k", written)
    found = read(tmp_path)

    assert isinstance(found, CroppedCase)
    assert isinstance(found.images, np.memmap)
    assert not found.images.flags.writeable
    np.testing.assert_array_equal(found.images, written.images)
    np.testing.assert_array_equal(found.mask, written.mask)
    assert found.grid == GRID
    assert found.clinical == {"age": 61.5, "grade": 2.0, "stage": "IVA", "hpv": None}
    assert type(found.clinical["grade"]) is float


def test_an_entry_is_npy_and_json_files_only(tmp_path):
    write(tmp_path, "k", crop())

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "k.images.npy",
        "k.json",
        "k.mask.npy",
    ]


def test_a_case_without_mask_reads_back_without_mask(tmp_path):
    write(tmp_path, "k", crop(mask=False))

    found = read(tmp_path)

    assert isinstance(found, CroppedCase)
    assert found.mask is None


def test_text_that_looks_like_a_number_stays_text(tmp_path):
    written = crop()
    write(
        tmp_path,
        "k",
        CroppedCase(
            case_id="P01",
            images=written.images,
            mask=None,
            clinical={"centre": "007"},
            grid=GRID,
        ),
    )

    found = read(tmp_path)

    assert isinstance(found, CroppedCase)
    assert found.clinical == {"centre": "007"}


def test_nothing_stored_reads_as_none(tmp_path):
    assert read(tmp_path) is None


def test_a_case_without_tumour_reads_as_the_reason(tmp_path):
    write_no_tumour(tmp_path, "k", "an empty mask")

    assert read(tmp_path) == "an empty mask"


def test_arrays_without_json_are_an_unfinished_entry(tmp_path):
    write(tmp_path, "k", crop())
    (tmp_path / "k.json").unlink()

    assert read(tmp_path) is None


def test_a_deleted_entry_leaves_no_file(tmp_path):
    write(tmp_path, "k", crop())
    write(tmp_path, "other", crop())

    delete_entry(tmp_path, "k")
    delete_entry(tmp_path, "k")

    assert read(tmp_path) is None
    assert read(tmp_path, "other") is not None
    assert not list(tmp_path.glob("k.*"))


def test_a_failed_write_leaves_no_temporary_file(tmp_path):
    (tmp_path / "k.images.npy").mkdir()  # cannot be replaced by a file

    with pytest.raises(OSError, match=r"k\.images\.npy"):
        write(tmp_path, "k", crop())

    assert [path.name for path in tmp_path.iterdir()] == ["k.images.npy"]


DAMAGE = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "too long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 100),
    "other type": lambda path: np.save(path, np.zeros((2, *SIZE), np.int64)),
    "object array": lambda path: np.save(path, np.array([None]), allow_pickle=True),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("name", ["k.images.npy", "k.mask.npy"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_array_is_noticed_and_named(tmp_path, name, damage):
    write(tmp_path, "k", crop())

    DAMAGE[damage](tmp_path / name)

    with pytest.raises(DamagedEntryError, match=rf"case 'P01': the cache file .*{name} is damaged"):
        read(tmp_path)


@pytest.mark.parametrize("text", ["", '{"grid": 1}', '{"has_mask": true}', "\x00"])
def test_a_damaged_json_is_noticed_and_named(tmp_path, text):
    write(tmp_path, "k", crop())

    (tmp_path / "k.json").write_text(text)

    with pytest.raises(DamagedEntryError, match=r"k\.json is damaged .* prepares the case ag"):
        read(tmp_path)


def test_an_entry_of_another_size_is_damaged(tmp_path):
    write(tmp_path, "k", crop())

    with pytest.raises(DamagedEntryError, match=r"\(2, 3, 4, 5\), expected .*\(2, 4, 4, 4\)"):
        read(tmp_path, size=(4, 4, 4))


def test_half_the_bytes_read_back_rounded_and_are_memory_mapped(tmp_path):
    written = crop()
    written.images[1] *= 1000

    write(tmp_path, "k", written, "float16")
    mapped = read_entry(tmp_path, "k", "P01", CHANNELS, SIZE, "float16")
    found = read(tmp_path, storage="float16")

    assert isinstance(mapped.images, np.memmap)
    assert mapped.images.nbytes == written.images.nbytes // 2
    assert found.images.dtype == np.float32
    np.testing.assert_array_equal(found.images[0], written.images[0].astype(np.float16))
    np.testing.assert_array_equal(found.images[1], np.rint(written.images[1]))
    np.testing.assert_array_equal(found.mask, written.mask)


@pytest.mark.parametrize(("written", "asked"), [("float32", "float16"), ("float16", "float32")])
def test_an_entry_of_another_storage_is_damaged(tmp_path, written, asked):
    write(tmp_path, "k", crop(), written)

    with pytest.raises(DamagedEntryError, match=r"k\.images\.npy is damaged \(it holds .*expected"):
        read(tmp_path, storage=asked)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_array_of_half_the_bytes_is_noticed(tmp_path, damage):
    write(tmp_path, "k", crop(), "float16")

    DAMAGE[damage](tmp_path / "k.images.npy")

    with pytest.raises(DamagedEntryError, match=r"k\.images\.npy is damaged"):
        read(tmp_path, storage="float16")
