from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from mtsbench_cohorts.npc_folder import NpcFolder

from mtsbench.errors import DataError
from mtsbench.interfaces import KnownMasks

TABLE = "case_id,pfs_time,pfs_event,os_time,os_event,centre,age,sex\n"
ROWS = "b,300,1,400,0,North,61,male\na,200,0,,,South,,female\n"


def write(path, array, *, spacing=2.0, origin=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin(origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def write_case(root, case_id, *, mask=True):
    random = np.random.default_rng(len(case_id))
    write(root / case_id / "pet.nii.gz", random.random((3, 4, 5), dtype=np.float32), spacing=4.0)
    write(root / case_id / "ct.nii.gz", random.integers(-9, 9, (6, 8, 10)).astype(np.int16))
    if mask:
        labels = np.zeros((6, 8, 10), dtype=np.uint8)
        labels[2, 3, 4] = 1
        write(root / case_id / "mask.nii.gz", labels)


@pytest.fixture
def root(tmp_path):
    """Case a without mask, b complete, c without a row."""
    cohort = tmp_path / "cohort"
    write_case(cohort, "b")
    write_case(cohort, "a", mask=False)
    write_case(cohort, "c")
    (cohort / ".cache").mkdir()
    (cohort / "clinical.csv").write_text(TABLE + ROWS)
    return cohort


def test_every_case_folder_is_a_case_in_sorted_order(root):
    dataset = NpcFolder(root)

    assert dataset.case_ids == ("a", "b", "c")
    assert dataset.endpoints == ("pfs", "os")
    assert dataset.outcomes("pfs").case_ids == ("a", "b")
    assert dataset.outcomes("pfs").time.tolist() == [200.0, 300.0]
    assert dataset.outcomes("os").case_ids == ("b",)
    assert dataset.centres() == {"a": "South", "b": "North"}
    assert not dataset.simulated


def test_geometry_and_centre_rule_can_be_read(root):
    dataset = NpcFolder(root, test_centre="pet-uptake")

    assert dataset.natural_spacing == (2.0, 2.0, 2.0)
    assert dataset.natural_size == (96, 96, 96)
    assert dataset.test_centre == "pet-uptake"
    assert NpcFolder(root).test_centre == "field-of-view"


def test_a_case_keeps_its_grids_mask_and_clinical_values(root):
    case = NpcFolder(root).load("b")

    assert case.images["pet_suv"].grid.spacing == pytest.approx((4.0, 4.0, 4.0))
    assert case.images["ct_hu"].array.shape == (6, 8, 10)
    assert np.argwhere(case.mask.array).tolist() == [[2, 3, 4]]
    assert case.clinical == {"age": 61.0, "sex": "male"}


def test_a_case_without_mask_or_row_is_kept(root):
    dataset = NpcFolder(root)

    assert dataset.load("a").mask is None
    assert dataset.load("c").clinical == {"age": None, "sex": None}


def test_it_is_known_without_reading_which_cases_have_a_mask(root):
    dataset = NpcFolder(root)

    assert isinstance(dataset, KnownMasks)
    assert [dataset.has_mask(case_id) for case_id in dataset.case_ids] == [False, True, True]
    with pytest.raises(DataError, match="no case 'x' in"):
        dataset.has_mask("x")


def test_no_outcome_is_a_clinical_variable(root):
    dataset = NpcFolder(root)

    assert [variable.name for variable in dataset.clinical_variables] == ["age", "sex"]
    assert set(dataset.load("b").clinical) == {"age", "sex"}


def test_a_missing_root_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"no folder .*gone; give --data-root .* simulated cohort"):
        NpcFolder(tmp_path / "gone")


def test_a_root_without_cases_is_refused(tmp_path):
    (tmp_path / "clinical.csv").write_text("case_id\n")

    with pytest.raises(DataError, match=r"holds no case folder; expected <case id>/pet.nii.gz"):
        NpcFolder(tmp_path)


@pytest.mark.parametrize("name", ["pet.nii.gz", "ct.nii.gz"])
def test_a_case_without_pet_or_ct_is_named_with_the_file(root, name):
    (root / "c" / name).unlink()

    with pytest.raises(DataError, match=rf"case 'c': no file .*c.{name}; every folder"):
        NpcFolder(root)


def test_a_row_without_images_is_named_with_the_file(root):
    (root / "clinical.csv").write_text(TABLE + ROWS + "d,1,1,1,1,North,50,male\n")

    with pytest.raises(DataError, match=r"case 'd': no file .*d.pet.nii.gz; .*every row"):
        NpcFolder(root)


def test_a_path_escape_in_the_table_is_refused_even_where_it_leads_to_images(root):
    write_case(root.parent, "x")
    (root / "clinical.csv").write_text("case_id\n../x\n")

    with pytest.raises(DataError, match=r"line 2: '../x' is no case id"):
        NpcFolder(root)


def test_a_duplicate_row_is_refused(root):
    (root / "clinical.csv").write_text(TABLE + ROWS + ROWS)

    with pytest.raises(DataError, match=r"clinical.csv: case 'b' has two rows"):
        NpcFolder(root)


def test_an_unreadable_file_is_named_with_its_case(root):
    (root / "b" / "ct.nii.gz").write_bytes(b"no image")

    with pytest.raises(DataError, match=r"case 'b': cannot read .*b.ct\.nii\.gz as an image"):
        NpcFolder(root).load("b")


def test_nan_voxels_are_refused(root):
    array = np.zeros((3, 4, 5), dtype=np.float32)
    array[0, 0, 0] = np.nan
    write(root / "b" / "pet.nii.gz", array)

    with pytest.raises(DataError, match=r"case 'b': .*b.pet\.nii\.gz holds NaN or Inf in 1 vox"):
        NpcFolder(root).load("b")


def test_an_empty_mask_is_refused(root):
    write(root / "b" / "mask.nii.gz", np.zeros((6, 8, 10), dtype=np.uint8))

    with pytest.raises(DataError, match=r"case 'b': the mask .*b.mask\.nii\.gz is empty; mark"):
        NpcFolder(root).load("b")


def test_a_mask_with_other_labels_is_refused(root):
    write(root / "b" / "mask.nii.gz", np.full((6, 8, 10), 2, dtype=np.uint8))

    with pytest.raises(DataError, match=r"case 'b': the mask .*mask.nii.gz holds 2 among 480"):
        NpcFolder(root).load("b")


def test_a_mask_beside_the_ct_is_refused(root):
    write(root / "b" / "mask.nii.gz", np.ones((6, 8, 10), dtype=np.uint8), origin=(0, 0, 500.0))

    with pytest.raises(DataError, match=r"case 'b': the mask .*mask.nii.gz lies beside the CT .*"):
        NpcFolder(root).load("b")


def test_unknown_names_are_refused(root):
    dataset = NpcFolder(root)

    with pytest.raises(DataError, match=r"no case '\.\./x' in .*; it has 3 cases, a to c"):
        dataset.load("../x")
    with pytest.raises(DataError, match=r"has no endpoint 'rfs', only pfs, os; add the columns"):
        dataset.outcomes("rfs")


def test_a_copy_elsewhere_has_the_same_fingerprints(root, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    here, there = NpcFolder(root), NpcFolder(tmp_path / "copy")

    assert here.fingerprint() == there.fingerprint()
    assert here.case_fingerprint("b") == there.case_fingerprint("b")
    assert here.case_fingerprint("b") != here.case_fingerprint("c")


def test_a_changed_voxel_changes_the_case_and_the_cohort_only(root):
    before = NpcFolder(root)
    cohort, changed, other = (
        before.fingerprint(),
        before.case_fingerprint("b"),
        before.case_fingerprint("c"),
    )
    labels = np.zeros((6, 8, 10), dtype=np.uint8)
    labels[2, 3, 5] = 1
    write(root / "b" / "mask.nii.gz", labels)
    after = NpcFolder(root)

    assert after.fingerprint() != cohort
    assert after.case_fingerprint("b") != changed
    assert after.case_fingerprint("c") == other


def test_a_changed_outcome_changes_the_cohort_but_not_what_load_returns(root):
    cohort, case = NpcFolder(root).fingerprint(), NpcFolder(root).case_fingerprint("b")
    (root / "clinical.csv").write_text(TABLE + ROWS.replace("b,300", "b,301"))

    assert NpcFolder(root).fingerprint() != cohort
    assert NpcFolder(root).case_fingerprint("b") == case


def test_a_changed_clinical_value_changes_the_case(root):
    case = NpcFolder(root).case_fingerprint("b")
    (root / "clinical.csv").write_text(TABLE + ROWS.replace("61", "62"))

    assert NpcFolder(root).case_fingerprint("b") != case
