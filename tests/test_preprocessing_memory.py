"""How much host memory real patients take while they are prepared, in a process of its own."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "sts_hecktor_layout"
GIB = 1024.0  # MiB
# What allocators keep may differ from run to run; one more case at once would be far above.
MARGIN = 64.0

PREPARE = """
import sys
from pathlib import Path
import mtsbench.engine.deep_model, mtsbench.runner  # what a run has in memory beside the cases
from mtsbench.machine import peak_memory_mib
from mtsbench.preprocessing import CaseCache, Preprocessing, PreprocessingSettings
from mtsbench_cohorts.hecktor import build_hecktor

root, folder, side = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
dataset = build_hecktor(root)
settings = PreprocessingSettings(size=(side,) * 3, spacing=(256 / side,) * 3)
cache = CaseCache(folder, dataset, settings)
requests = Preprocessing.requests(dataset, dataset.case_ids, settings)
cache.prepare(requests, workers=2, progress=lambda done, total: None)
print(len(dataset.case_ids), peak_memory_mib())
"""

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not REAL.is_dir(), reason="the shared folder with real data is absent"),
]


def prepared(root: Path, folder: Path, side: int) -> tuple[int, float]:
    """Cases, and the peak of resident memory in MiB."""
    pytest.importorskip("mtsbench_cohorts")
    arguments = [sys.executable, "-c", PREPARE, str(root), str(folder), str(side)]
    # Linux hands the peak of a process on to what it starts; the shell between has a small one.
    done = subprocess.run(
        ["sh", "-c", '"$@"; exit $?', "sh", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    cases, peak = done.stdout.split()
    return int(cases), float(peak)


def copied(root: Path, times: int) -> Path:
    """The cohort several times over: other ids, the same images."""
    root.mkdir()
    table = next(REAL.glob("*.csv"))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (root / table.name).open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for copy in range(times):
            for row in rows:
                old = row["PatientID"]
                new = f"C{copy}-{old}"
                writer.writerow({**row, "PatientID": new})
                (root / new).mkdir()
                for path in (REAL / old).iterdir():
                    (root / new / path.name.replace(old, new)).symlink_to(path)
    return root


def test_the_51_sarcoma_patients_are_prepared_in_less_than_a_gibibyte(tmp_path):
    cases, peak = prepared(REAL, tmp_path, side=32)

    assert cases == 51
    assert 100 < peak < GIB


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_ten_times_as_many_patients_take_no_more_memory(tmp_path):
    cohort = copied(tmp_path / "cohort", times=10)

    few, little = prepared(REAL, tmp_path / "few", side=64)
    shutil.rmtree(tmp_path / "few")
    many, much = prepared(cohort, tmp_path / "many", side=64)
    shutil.rmtree(tmp_path / "many")

    assert (few, many) == (51, 510)
    assert little < GIB
    assert much < little + MARGIN
