"""Run every baseline, the ablations and DeepMTS on two cohorts and write the tables.

    python benchmarks/baselines.py [--out runs-baselines] [--only npc]

Runs on the simulated NPC cohort and on the real patients in the folder of `--hecktor-root`, both
with preset `demo`. Finished trials are not done again, so a run that was cut off goes on. The
tables between the markers of `benchmarks/README.md` are written from the runs in `--out`; the row
of a model that has none there stays as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mtsbench.store import RunStore

HERE = Path(__file__).parent
MODELS = (
    "km",
    "clinical-cox",
    "clinical-rsf",
    "volume",
    "radiomics-coxnet",
    "radiomics-rsf",
    "radiomics-gbm",
    "radiomics-icare",
    "volume-threshold",
    "radiomics-coxnet-threshold",
    "radiomics-rsf-threshold",
    "radiomics-gbm-threshold",
    "radiomics-icare-threshold",
    "deepmts",
    "deepmts-no-segmentation",
    "singletask-resnet18",
    "deepmts-no-cascade",
    "deepmts-cascade-only",
    "deepmts-dense-alone",
    "singletask-resnet18-masked",
    "singletask-densenet121",
    "singletask-densenet121-masked",
    "deepconvsurv",
    "clinical-deep",
    "deepmts-hard-mask",
    "deepmts-detached-mask",
    "volume-predicted",
    "radiomics-coxnet-predicted",
    "radiomics-rsf-predicted",
    "radiomics-gbm-predicted",
    "radiomics-icare-predicted",
    "deepmts-radiomics",
)


def run(model: str, dataset: str, arguments: list[str], out: Path) -> None:
    """One `mtsbench run`, and what became of it."""
    command = [
        *(sys.executable, "-m", "mtsbench", "run", "--model", model, "--dataset", dataset),
        *("--preset", "demo", "--device", "cpu", "--out", str(out), "--json"),
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    failed = done.returncode != 0
    said = done.stderr.strip().splitlines()[-1] if failed else "done"
    print(f"{dataset} {model}: {said}", flush=True)


def finished(out: Path, dataset: str) -> list[dict[str, Any]]:
    """The runs on a dataset whose trials are all done or failed, in the order of `MODELS`."""
    found = {}
    for folder in sorted(out.glob("*/run.json")):
        description = json.loads(folder.read_text())
        if description["question"]["dataset"] != dataset:
            continue
        store = RunStore(folder.parent)
        trials = [json.loads(record.model_dump_json()) for record in store.records()]
        failures = [json.loads(one.model_dump_json()) for one in store.failures()]
        if len(trials) + len(failures) == description["trials"]:
            found[description["method"]["model"]] = {
                "run": description,
                "trials": trials,
                "failures": failures,
            }
    return [found[model] for model in MODELS if model in found]


def mean(found: dict[str, Any], part: str, name: str) -> float | None:
    """A score's mean over the trials where it is defined."""
    scores = [trial[part].get(name) for trial in found["trials"]]
    values = [score["value"] for score in scores if score and score["value"] is not None]
    return sum(values) / len(values) if values else None


def text(value: float | None) -> str:
    """Three decimals or a dash."""
    return "–" if value is None else f"{value:.3f}"


def score_table(runs: list[dict[str, Any]], before: dict[str, str]) -> list[str]:
    """One row a model, in Markdown: of its run, else the one that stood there before."""
    oracle = mean(runs[0], "oracle", "harrell-c")
    rows = dict(before)
    for found in runs:
        method = found["run"]["method"]
        c_index = mean(found, "scores", "harrell-c")
        folds = [trial["scores"]["harrell-c"]["value"] for trial in found["trials"]]
        name = method["model"] + (" (given the true mask)" * method["needs_mask_at_test"])
        missing = f" ({len(found['failures'])} failed)" if found["failures"] else ""
        rows[method["model"]] = (
            f"| {name} | {text(c_index)}{missing} | {', '.join(text(one) for one in folds)} | "
            f"{text(mean(found, 'scores', 'dice'))} | `{found['run']['name']}` |"
        )
    lines = ["| model | C | folds | Dice | run |", "|---|---|---|---|---|", *in_order(rows)]
    if oracle is not None:
        lines.append(f"| oracle (true hazard) | {text(oracle)} | | | |")
    return lines


def recovery_table(runs: list[dict[str, Any]], before: dict[str, str]) -> list[str]:
    """Rank correlation of each model's risk with each factor, in Markdown; rows as above."""
    factors = list(runs[0]["trials"][0]["oracle_recovery"])
    oracle = mean(runs[0], "oracle", "harrell-c") or float("nan")
    rows = dict(before)
    for found in runs:
        c_index = mean(found, "scores", "harrell-c")
        share = "–" if c_index is None else f"{(c_index - 0.5) / (oracle - 0.5):.2f}"
        cells = " | ".join(text(mean(found, "recovery", name)) for name in factors)
        model = found["run"]["method"]["model"]
        rows[model] = f"| {model} | {share} | {cells} |"
    names = " | ".join(name.replace("_", " ") for name in factors)
    lines = [f"| model | share of oracle | {names} |", "|---|---|" + "---|" * len(factors)]
    cells = " | ".join(text(mean(runs[0], "oracle_recovery", name)) for name in factors)
    return [*lines, *in_order(rows), f"| oracle (true hazard) | 1.00 | {cells} |"]


def in_order(rows: dict[str, str]) -> list[str]:
    """Rows of models in the order of `MODELS`."""
    return [rows[model] for model in MODELS if model in rows]


def not_run(table: list[str]) -> list[str]:
    """What of `MODELS` the table lacks, so that no reader takes it for all."""
    there = rows_of(table)
    missing = [model for model in MODELS if model not in there]
    return ["", f"Not run yet: {', '.join(missing)}."] if missing else []


def rows_of(table: list[str]) -> dict[str, str]:
    """Model to its row."""
    cells = {line.split(" | ")[0].split()[1]: line for line in table if line.startswith("| ")}
    return {model: line for model, line in cells.items() if model in MODELS}


def parts(section: str) -> tuple[str, str, str]:
    """The README up to a section's marker, the section, and what follows."""
    begin, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->"
    before, _, rest = (HERE / "README.md").read_text().partition(begin)
    inside, _, after = rest.partition(end)
    return before + begin, inside, end + after


def write(section: str, lines: list[str]) -> None:
    """Replace what stands between the markers of a section of the README."""
    before, _, after = parts(section)
    (HERE / "README.md").write_text(before + "\n".join(lines) + "\n" + after)


def standing(section: str) -> dict[str, str]:
    """The rows of a section as they are."""
    return rows_of(parts(section)[1].splitlines())


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("runs-baselines"))
    parser.add_argument("--only", choices=("npc", "hecktor"))
    parser.add_argument("--models", help="names separated by commas, empty for none")
    parser.add_argument(
        "--hecktor-root", type=Path, default=HERE.parents[1] / "shared/data/sts_hecktor_layout"
    )
    chosen = parser.parse_args()
    models = MODELS if chosen.models is None else tuple(filter(None, chosen.models.split(",")))
    where = {"npc": [], "hecktor": [f"--data-root={chosen.hecktor_root}"]}
    for dataset, arguments in where.items():
        if chosen.only in (None, dataset):
            for model in models:
                run(model, dataset, arguments, chosen.out)
            found = finished(chosen.out, dataset)
            section = f"scores on {dataset}"
            if found:
                table = score_table(found, standing(section))
                write(section, [*table, *not_run(table)])
            if found and dataset == "npc":
                write("recovery", recovery_table(found, standing("recovery")))


if __name__ == "__main__":
    main()
