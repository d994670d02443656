"""A run's folder: what is read back, what is refused, and what is made again."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from mtsbench.data import Outcomes
from mtsbench.errors import DamagedFileError, DataError
from mtsbench.identity import trial_key
from mtsbench.records import StoredProfile, TrialRecord
from mtsbench.splits import Split, splits_hash
from mtsbench.store import RunStore
from mtsbench.stored_files import read_table

SPLITS = tuple(
    Split(repeat=repeat, fold=fold, train=("P1",), validation=("P2",), test=(f"P{3 + fold}",))
    for repeat in range(2)
    for fold in range(2)
)

OUTCOMES = Outcomes(
    endpoint="pfs",
    case_ids=("P1", "P2", "P3"),
    time=np.array([1.5, 20.0, 1e-3]),
    event=np.array([True, False, True]),
)


@pytest.fixture
def description(make_description):
    """Of a run of eight trials: two repeats of two folds with two seeds."""
    question = make_description().question
    protocol = {"repeats": 2, "folds": 2, "seeds": [0, 1]}
    return make_description(
        question={**question, "protocol": protocol}, splits_sha256=splits_hash(SPLITS), trials=8
    )


@pytest.fixture
def store(tmp_path, description):
    store = RunStore(tmp_path / "runs" / "npc-pfs")
    store.begin(description, SPLITS, OUTCOMES)
    return store


@pytest.fixture
def make(description, make_record):
    """Makes the record of one of the run's trials."""

    def make(repeat=0, fold=0, seed=0, **changes):
        (split,) = (one for one in SPLITS if (one.repeat, one.fold) == (repeat, fold))
        key = trial_key(description.question, description.method, split.hash(), seed)
        return make_record(fold, repeat, seed, **{"key": key, **changes})

    return make


def write(record):
    """What a trial writes."""

    def fill(folder):
        (folder / "log.jsonl").write_text("{}\n")
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_bytes(b"weights")
        (folder / "record.json").write_text(record.model_dump_json())

    return fill


def save(store, *records):
    for record in records:
        store.save_trial(record.key, write(record))
    return store.trial_folder(records[0])


def test_a_run_begins_with_its_description_and_splits(store, description):
    assert store.description() == description
    assert json.loads((store.folder / "splits.json").read_text()) == [
        json.loads(json.dumps(asdict(one))) for one in SPLITS
    ]
    assert store.records() == ()
    assert store.failures() == ()


def test_beginning_the_same_run_again_changes_nothing(store, description, make):
    save(store, make())
    before = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.*")}

    assert store.begin(description, SPLITS, OUTCOMES) == ()

    assert {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.*")} == before


def test_beginning_another_run_in_the_same_folder_is_refused(store, description):
    another = description.model_copy(update={"cases": 151})
    with pytest.raises(
        DataError, match=r"npc-pfs holds another run \(its run.json differs\); choose another --out"
    ):
        store.begin(another, SPLITS, OUTCOMES)
    assert store.description() == description


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere/run.json does not exist; is .* the folder"):
        RunStore(tmp_path / "nowhere").description()


@pytest.mark.parametrize(("version", "which"), [(1, "an older"), (3, "a newer")])
def test_a_run_of_another_mtsbench_is_told_from_a_damaged_one(store, description, version, which):
    for name in ("checksums.json", "splits.json"):
        (store.folder / name).unlink()
    path = store.folder / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 2', f'"schema_version": {version}'))

    for read in (store.description, lambda: store.begin(description, SPLITS, OUTCOMES)):
        with pytest.raises(DataError, match=rf"made by {which} mtsbench .*another --out") as told:
            read()
        assert not isinstance(told.value, DamagedFileError)


def test_a_finished_trial_is_found_by_its_key(store, make):
    record = make(fold=1)
    assert store.finished(record.key) is None

    assert store.save_trial(record.key, write(record)) == record

    assert store.finished(record.key) == record
    assert store.finished(make().key) is None
    assert (store.trial_folder(record) / "log.jsonl").read_text() == "{}\n"


def test_records_come_by_repeat_fold_and_seed(store, make):
    order = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]
    save(store, *(make(*place) for place in reversed(order)))

    assert [(r.repeat, r.fold, r.seed) for r in store.records()] == order


