from __future__ import annotations

import os
import shutil

import pytest

from mtsbench.errors import DataError, OptionError
from mtsbench.run_folders import check_removable, find_run, find_runs, read_folder, remove_run
from mtsbench.run_lock import hold
from mtsbench.store import RunStore
from mtsbench.trial_files import PREDICTIONS


@pytest.fixture
def out(stored):
    """A folder with two finished runs, `a` and `b`, and something else."""
    store = stored(label="a", masks=False, curves=False)
    stored(label="b", masks=False, curves=False)
    (store.folder.parent / "notes").mkdir()
    return store.folder.parent


NAME = "npc-pfs-a-demo-0123abcd"


def test_runs_are_found_by_name_and_nothing_else_is(out, tmp_path):
    assert [path.name for path in find_runs(out)] == [NAME, "npc-pfs-b-demo-0123abcd"]
    assert find_runs(tmp_path / "nowhere") == []


def test_a_finished_run_has_its_size_and_the_date_of_its_last_trial(out):
    last = out / NAME / "trials"
    record = sorted(last.glob("*/record.json"))[0]
    os.utime(record, (4e9, 4e9))

    found = read_folder(out / NAME)

    sizes = [path.stat().st_size for path in (out / NAME).rglob("*") if path.is_file()]
    assert (found.state, found.missing, found.fault) == ("finished", 0, None)
    assert found.bytes == sum(sizes) > 0
    assert found.changed == 4e9


def test_missing_and_failed_trials_are_told_apart(out, make_failure):
    store = RunStore(out / NAME)
    first, second, _ = store.records()
    shutil.rmtree(store.trial_folder(first))
    assert (read_folder(out / NAME).state, read_folder(out / NAME).missing) == ("unfinished", 1)

    store.save_failure(make_failure(fold=0).model_copy(update={"key": first.key}))
    assert (read_folder(out / NAME).state, read_folder(out / NAME).missing) == ("failed", 0)

    shutil.rmtree(store.trial_folder(second))
    assert (read_folder(out / NAME).state, read_folder(out / NAME).missing) == ("unfinished", 1)


def test_a_damaged_run_is_told_and_the_others_are_read(out):
    store = RunStore(out / NAME)
    for path in (store.trial_folder(store.records()[0]) / PREDICTIONS, out / NAME / "run.json"):
        path.write_text("{}")

        found = [read_folder(folder) for folder in find_runs(out)]

        assert [one.state for one in found] == ["damaged", "finished"]
        assert f"{path} is damaged" in found[0].fault
        assert found[0].missing == 0


@pytest.mark.parametrize("name", ["", ".", "..", "../out", f"./{NAME}", "/etc", f"{NAME}/trials"])
def test_a_path_is_no_name_of_a_run(tmp_path, name):
    with pytest.raises(
        OptionError, match=r"is no name of a run; name it as `mtsbench runs list` does, and its fol"
    ):
        find_run(tmp_path, name)


def test_a_run_behind_a_link_can_be_shown_and_not_removed(out, tmp_path):
    shutil.copytree(out / NAME, tmp_path / "outside")
    (out / "link").symlink_to(tmp_path / "outside")
    (out / NAME / "run.json").unlink()
    (out / NAME / "run.json").symlink_to(tmp_path / "outside" / "run.json")

    for name in ("link", NAME):
        folder = find_run(out, name)
        assert read_folder(folder).run is not None
        with pytest.raises(
            DataError, match=r"is a link to .*outside.*, and nothing behind a link is removed"
        ):
            check_removable(folder)


def test_a_name_that_is_not_there_is_answered_with_one_like_it(out):
    with pytest.raises(DataError, match=rf"is called 'npc-pfs-a-demo'. Did you mean '{NAME}'\?"):
        find_run(out, "npc-pfs-a-demo")


def test_a_folder_without_a_description_is_no_run(out):
    with pytest.raises(DataError, match=r"notes is not the folder of a run: it has no run.json"):
        find_run(out, "notes")


def test_a_description_that_another_program_wrote_protects_its_folder(out):
    (out / "notes" / "run.json").write_text('{"command": "cycle 10 km"}')

    with pytest.raises(
        DataError, match=r"notes may hold something other than a run and is left alone"
    ):
        check_removable(out / "notes")
    check_removable(out / NAME)


def test_a_run_of_an_older_mtsbench_and_a_damaged_one_can_be_removed(out):
    path = out / NAME / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 2', '"schema_version": 1'))

    check_removable(out / NAME)


def test_a_run_that_is_being_carried_out_is_not_removed(out):
    with (
        hold(out / NAME, print),
        pytest.raises(
            DataError, match=rf"{NAME} is being carried out by process {os.getpid()} .*; wait until"
        ),
    ):
        check_removable(out / NAME)
    check_removable(out / NAME)


def test_a_removed_run_is_gone_and_what_it_links_to_stays(out, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "data.txt").write_text("keep")
    (out / NAME / "folder").symlink_to(tmp_path / "outside")
    (out / NAME / "file").symlink_to(tmp_path / "outside" / "data.txt")

    remove_run(out / NAME)

    assert not (out / NAME).exists()
    assert (tmp_path / "outside" / "data.txt").read_text() == "keep"
    assert len(find_runs(out)) == 1


def test_a_removal_that_was_cut_off_can_be_repeated(out, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", interrupt)
        with pytest.raises(KeyboardInterrupt):
            remove_run(out / NAME)

    assert find_run(out, NAME) == out / NAME
    remove_run(out / NAME)
    assert not (out / NAME).exists()
