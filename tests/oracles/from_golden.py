"""Makes the oracle files of this folder from the golden values beside the repository.

    python tests/oracles/from_golden.py ../shared/golden

`golden/` holds the JSON files of golden values as they are, and of the tables the columns that
the tests read. The golden values come from make_golden.R (R 4.2.2, survival 3.5-3, whose data are
LGPL), crosscheck.py (SurvivalEVAL, scikit-survival, lifelines, pycox) and seg_golden.py (MONAI,
medpy, surface-distance, SimpleITK) in that folder; its README has versions.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path


def concordance(golden: Path) -> dict[str, object]:
    """Harrell's C and pair counts by R, with the times, events and risks they were made from."""
    made_by_r = json.loads((golden / "concordance.json").read_text())
    datasets = {}
    for name in ("veteran", "lung", "pbc"):
        with (golden / f"data_{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        datasets[name] = {
            "time": [float(row["time"]) for row in rows],
            "event": [int(row["status"]) for row in rows],
            "risk": {model: [float(row[f"app_lp{model}"]) for row in rows] for model in "AB"},
            "c": {model: made_by_r[name]["apparent"]["harrell"][model]["C"] for model in "AB"},
        }
    edge_cases = json.loads((golden / "edge_cases.json").read_text())
    return {
        "source": "R survival::concordance(timewt='n'), reverse=TRUE; apparent Cox predictors",
        "datasets": datasets,
        "edge_cases": {
            name: {
                "time": case["time"],
                "event": case["status"],
                "risk": case["risk"],
                "c": case["harrell"]["C"],
            }
            for name, case in edge_cases.items()
        },
    }


def segmentation(golden: Path) -> dict[str, object]:
    """Dice of mask pairs, on which five libraries and a definition in numpy agree."""
    cases = json.loads((golden / "segmentation.json").read_text())["cases"]
    return {
        "source": "seg_golden.py: numpy definition, MONAI 1.6.1, medpy 0.5.2, SimpleITK 2.5.7",
        "cases": {
            name: {
                "voxels": [case["reference"]["voxels"], case["prediction"]["voxels"]],
                "spacing": case["spacing"],
                "dice": case["reference_impl"]["dice"],
            }
            for name, case in cases.items()
        },
    }


ANSWERS = (
    "concordance",
    "survival_basics",
    "external_gbsg",
    "edge_cases",
    "bootstrap_check",
    "python_reference",
    "segmentation",
)
TABLES = {  # columns that begin so, and significant digits that keep ties and 1e-9
    "veteran": (("time", "status", "app_lp", "fold_", "oof_lp"), 17),
    "lung": (("time", "status", "app_lp", "fold_", "oof_lp"), 17),
    "pbc": (("time", "status", "app_lp", "fold_", "oof_lp"), 17),
    "gbsg_external": (("time", "status", "lp", "S"), 17),
    "gbsg_external_gridB": (("SB_",), 13),
    "veteran_stratcox_curves": (("time", "status", "S_"), 13),
}


def copy_golden(golden: Path, folder: Path) -> None:
    """The golden values that `test_golden_*.py` reproduce."""
    folder.mkdir(exist_ok=True)
    for name in ANSWERS:
        (folder / f"{name}.json").write_bytes((golden / f"{name}.json").read_bytes())
    for name, (columns, digits) in TABLES.items():
        with (golden / f"data_{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        kept = [column for column in rows[0] if column.startswith(columns)]
        lines = [",".join(f"{float(row[column]):.{digits}g}" for column in kept) for row in rows]
        (folder / f"data_{name}.csv").write_text("\n".join([",".join(kept), *lines]) + "\n")


if __name__ == "__main__":
    here = Path(__file__).parent
    copy_golden(Path(sys.argv[1]), here / "golden")
    for make in (concordance, segmentation):
        (here / f"{make.__name__}.json").write_text(json.dumps(make(Path(sys.argv[1]))) + "\n")
