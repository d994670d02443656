"""The ways in which the folder of a run is changed. Each returns what it did."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd

Change = Callable[[Path, random.Random], str]


def _any_file(run: Path, draw: random.Random) -> Path:
    return draw.choice(sorted(path for path in run.rglob("*") if path.is_file()))


def _trials(run: Path, draw: random.Random) -> list[Path]:
    found = sorted((run / "trials").iterdir())
    draw.shuffle(found)
    return found


def _edit(path: Path, old: str, new: str) -> str:
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1))
    return f"{path.name}: {old} to {new}"


def flip_a_bit(run: Path, draw: random.Random) -> str:
    """One bit of any file."""
    path = _any_file(run, draw)
    content = bytearray(path.read_bytes())
    if not content:
        return f"nothing in {path.name}"
    place, bit = draw.randrange(len(content)), draw.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"{path.name}: bit {bit} of byte {place}"


def cut_off(run: Path, draw: random.Random) -> str:
    """Any file, at any length."""
    path = _any_file(run, draw)
    length = draw.randrange(path.stat().st_size or 1)
    os.truncate(path, length)
    return f"{path.name}: cut off at {length}"


def zero_a_block(run: Path, draw: random.Random) -> str:
    """Zeros where a block of any file was, as after a power cut."""
    path = _any_file(run, draw)
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content) or 1)
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    path.write_bytes(content)
    return f"{path.name}: zeros from {start}"


def append(run: Path, draw: random.Random) -> str:
    """Bytes at the end of any file."""
    path = _any_file(run, draw)
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randrange(1, 9)))
    return f"{path.name}: longer"


def delete(run: Path, draw: random.Random) -> str:
    """Any file."""
    path = _any_file(run, draw)
    path.unlink()
    return f"{path.name}: deleted"


def edit_a_score(run: Path, draw: random.Random) -> str:
    """A score of a record, by hand."""
    path = _trials(run, draw)[0] / "record.json"
    record = json.loads(path.read_text())
    defined = [name for name, score in record["scores"].items() if score["value"] is not None]
    name = draw.choice(sorted(defined))
    record["scores"][name]["value"] = draw.choice([0.99, 1, float("nan"), "0.9", None, True])
    path.write_text(json.dumps(record, indent=2))
    return f"record.json: {name} is {record['scores'][name]['value']}"


def edit_a_record(run: Path, draw: random.Random) -> str:
    """Something else of a record."""
    path = _trials(run, draw)[0] / "record.json"
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
    record[name] = value
    path.write_text(json.dumps(record, indent=2))
    return f"record.json: {name} is {value}"


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
    found[name] = value
    path.write_text(json.dumps(found, indent=2))
    return f"run.json: {name} is {value}"


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
    path = _trials(run, draw)[0] / name
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
    path = draw.choice([run, *_trials(run, draw)]) / "checksums.json"
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


def copy_a_trial(run: Path, draw: random.Random) -> str:
    """A trial's folder, under another name beside it."""
    trial = _trials(run, draw)[0]
    name = draw.choice([f"{trial.name} copy", "0" * 16, trial.name[:-1], ".hidden"])
    shutil.copytree(trial, trial.with_name(name))
    return f"copied to {name}"


def copy_a_trial_over_another(run: Path, draw: random.Random) -> str:
    """One trial's folder in the place of another."""
    one, two = _trials(run, draw)[:2]
    shutil.rmtree(two)
    shutil.copytree(one, two)
    return "copied over another"


def rename_a_trial(run: Path, draw: random.Random) -> str:
    """A trial's folder."""
    trial = _trials(run, draw)[0]
    trial.rename(trial.with_name(draw.choice(["renamed", "0" * 16, f".{trial.name}.partial"])))
    return "a trial renamed"


def swap_two_trials(run: Path, draw: random.Random) -> str:
    """Two trials' folders."""
    one, two = _trials(run, draw)[:2]
    one.rename(run / "for a moment")
    two.rename(one)
    (run / "for a moment").rename(two)
    return "two trials swapped"