def test_only_the_trials_that_the_run_needs_are_counted(store, make, make_record):
    folder = save(store, make())
    shutil.copytree(folder, folder.with_name("copy of it"))
    shutil.copytree(folder, folder.with_name("0" * 16))
    save(store, make_record())  # of another run

    assert store.records() == (make(),)


def test_a_trial_that_fails_while_it_is_written_leaves_no_folder(store, make):
    record = make()

    def fill(folder):
        write(record)(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.save_trial(record.key, fill)
    assert store.finished(record.key) is None
    assert list((store.folder / "trials").iterdir()) == []


def test_what_a_killed_trial_left_is_ignored_and_removed_after_a_day(store, make):
    partial = store.folder / "trials" / f".{make().key[:16]}.0123.partial"
    partial.mkdir(parents=True)
    write(make())(partial)
    assert store.records() == ()

    save(store, make())
    store.take_stock([make().key])
    assert partial.exists()  # perhaps another machine is still writing it

    os.utime(partial, (time.time() - 90000,) * 2)
    store.take_stock([make().key])
    assert not partial.exists()
    assert store.records() == (make(),)


def test_a_trial_whose_record_was_removed_is_done_again(store, make):
    record = make()
    folder = save(store, record)
    (folder / "record.json").unlink()
    with pytest.raises(DamagedFileError, match=r"record.json is missing; the same `mtsbench run`"):
        store.records()

    stock = store.take_stock([record.key])
    save(store, record)

    assert stock.finished == set()
    assert stock.faults == (f"{folder / 'record.json'} is missing; its trial is done again",)
    assert store.records() == (record,)


def test_a_trial_that_another_process_finished_meanwhile_is_kept(store, make):
    first, second = make(git="first"), make(git="second")

    def fill(folder):
        save(store, first)
        write(second)(folder)

    assert store.save_trial(second.key, fill) == first
    assert store.records() == (first,)
    assert [path.name for path in (store.folder / "trials").iterdir()] == [first.key[:16]]


@pytest.mark.parametrize("kind", ["damaged", "a file", "a dead link"])
def test_what_is_in_the_way_of_a_finished_trial_is_moved_aside(store, make, kind):
    record = make()
    folder = store.trial_folder(record)
    if kind == "damaged":
        save(store, record)
        (folder / "log.jsonl").write_text("x")
    else:
        folder.parent.mkdir()
        folder.write_text("") if kind == "a file" else folder.symlink_to("nowhere")

    save(store, record)

    assert store.records() == (record,)
    assert len(list((store.folder / "damaged").iterdir())) == 1


DAMAGE = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "one bit": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1])),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["record.json", "log.jsonl", "model/weights.bin"])
def test_every_damaged_file_of_a_trial_is_named_moved_aside_and_done_again(
    store, make, name, damage
):
    record = make()
    path = save(store, record, make(1)) / name
    DAMAGE[damage](path)

    with pytest.raises(DamagedFileError, match=r"(damaged \(.*\)|missing); the same `mtsb"):
        store.finished(record.key)
    stock = store.take_stock([record.key, make(1).key])
    assert str(path) in stock.faults[0]
    assert stock.finished == {make(1).key}
    assert len(list((store.folder / "damaged").iterdir())) == 1

    save(store, record)
    assert store.finished(record.key) == record


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.7,", "NaN,", r"scores.harrell-c.value: Input should be a finite number"),
        ('"simulated":true', '"simulated":"False"', r"simulated: Input should be a valid boolean"),
        ('"fold":0', '"fold":"0"', r"damaged \(fold: Input should be"),
        ('"git"', '"got"', r"damaged \(git: Field required"),
        ('"schema_version":2', '"schema_version":1', r"schema_version"),
        ('{"schema', '{"more":1,"schema', r"damaged \(more: Extra inputs"),
        ('{"schema', '\x00{"schema', r"damaged \(: Invalid JSON"),
    ],
)
def test_a_record_is_read_strictly_whatever_its_checksum(store, make, old, new, message):
    record = make()
    text = record.model_dump_json()
    assert old in text

    def fill(folder):
        (folder / "record.json").write_text(text.replace(old, new))

    with pytest.raises(DamagedFileError, match=message):
        store.save_trial(record.key, fill)


