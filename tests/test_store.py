from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from mtsbench.data import Outcomes
from mtsbench.errors import DataError
from mtsbench.records import StoredProfile
from mtsbench.splits import Split
from mtsbench.store import RunStore, read_table

SPLITS = (Split(repeat=0, fold=0, train=("P1",), validation=("P2",), test=("P3",)),)

OUTCOMES = Outcomes(
    endpoint="pfs",
    case_ids=("P1", "P2", "P3"),
    time=np.array([1.5, 20.0, 1e-3]),
    event=np.array([True, False, True]),
)


@pytest.fixture
def store(tmp_path, make_description):
    store = RunStore(tmp_path / "runs" / "npc-pfs")
    store.begin(make_description(), SPLITS, OUTCOMES)
    return store


def write(record):
    """What a trial writes."""

    def fill(folder):
        (folder / "log.jsonl").write_text("{}\n")
        (folder / "record.json").write_text(record.model_dump_json())

    return fill


def test_a_run_begins_with_its_description_and_splits(store, make_description):
    assert store.description() == make_description()
    assert json.loads((store.folder / "splits.json").read_text()) == [
        json.loads(json.dumps(asdict(SPLITS[0])))
    ]
    assert store.records() == ()
    assert store.failures() == ()


def test_beginning_the_same_run_again_changes_nothing(store, make_description, make_record):
    store.save_trial(make_record().key, write(make_record()))
    before = {path: path.read_bytes() for path in store.folder.rglob("*.json")}

    store.begin(make_description(), SPLITS, OUTCOMES)

    assert {path: path.read_bytes() for path in store.folder.rglob("*.json")} == before


def test_beginning_another_run_in_the_same_folder_is_refused(store, make_description):
    with pytest.raises(
        DataError, match=r"npc-pfs holds another run \(its run.json differs\); choose another --out"
    ):
        store.begin(make_description(cases=151), SPLITS, OUTCOMES)
    assert store.description() == make_description()


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere/run.json does not exist; is .* the folder"):
        RunStore(tmp_path / "nowhere").description()


def test_a_finished_trial_is_found_by_its_key(store, make_record):
    record = make_record(fold=2)
    assert store.finished(record.key) is None

    store.save_trial(record.key, write(record))

    assert store.finished(record.key) == record
    assert store.finished(make_record(fold=1).key) is None
    assert (store.trial_folder(record) / "log.jsonl").read_text() == "{}\n"


def test_records_come_by_repeat_fold_and_seed(store, make_record):
    order = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]
    for repeat, fold, seed in reversed(order):
        record = make_record(repeat=repeat, fold=fold, seed=seed)
        store.save_trial(record.key, write(record))

    assert [(r.repeat, r.fold, r.seed) for r in store.records()] == order


def test_a_trial_that_fails_while_it_is_written_leaves_no_folder(store, make_record):
    record = make_record()

    def fill(folder):
        write(record)(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.save_trial(record.key, fill)
    assert store.finished(record.key) is None
    assert store.records() == ()


def test_what_a_killed_trial_left_is_ignored_and_replaced(store, make_record):
    record = make_record()
    partial = store.folder / "trials" / f".{record.key[:16]}.partial"
    write(record)(_made(partial))
    (partial / "half-written.parquet").write_text("PAR")
    assert store.records() == ()
    assert store.finished(record.key) is None

    store.save_trial(record.key, write(record))

    assert store.records() == (record,)
    assert not partial.exists()
    assert not (store.trial_folder(record) / "half-written.parquet").exists()


def test_a_trial_whose_record_was_removed_can_be_done_again(store, make_record):
    record = make_record()
    store.save_trial(record.key, write(record))
    (store.trial_folder(record) / "record.json").unlink()
    (store.trial_folder(record) / "old.txt").write_text("")
    assert store.finished(record.key) is None

    store.save_trial(record.key, write(record))

    assert store.finished(record.key) == record
    assert not (store.trial_folder(record) / "old.txt").exists()


def test_a_finished_trial_is_never_replaced(store, make_record):
    record = make_record()
    store.save_trial(record.key, write(record))

    with pytest.raises(OSError, match="not empty"):
        store.save_trial(record.key, write(make_record(git="another")))
    assert store.finished(record.key) == record


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda text: text[: len(text) // 2],
            r"record.json is damaged \(: Invalid JSON.*remove",
        ),
        (lambda text: "\x00" + text, r"record.json is damaged"),
        (lambda text: text.replace('"fold":0', '"fold":"x"'), r"damaged \(fold: Input should be"),
        (lambda text: text.replace('"git"', '"got"'), r"damaged \(git: Field required"),
        (lambda text: text.replace('"schema_version":1', '"schema_version":2'), r"schema_version"),
        (lambda text: text[:-1] + ',"more":1}', r"damaged \(more: Extra inputs"),
    ],
)
def test_a_damaged_record_is_named_and_not_taken_for_unfinished(
    store, make_record, damage, message
):
    record = make_record()
    store.save_trial(record.key, write(record))
    path = store.trial_folder(record) / "record.json"
    path.write_text(damage(path.read_text()))

    for read in (store.records, lambda: store.finished(record.key)):
        with pytest.raises(DataError, match=message) as caught:
            read()
        assert str(path) in str(caught.value)


def test_a_failure_is_kept_until_the_trial_succeeds(store, make_record, make_failure):
    store.save_failure(make_failure(fold=1))
    store.save_failure(make_failure(fold=0))
    store.save_failure(make_failure(fold=0, error="again"))
    assert store.failures() == (make_failure(fold=0, error="again"), make_failure(fold=1))

    store.save_trial(make_record(fold=0).key, write(make_record(fold=0)))

    assert make_record(fold=0).key == make_failure(fold=0).key
    assert store.failures() == (make_failure(fold=1),)
    assert store.records() == (make_record(fold=0),)


def _made(folder):
    folder.mkdir(parents=True)
    return folder


def test_outcomes_are_read_back_exactly(store):
    found = store.outcomes()

    assert (found.endpoint, found.case_ids) == ("pfs", OUTCOMES.case_ids)
    assert found.time.tolist() == OUTCOMES.time.tolist()
    assert found.event.tolist() == OUTCOMES.event.tolist()


def test_missing_or_damaged_outcomes_are_named(store):
    path = store.folder / "outcomes.parquet"
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match=r"outcomes.parquet is damaged \(.*\); remove it and run"):
        store.outcomes()

    path.unlink()
    with pytest.raises(DataError, match=r"outcomes.parquet does not exist; the run is incomplete"):
        store.outcomes()


def test_a_table_without_a_needed_column_is_named(store):
    with pytest.raises(DataError, match=r"outcomes.parquet has no column 'risk'; remove it"):
        read_table(store.folder / "outcomes.parquet", ("risk",))


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
    (store.folder / "profile.json").write_text("{}")
    with pytest.raises(DataError, match=r"profile\.json is damaged"):
        store.profile()
