"""The three folder forms, told apart by the files they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from mtsbench_cohorts.hecktor_layout import find_layout, match_id

from mtsbench.errors import DataError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_2022_form_pairs_images_with_labels_of_either_spelling(tmp_path):
    touch(
        tmp_path,
        "imagesTr/CHUM-001__CT.nii.gz",
        "imagesTr/CHUM-001__PT.nii.gz",
        "imagesTr/CHUP-002__CT.nii.gz",
        "imagesTr/CHUP-002__PT.nii.gz",
        "imagesTs/USZ-001__CT.nii.gz",
        "imagesTs/USZ-001__PT.nii.gz",
        "labelsTr/CHUM_001.nii.gz",
        "labelsTr/CHUP-002.nii.gz",
        "hecktor2022_endpoint_training.csv",
    )

    layout = find_layout(tmp_path, "auto")

    assert layout.form == "2022"
    assert tuple(layout.cases) == ("CHUM-001", "CHUP-002", "USZ-001")
    assert layout.cases["CHUM-001"].mask.name == "CHUM_001.nii.gz"
    assert layout.cases["USZ-001"].mask is None
    assert [table.name for table in layout.tables] == ["hecktor2022_endpoint_training.csv"]


@pytest.mark.parametrize("second", ["Task 2", "Task_2"])
def test_the_2025_form_takes_the_masks_of_the_second_task_from_the_first(tmp_path, second):
    touch(
        tmp_path,
        "Task 1/MDA-001/MDA-001__CT.nii.gz",
        "Task 1/MDA-001/MDA-001__PT.nii.gz",
        "Task 1/MDA-001/MDA-001.nii.gz",
        "Task 1/HECKTOR_2025_Training_Task_1.csv",
        f"{second}/MDA-001/MDA-001__CT.nii.gz",
        f"{second}/MDA-001/MDA-001__PT.nii.gz",
        f"{second}/USZ-007/USZ-007__CT.nii.gz",
        f"{second}/USZ-007/USZ-007__PT.nii.gz",
        f"{second}/USZ-007/USZ-007__RTDOSE.nii.gz",
        f"{second}/HECKTOR_2025_Training_Task_2.csv",
    )

    layout = find_layout(tmp_path, "auto")

    assert layout.form == "2025"
    assert tuple(layout.cases) == ("MDA-001", "USZ-007")
    assert layout.cases["MDA-001"].mask == tmp_path / "Task 1/MDA-001/MDA-001.nii.gz"
    assert layout.cases["USZ-007"].mask is None
    assert len(layout.tables) == 2


def test_the_2026_form_has_one_folder_a_patient_and_a_factor_table(tmp_path):
    touch(
        tmp_path,
        "CHB-001/CHB-001__CT.nii.gz",
        "CHB-001/CHB-001__PT.nii.gz",
        "CHB-001/CHB-001.nii.gz",
        "HECKTOR_2026_Training.csv",
        "suv_conversion_tags.csv",
    )

    layout = find_layout(tmp_path, "2026")

    assert layout.form == "2026"
    assert layout.cases["CHB-001"].present() == [
        tmp_path / "CHB-001" / name
        for name in ("CHB-001__CT.nii.gz", "CHB-001__PT.nii.gz", "CHB-001.nii.gz")
    ]
    assert layout.factors == tmp_path / "suv_conversion_tags.csv"
    assert [table.name for table in layout.tables] == ["HECKTOR_2026_Training.csv"]


def test_a_patient_without_ct_is_named_with_the_missing_file(tmp_path):
    touch(tmp_path, "A/A__CT.nii.gz", "A/A__PT.nii.gz", "B/B__PT.nii.gz")

    with pytest.raises(DataError, match=r"case 'B': no file .*B__CT.nii.gz; .* 1 of 2 lack one"):
        find_layout(tmp_path, "auto")


def test_no_root_no_folder_and_no_patient_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="needs --data-root"):
        find_layout(None, "auto")
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        find_layout(Path(tmp_path / "nowhere"), "auto")
    with pytest.raises(DataError, match=r"HECKTOR 2022 or 2025 or 2026; looked for imagesTr"):
        find_layout(tmp_path, "auto")


def test_a_form_asked_for_is_the_only_one_tried(tmp_path):
    touch(tmp_path, "A/A__CT.nii.gz", "A/A__PT.nii.gz")

    with pytest.raises(DataError, match="in the form of HECKTOR 2022; looked for"):
        find_layout(tmp_path, "2022")


def test_ids_are_compared_without_regard_to_underscore_and_case():
    assert match_id(" chum_001") == match_id("CHUM-001")