def test_no_score_is_nan(make):
    with pytest.raises(ValueError, match="finite number"):
        TrialRecord(**{**make().model_dump(), "phase_seconds": {"fit": float("nan")}})


def test_a_file_cannot_drop_out_of_the_list(store, make):
    path = save(store, make()) / "checksums.json"
    sums = json.loads(path.read_text())
    del sums["content"]["files"]["model/weights.bin"]
    path.write_text(json.dumps(sums))

    with pytest.raises(DamagedFileError, match=r"checksums.json is damaged \(.*its checksum diff"):
        store.finished(make().key)


def test_a_trial_under_the_key_of_another_is_damaged(store, make):
    one, two = make(), make(1)
    folder = save(store, one)
    shutil.copytree(folder, store.trial_folder(two))

    with pytest.raises(DamagedFileError, match=r"record.json is damaged \(it is of another tri"):
        store.records()


def test_files_that_were_added_change_nothing_unless_core_would_read_them(store, make):
    folder = save(store, make())
    (folder / "notes.txt").write_text("mine")
    assert store.finished(make().key) == make()

    (folder / "slices.safetensors").write_text("not of this trial")
    with pytest.raises(DamagedFileError, match=r"slices.safetensors is damaged \(checksums.json"):
        store.finished(make().key)


def test_a_failure_is_kept_until_the_trial_succeeds(store, make, make_failure):
    def failed(fold, error="why"):
        return make_failure(fold, error).model_copy(update={"key": make(0, fold).key})

    store.save_failure(failed(1))
    store.save_failure(failed(0))
    store.save_failure(failed(0, "again"))
    store.save_failure(make_failure())  # of another run
    assert store.failures() == (failed(0, "again"), failed(1))

    save(store, make(0, 0))

    assert store.failures() == (failed(1),)
    store.save_failure(failed(0))  # of a process that was slower
    assert store.failures() == (failed(1),)
    assert store.records() == (make(0, 0),)


@pytest.mark.parametrize("damage", ["cut off", "one bit", "edited", "of another trial"])
def test_a_damaged_failure_is_named_and_forgotten_by_the_next_run(
    store, make, make_failure, damage
):
    failed = make_failure().model_copy(update={"key": make().key})
    store.save_failure(failed)
    path = store.folder / "failed" / f"{make().key[:16]}.json"
    if damage == "edited":
        path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    elif damage == "of another trial":
        store.save_failure(failed.model_copy(update={"key": make(1).key}))
        os.replace(store.folder / "failed" / f"{make(1).key[:16]}.json", path)
    elif damage != "gone":
        DAMAGE[damage](path)
    if damage not in ("gone", "longer"):
        with pytest.raises(DamagedFileError, match=r"failed/.*json is damaged .*; the same `mts"):
            store.failures()
        assert len(store.take_stock([make().key]).faults) == 1
        assert store.failures() == ()


def test_outcomes_are_read_back_exactly(store):
    found = store.outcomes()

    assert (found.endpoint, found.case_ids) == ("pfs", OUTCOMES.case_ids)
    assert found.time.tolist() == OUTCOMES.time.tolist()
    assert found.event.tolist() == OUTCOMES.event.tolist()


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["run.json", "splits.json", "outcomes.parquet", "checksums.json"])
def test_a_damaged_file_of_the_run_is_named_and_written_again(
    store, description, make, name, damage
):
    save(store, make())
    path = store.folder / name
    before = {one.name: one.read_bytes() for one in store.folder.glob("*.*")}
    if (name, damage) == ("checksums.json", "longer"):
        return  # a line break at its end says nothing else
    DAMAGE[damage](path)

    with pytest.raises(DataError) as told:
        store.check()
    assert name in str(told.value)

    faults = store.begin(description, SPLITS, OUTCOMES)

    assert ([name] if (name, damage) != ("run.json", "gone") else []) == [
        name for fault in faults if name in fault
    ]
    assert {one.name: one.read_bytes() for one in store.folder.glob("*.*")} == before
    assert store.records() == (make(),)
    store.check()


