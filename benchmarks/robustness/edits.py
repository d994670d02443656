"""Edits of what the files of a run say, as by hand or by another program."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pandas as pd
from run_files import trials


def _put(path: Path, content: dict[str, object], name: str, value: object) -> str:
    content[name] = value
    path.write_text(json.dumps(content, indent=2))
    return f"{path.name}: {name} is {value}"


def edit_a_score(run: Path, draw: random.Random) -> str:
    """A score of a record, by hand."""
    path = trials(run, draw)[0] / "record.json"
    record = json.loads(path.read_text())
    defined = [name for name, score in record["scores"].items() if score["value"] is not None]
    name = draw.choice(sorted(defined))
    record["scores"][name]["value"] = draw.choice([0.99, 1, float("nan"), "0.9", None, True])
    path.write_text(json.dumps(record, indent=2))
    return f"record.json: {name} is {record['scores'][name]['value']}"


def edit_a_record(run: Path, draw: random.Random) -> str:
    """Something else of a record."""
    path = trials(run, draw)[0] / "record.json"
    record = json.loads(path.read_text())
    name, value = draw.choice(
        [
            ("simulated", "False"),
            ("simulated", True),
            ("fold", 7),
            ("seed", "0"),
            ("key", "f" * 64),
            ("cases", {"train": 1, "validation": 1, "test": 1}),
            ("peak_memory_mib", float("inf")),
            ("more", 1),
        ]
    )
    return _put(path, record, name, value)


def edit_the_description(run: Path, draw: random.Random) -> str:
    """Something of `run.json`."""
    path = run / "run.json"
    found = json.loads(path.read_text())
    name, value = draw.choice(
        [
            ("events", 1),
            ("cases", 99999),
            ("trials", 1),
            ("tau", 1.0),
            ("simulated", "False"),
            ("simulated", True),
            ("name", "another"),
            ("splits_sha256", "0" * 64),
            ("method", {**found["method"], "needs_mask_at_test": "False"}),
            ("method", {**found["method"], "model": "deepmts"}),
            ("question", {**found["question"], "endpoint": "pfs"}),
            ("schema_version", 1),
        ]
    )
    return _put(path, found, name, value)


def edit_the_outcomes(run: Path, draw: random.Random) -> str:
    """The follow-up of a patient."""
    path = run / "outcomes.parquet"
    table = pd.read_parquet(path)
    row, what = draw.randrange(len(table)), draw.randrange(5)
    if what == 0:
        table.loc[row, "time"] = 1.0
    elif what == 1:
        table["event"] = ~table["event"]
    elif what == 2:
        table["event"] = table["event"].map(str)
    elif what == 3:
        table.loc[row, "time"] = float("nan")
    else:
        table = table.drop(index=row)
    table.to_parquet(path, index=False)
    return f"outcomes.parquet: way {what}"


def edit_the_splits(run: Path, draw: random.Random) -> str:
    """Who is tested where."""
    path = run / "splits.json"
    splits = json.loads(path.read_text())
    what = draw.randrange(4)
    if what == 0:
        splits[0]["test"].append(splits[0]["train"].pop())
    elif what == 1:
        splits.pop()
    elif what == 2:
        splits.append(splits[0])
    else:
        splits.reverse()
    path.write_text(json.dumps(splits, indent=1))
    return f"splits.json: way {what}"


def edit_predictions(run: Path, draw: random.Random) -> str:
    """What a trial says of a patient."""
    name = draw.choice(["predictions.parquet", "training_risk.parquet"])
    path = trials(run, draw)[0] / name
    table = pd.read_parquet(path)
    row, what = draw.randrange(len(table)), draw.randrange(5)
    if what == 0:
        table.loc[row, "risk"] = 99.0
    elif what == 1:
        table["risk"] = -table["risk"]
    elif what == 2:
        table.loc[row, "risk"] = float("nan")
    elif what == 3:
        table = table.drop(index=row)
    else:
        table["risk"] = table["risk"].map(str)
    table.to_parquet(path, index=False)
    return f"{name}: way {what}"


def edit_the_checksums(run: Path, draw: random.Random) -> str:
    """The list of what was written, of the run or of a trial."""
    path = draw.choice([run, *trials(run, draw)]) / "checksums.json"
    whole = json.loads(path.read_text())
    sums = whole["content"]
    name, what = draw.choice(sorted(sums["files"])), draw.randrange(5)
    if what == 0:
        del sums["files"][name]
    elif what == 1:
        sums["files"][name]["sha256"] = "0" * 64
    elif what == 2:
        sums["files"][name]["bytes"] += 1
    elif what == 3:
        sums["of"] = "another"
    else:
        sums["files"] = {}
    path.write_text(json.dumps(whole))
    return f"{path.parent.name}/checksums.json: way {what} at {name}"
