"""What R and other Python libraries gave, and the patients they were given: read by test_golden_*.

`oracles/golden` holds the values; `oracles/from_golden.py` made it. Tolerances are those of
../shared/golden/README.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "oracles" / "golden"
SHARED = Path(__file__).parents[2] / "shared" / "golden"
EXACT = 1e-9  # README: C, counts, jackknife, KM, log-rank, Brier, AUC
FITTED = 1e-6  # README: Cox coefficients, ICI
DATASETS = ("veteran", "lung", "pbc")


def read(name: str):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def table(name: str) -> dict[str, np.ndarray]:
    path = GOLDEN / f"data_{name}.csv"
    with path.open() as file:
        columns = file.readline().strip().split(",")
    return dict(zip(columns, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


def patients(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    columns = table(name)
    return columns, columns["time"], columns["status"] == 1


def near(value, expected, tolerance: float = EXACT) -> None:
    expected = np.array(expected, dtype=np.float64)
    assert np.shape(value) == expected.shape
    assert value == pytest.approx(expected, abs=tolerance, rel=tolerance)


def demsar() -> tuple[list[str], np.ndarray]:
    """Models, and their scores on each dataset."""
    with (GOLDEN / "multi_demsar2006.csv").open() as file:
        header, *rows = (line.strip().split(",") for line in file)
    return header[1:], np.array([[float(cell) for cell in row[1:]] for row in rows])