def test_files_of_another_run_are_not_taken_for_those_of_this_one(
    store, description, make, tmp_path
):
    save(store, make())
    other = RunStore(tmp_path / "other")
    other.begin(description.model_copy(update={"name": "other"}), SPLITS, OUTCOMES)
    shutil.copy(other.folder / "checksums.json", store.folder)
    with pytest.raises(DamagedFileError, match=r"run.json is damaged \(its checksum differs"):
        store.description()

    shutil.copy(other.folder / "run.json", store.folder)
    with pytest.raises(DataError, match="holds another run"):
        store.begin(description, SPLITS, OUTCOMES)


def test_splits_that_are_not_those_of_the_description_are_damaged(tmp_path, description):
    store = RunStore(tmp_path)
    store.begin(description, SPLITS[:3], OUTCOMES)

    with pytest.raises(DamagedFileError, match=r"splits.json is damaged \(its splits are not t"):
        store.expected()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("event", ["True", "False", "True"], r"column 'event' holds \w+ or undefined values"),
        ("event", [1, 0, 1], r"column 'event' holds int64"),
        ("time", ["1.5", "20", "1"], r"column 'time' holds \w+ or"),
        ("time", [1.5, np.nan, 1.0], r"column 'time' holds float64 or undefined values"),
        ("time", [True, True, True], r"column 'time' holds bool"),
        ("case_id", [1, 2, 3], r"column 'case_id' holds int64"),
        ("case_id", None, r"has no column 'case_id'"),
    ],
)
def test_a_table_holds_what_it_should_whatever_its_checksum(
    tmp_path, monkeypatch, column, values, message
):
    table = pd.DataFrame({"case_id": ["A", "B", "C"], "time": [1.0, 2.0, 3.0], "event": [True] * 3})
    table = table.drop(columns=column) if values is None else table.assign(**{column: values})
    table.to_parquet(tmp_path / "table.parquet")
    monkeypatch.setattr("mtsbench.stored_files.read_checked", lambda path: path.read_bytes())

    with pytest.raises(DamagedFileError, match=message):
        read_table(tmp_path / "table.parquet", ("case_id", "time", "event"))


def test_a_table_that_is_no_parquet_is_damaged(tmp_path, monkeypatch):
    (tmp_path / "table.parquet").write_bytes(b"PAR1 but no more")
    monkeypatch.setattr("mtsbench.stored_files.read_checked", lambda path: path.read_bytes())

    with pytest.raises(DamagedFileError, match=r"table.parquet is damaged \("):
        read_table(tmp_path / "table.parquet", ("case_id",))


def test_a_profile_is_kept_with_a_run_only(store, tmp_path):
    profile = StoredProfile(
        device="cpu",
        steps=1,
        step=1.0,
        spread=0.0,
        phases={"data": 0.1},
        volumes=8.0,
        inference=0.1,
        memory=1.0,
        parameters=1,
        flops=1.0,
        bytes=1.0,
        bandwidth=1.0,
        matrix_rate=1.0,
        limit="memory",
        share=0.5,
        energy=None,
        no_energy="none",
        platform={},
    )
    with pytest.raises(DataError, match=r"run\.json does not exist"):
        RunStore(tmp_path / "no-run").save_profile(profile)
    assert store.profile() is None

    store.save_profile(profile)

    assert store.profile() == profile
    path = store.folder / "profile.json"
    for text in ("{}", path.read_text().replace('"steps": 1', '"steps": 2')):
        path.write_text(text)
        with pytest.raises(DataError, match=r"profile\.json is damaged .*; remove it, or measure"):
            store.profile()


@pytest.mark.parametrize("protocol", [None, {"repeats": 2, "folds": 2}, {"seeds": 0}])
def test_a_run_that_names_no_seeds_is_told_to_the_user(make_description, protocol):
    described = make_description(question={"protocol": protocol})

    with pytest.raises(DataError, match=r"run\.json of the run .* names no seeds; give its"):
        described.seeds()
