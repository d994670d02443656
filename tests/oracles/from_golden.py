"""Makes the oracle files of this folder from the golden values beside the repository.

    python tests/oracles/from_golden.py ../shared/golden

The golden values come from make_golden.R (R 4.2.2, survival 3.5-3, whose data are LGPL) and
seg_golden.py (MONAI, medpy, surface-distance, SimpleITK) in that folder; its README has versions.
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


if __name__ == "__main__":
    here = Path(__file__).parent
    for make in (concordance, segmentation):
        (here / f"{make.__name__}.json").write_text(json.dumps(make(Path(sys.argv[1]))) + "\n")