def swap_a_file(run: Path, draw: random.Random) -> str:
    """The same file of two trials."""
    one, two = _trials(run, draw)[:2]
    name = draw.choice(sorted(path.name for path in one.iterdir()))
    content = [(trial / name).read_bytes() for trial in (one, two)]
    (one / name).write_bytes(content[1])
    (two / name).write_bytes(content[0])
    return f"{name} of two trials swapped"


def take_a_file_of_the_other_run(run: Path, draw: random.Random) -> str:
    """A file of the other model's run."""
    other = next(path for path in sorted(run.parent.iterdir()) if path != run)
    name = draw.choice(["run.json", "outcomes.parquet", "splits.json", "checksums.json", "both"])
    for one in ("run.json", "checksums.json") if name == "both" else (name,):
        shutil.copy(other / one, run / one)
    return f"{name} of the other run"


def add_a_file(run: Path, draw: random.Random) -> str:
    """A file that mtsbench did not write."""
    trial = _trials(run, draw)[0]
    name = draw.choice(
        ["notes.txt", ".DS_Store", "slices.safetensors", "predictions.csv", "x.json"]
    )
    place = draw.choice([trial, run, run / "trials"])
    (place / name).write_bytes(draw.randbytes(40))
    return f"{name} added to {place.name}"


def forge_a_failure(run: Path, draw: random.Random) -> str:
    """A record of a trial that crashed."""
    (run / "failed").mkdir()
    trial = _trials(run, draw)[0]
    name = draw.choice([trial.name, "0" * 16, "copy"])
    (run / "failed" / f"{name}.json").write_text(draw.choice(["{}", "", '{"seed": 1}']))
    return f"failed/{name}.json forged"


def link(run: Path, draw: random.Random) -> str:
    """A link in the place of a file or of a trial."""
    one, two = _trials(run, draw)[:2]
    what = draw.randrange(4)
    name = draw.choice(["record.json", "predictions.parquet", "table_model.json"])
    if what == 0:
        (one / name).unlink()
        (one / name).symlink_to(two / name)
    elif what == 1:
        (one / name).unlink()
        (one / name).symlink_to(run / "nowhere")
    else:
        shutil.rmtree(one)
        one.symlink_to(two if what == 2 else run / "nowhere")
    return f"link, way {what}, {name}"


def change_the_kind(run: Path, draw: random.Random) -> str:
    """A folder where a file was, or a file where a folder was."""
    if draw.random() < 0.3:
        trial = _trials(run, draw)[0]
        shutil.rmtree(trial)
        trial.write_text("a file")
        return "a trial is a file"
    path = draw.choice(sorted(path for path in (run / "trials").rglob("*") if path.is_file()))
    path.unlink()
    path.mkdir()
    return f"{path.name} is a folder"


def write_it_again(run: Path, draw: random.Random) -> str:
    """The same content in other bytes, as editors and version control do."""
    path = draw.choice(sorted(run.rglob("*.json")))
    text, what = path.read_text(), draw.randrange(3)
    if what == 0:
        path.write_text(json.dumps(json.loads(text)))
    elif what == 1:
        path.write_bytes(text.replace("\n", "\r\n").encode())
    else:
        path.write_text(text + "\n")
    return f"{path.name}: written again, way {what}"


def leave_a_note(run: Path, draw: random.Random) -> str:
    """The note of a process on another machine that ended long ago, whole or not."""
    note = {
        "host": "elsewhere",
        "machine": "another",
        "process": 7,
        "since": "2026-01-01 12:00:00",
        "command": "mtsbench run",
        "mark": "m",
    }
    path = run / ".holder.json"
    path.write_text(draw.choice([json.dumps(note), "", "{"]))
    os.utime(path, (1e9, 1e9))
    return ".holder.json left"


CHANGES: tuple[Change, ...] = (
    flip_a_bit,
    cut_off,
    zero_a_block,
    append,
    delete,
    edit_a_score,
    edit_a_record,
    edit_the_description,
    edit_the_outcomes,
    edit_the_splits,
    edit_predictions,
    edit_the_checksums,
    copy_a_trial,
    copy_a_trial_over_another,
    rename_a_trial,
    swap_two_trials,
    swap_a_file,
    take_a_file_of_the_other_run,
    add_a_file,
    forge_a_failure,
    link,
    change_the_kind,
    write_it_again,
    leave_a_note,
)
