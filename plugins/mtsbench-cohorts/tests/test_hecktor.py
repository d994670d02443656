"""The HECKTOR dataset on tiny files of every kind, and on the real patients where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from mtsbench_cohorts.hecktor import build_hecktor

from mtsbench.errors import DataError
from mtsbench.interfaces import KnownMasks

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "sts_hecktor_layout"


def write(path, array, *, spacing=2.0, origin=(0.0, 0.0, 0.0)):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((spacing,) * 3)
    image.SetOrigin(origin)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def write_patient(root, case_id, *, pet_scale=1.0, label_origin=(0.0, 0.0, 0.0), labels=(1, 2)):
    folder = root / case_id
    random = np.random.default_rng(3)
    write(folder / f"{case_id}__CT.nii.gz", random.integers(-9, 9, (6, 8, 10)).astype(np.int16))
    pet = random.random((3, 4, 5), dtype=np.float32) * np.float32(5 * pet_scale)
    write(folder / f"{case_id}__PT.nii.gz", pet, spacing=4.0)
    # One row more than the CT, as some of HECKTOR's labels have.
    mask = np.zeros((6, 9, 10), dtype=np.uint8)
    for position, label in enumerate(labels):
        mask[2, 3, position] = label
    write(folder / f"{case_id}.nii.gz", mask, origin=label_origin)


@pytest.fixture
def root(tmp_path):
    write_patient(tmp_path, "CHUM-001")
    write_patient(tmp_path, "MDA-002")
    (tmp_path / "HECKTOR_2026_Training.csv").write_text(
        "PatientID,CenterID,Age,Relapse,RFS\nCHUM-001,2,59,1,266\n"
    )
    return tmp_path


def test_it_is_known_without_reading_which_cases_have_a_mask(root, tmp_path):
    (root / "MDA-002" / "MDA-002.nii.gz").unlink()
    dataset = build_hecktor(root)

    assert isinstance(dataset, KnownMasks)
    assert [dataset.has_mask(one) for one in dataset.case_ids] == [True, False]
    with pytest.raises(DataError, match="no case 'x' in"):
        dataset.has_mask("x")


def test_the_mask_of_task_2_is_that_of_task_1(tmp_path):
    """Form 2025: no mask lies beside the images of Task 2."""
    for case_id in ("CHUM-001", "MDA-002"):
        write_patient(tmp_path / "Task 2", case_id)
        (tmp_path / "Task 2" / case_id / f"{case_id}.nii.gz").unlink()
    write_patient(tmp_path / "Task 1", "MDA-002")
    dataset = build_hecktor(tmp_path, form="2025")

    assert [dataset.has_mask(one) for one in ("CHUM-001", "MDA-002")] == [False, True]
    assert dataset.load("MDA-002").mask is not None


def test_a_case_has_images_mask_and_clinical_values_on_their_own_grids(root):
    dataset = build_hecktor(root)
    case = dataset.load("CHUM-001")

    assert dataset.case_ids == ("CHUM-001", "MDA-002")
    assert dataset.endpoints == ("rfs",)
    assert dataset.outcomes("rfs").case_ids == ("CHUM-001",)
    assert dataset.centres() == {"CHUM-001": "2"}
    assert case.images["pet_suv"].grid.spacing == (4.0, 4.0, 4.0)
    assert case.images["ct_hu"].grid.size == (6, 8, 10)
    assert case.mask.grid.size == (6, 9, 10)
    assert dict(case.clinical) == {"age": 59.0}


def test_the_target_decides_whether_nodes_are_tumour(root):
    primary = build_hecktor(root).load("CHUM-001").mask
    both = build_hecktor(root, target="primary+nodes").load("CHUM-001").mask

    assert (primary.array.sum(), both.array.sum()) == (1, 2)
    assert (
        build_hecktor(root).fingerprint()
        != build_hecktor(root, target="primary+nodes").fingerprint()
    )


def test_a_patient_without_a_contoured_primary_has_an_empty_mask(root):
    write_patient(root, "MDA-002", labels=(2,))

    assert not build_hecktor(root).load("MDA-002").mask.array.any()


def test_a_cohort_without_table_has_no_endpoint(root):
    (root / "HECKTOR_2026_Training.csv").unlink()

    dataset = build_hecktor(root)

    assert dataset.endpoints == ()
    with pytest.raises(DataError, match=r"no endpoint 'rfs', only none"):
        dataset.outcomes("rfs")


def test_pet_in_becquerel_is_refused_without_a_factor_and_converted_with_one(root):
    write_patient(root, "MDA-002", pet_scale=4000)
    with pytest.raises(DataError, match=r"case 'MDA-002': .*likely Bq/ml; list the case in suv_"):
        build_hecktor(root).load("MDA-002")

    (root / "suv_conversion_tags.csv").write_text("pid,bqml_to_suvbw_factor\nMDA-002,0.00025\n")
    converted = build_hecktor(root).load("MDA-002").images["pet_suv"].array

    expected = build_hecktor(root).load("CHUM-001").images["pet_suv"].array
    assert np.allclose(converted, expected, rtol=1e-5)


def test_a_mask_beside_the_ct_is_refused(root):
    write_patient(root, "MDA-002", label_origin=(500.0, 0.0, 0.0))

    with pytest.raises(DataError, match=r"case 'MDA-002': .*MDA-002.nii.gz lies beside the CT"):
        build_hecktor(root).load("MDA-002")


def test_a_strange_label_is_refused(root):
    write_patient(root, "MDA-002", labels=(7,))

    with pytest.raises(DataError, match=r"case 'MDA-002': the mask .* holds 7"):
        build_hecktor(root).load("MDA-002")


def test_an_unknown_case_is_refused(root):
    with pytest.raises(DataError, match=r"no case 'X' in .* 2 cases, CHUM-001 to MDA-002"):
        build_hecktor(root).load("X")


def test_fingerprints_change_with_the_files_and_the_clinical_values(root):
    before = build_hecktor(root)
    marks = {case_id: before.case_fingerprint(case_id) for case_id in before.case_ids}
    whole = before.fingerprint()

    table = root / "HECKTOR_2026_Training.csv"
    table.write_text(table.read_text().replace(",59,", ",60,"))
    after = build_hecktor(root)

    assert after.case_fingerprint("CHUM-001") != marks["CHUM-001"]
    assert after.case_fingerprint("MDA-002") == marks["MDA-002"]
    assert after.fingerprint() != whole


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason="the open sarcoma cohort is not beside the checkout")
def test_all_real_patients_are_read_with_finite_images_and_plausible_masks():
    dataset = build_hecktor(REAL)
    outcomes = dataset.outcomes("rfs")

    assert (len(dataset.case_ids), len(outcomes), int(outcomes.event.sum())) == (51, 51, 27)
    for case_id in dataset.case_ids:
        case = dataset.load(case_id)
        volume = case.mask.array.sum() * np.prod(case.mask.grid.spacing) / 1000
        assert 17 <= volume <= 2400, case_id
        assert case.images["pet_suv"].grid.size != case.images["ct_hu"].grid.size
        assert 3 < case.images["pet_suv"].array.max() < 60, case_id
        assert set(case.clinical) == {"age", "gender", "treatment", "grade", "histology"}
