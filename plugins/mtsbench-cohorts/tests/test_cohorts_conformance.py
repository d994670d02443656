"""Every dataset of this package keeps the promises of the conformance kit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from mtsbench.testing import DatasetContract, PluginContract

PATIENTS = 14
COLUMNS = {"metabric": 9, "support": 14, "gbsg": 7}


def write(path, array, spacing):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((spacing,) * 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))


def write_images(pet, ct, mask, number):
    random = np.random.default_rng(number)
    write(pet, random.random((3, 4, 5), dtype=np.float32) * np.float32(5), spacing=4.0)
    write(ct, random.integers(-9, 9, (6, 8, 10)).astype(np.int16), spacing=2.0)
    labels = np.zeros((6, 8, 10), dtype=np.uint8)
    labels[2, 3, 2 + number % 5] = 1
    write(mask, labels, spacing=2.0)


def follow_up(number):
    """Days and event; the age of a patient has another order."""
    return 100 + 37 * number, number % 3 > 0, 40 + number * 5 % PATIENTS


@pytest.fixture(scope="module", autouse=True)
def cohorts(tmp_path_factory):
    """Small cohorts in the form of each dataset that is read from a folder."""
    hecktor, npc = tmp_path_factory.mktemp("hecktor"), tmp_path_factory.mktemp("npc")
    rows, lines = ["PatientID,CenterID,Age,Relapse,RFS"], ["case_id,pfs_time,pfs_event,centre,age"]
    for number in range(PATIENTS):
        days, event, age = follow_up(number)
        name = f"CHUM-{number:03}"
        files = (f"{name}__PT.nii.gz", f"{name}__CT.nii.gz", f"{name}.nii.gz")
        write_images(*(hecktor / name / one for one in files), number)
        rows.append(f"{name},{1 + number % 2},{age},{event:d},{days}")
        files = ("pet.nii.gz", "ct.nii.gz", "mask.nii.gz")
        write_images(*(npc / name / one for one in files), number)
        lines.append(f"{name},{days},{event:d},North,{age}")
    (hecktor / "HECKTOR_2026_Training.csv").write_text("\n".join(rows) + "\n")
    (npc / "clinical.csv").write_text("\n".join(lines) + "\n")
    TestHecktor.root, TestNpcFolder.root = hecktor, npc
    for contract in (TestMetabric, TestSupport, TestGbsg):
        contract.root = write_table(tmp_path_factory.mktemp("table"), contract.component)


def write_table(folder, name):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {f"x{number}": random.normal(size=PATIENTS) for number in range(COLUMNS[name])}
        | {"duration": np.arange(1.0, PATIENTS + 1), "event": np.arange(PATIENTS) % 2}
    )
    table.to_feather(folder / f"{name}.feather")
    return folder


class TestPackage(PluginContract):
    distribution = "mtsbench-cohorts"


class TestSimulatedNpc(DatasetContract):
    component = "npc"
    options = {"cases": 16}


class TestNpcFolder(DatasetContract):
    component = "npc"


class TestHecktor(DatasetContract):
    component = "hecktor"


class TestVeteran(DatasetContract):
    component = "veteran"


class TestWhas500(DatasetContract):
    component = "whas500"


class TestGbsg2(DatasetContract):
    component = "gbsg2"


class TestMetabric(DatasetContract):
    component = "metabric"


class TestSupport(DatasetContract):
    component = "support"


class TestGbsg(DatasetContract):
    component = "gbsg"
