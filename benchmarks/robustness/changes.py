"""The ways in which the folder of a run is changed. Each returns what it did."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from edits import (
    edit_a_record,
    edit_a_score,
    edit_predictions,
    edit_the_checksums,
    edit_the_description,
    edit_the_outcomes,
    edit_the_splits,
)
from run_files import any_file, trials

Change = Callable[[Path, random.Random], str]


def flip_a_bit(run: Path, draw: random.Random) -> str:
    """One bit of any file."""
    path = any_file(run, draw)
    content = bytearray(path.read_bytes())
    if not content:
        return f"nothing in {path.name}"
    place, bit = draw.randrange(len(content)), draw.randrange(8)
    content[place] ^= 1 << bit
    path.write_bytes(content)
    return f"{path.name}: bit {bit} of byte {place}"


def cut_off(run: Path, draw: random.Random) -> str:
    """Any file, at any length."""
    path = any_file(run, draw)
    length = draw.randrange(path.stat().st_size or 1)
    os.truncate(path, length)
    return f"{path.name}: cut off at {length}"


def zero_a_block(run: Path, draw: random.Random) -> str:
    """Zeros where a block of any file was, as after a power cut."""
    path = any_file(run, draw)
    content = bytearray(path.read_bytes())
    start = draw.randrange(len(content) or 1)
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    path.write_bytes(content)
    return f"{path.name}: zeros from {start}"


def append(run: Path, draw: random.Random) -> str:
    """Bytes at the end of any file."""
    path = any_file(run, draw)
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randrange(1, 9)))
    return f"{path.name}: longer"


def delete(run: Path, draw: random.Random) -> str:
    """Any file."""
    path = any_file(run, draw)
    path.unlink()
    return f"{path.name}: deleted"


def copy_a_trial(run: Path, draw: random.Random) -> str:
    """A trial's folder, under another name beside it."""
    trial = trials(run, draw)[0]
    name = draw.choice([f"{trial.name} copy", "0" * 16, trial.name[:-1], ".hidden"])
    shutil.copytree(trial, trial.with_name(name))
    return f"copied to {name}"


def copy_a_trial_over_another(run: Path, draw: random.Random) -> str:
    """One trial's folder in the place of another."""
    one, two = trials(run, draw)[:2]
    shutil.rmtree(two)
    shutil.copytree(one, two)
    return "copied over another"


def rename_a_trial(run: Path, draw: random.Random) -> str:
    """A trial's folder."""
    trial = trials(run, draw)[0]
    trial.rename(trial.with_name(draw.choice(["renamed", "0" * 16, f".{trial.name}.partial"])))
    return "a trial renamed"


def swap_two_trials(run: Path, draw: random.Random) -> str:
    """Two trials' folders."""
    one, two = trials(run, draw)[:2]
    one.rename(run / "for a moment")
    two.rename(one)
    (run / "for a moment").rename(two)
    return "two trials swapped"


def swap_a_file(run: Path, draw: random.Random) -> str:
    """The same file of two trials."""
    one, two = trials(run, draw)[:2]
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
    trial = trials(run, draw)[0]
    name = draw.choice(
        ["notes.txt", ".DS_Store", "slices.safetensors", "predictions.csv", "x.json"]
    )
    place = draw.choice([trial, run, run / "trials"])
    (place / name).write_bytes(draw.randbytes(40))
    return f"{name} added to {place.name}"


def forge_a_failure(run: Path, draw: random.Random) -> str:
    """A record of a trial that crashed."""
    (run / "failed").mkdir()
    trial = trials(run, draw)[0]
    name = draw.choice([trial.name, "0" * 16, "copy"])
    (run / "failed" / f"{name}.json").write_text(draw.choice(["{}", "", '{"seed": 1}']))
    return f"failed/{name}.json forged"


def link(run: Path, draw: random.Random) -> str:
    """A link in the place of a file or of a trial."""
    one, two = trials(run, draw)[:2]
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
        trial = trials(run, draw)[0]
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
