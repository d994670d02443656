from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from mtsbench.errors import DataError, OptionError, UnknownComponentError
from mtsbench.experiment import Request
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plan import plan_file, plan_run
from mtsbench.progress import Progress
from mtsbench.runner import RunOptions, run
from mtsbench.store import RunStore


def request(**changes) -> Request:
    facts = {"model": "uptake", "dataset": "tiny", "preset": "demo", "folds": 3, "seeds": (0, 1)}
    return Request(**{**facts, **changes})


def test_planning_writes_nothing(tiny, tmp_path):
    planned = plan_run(request(), tiny.components(), tmp_path / "runs")

    assert (planned.description.trials, planned.done, planned.todo) == (6, 0, 6)
    assert planned.label == "uptake on tiny"
    assert not list(tmp_path.iterdir())


def test_finished_trials_are_counted_and_failed_ones_are_to_be_done(tiny, tmp_path):
    components = tiny.components()
    fails = request(settings={"fails": "T05"})
    planned = plan_run(fails, components, tmp_path / "runs")
    options = RunOptions(
        cache_folder=tmp_path / "cache",
        workers=1,
        save_masks=False,
        progress=Progress(Console(file=StringIO())),
    )
    run(planned.experiment, planned.splits, build_metrics(components), planned.store, options)

    again = plan_run(fails, components, tmp_path / "runs")

    failed = len(RunStore(planned.store.folder).failures())
    assert failed > 0
    assert (again.done, again.todo) == (6 - failed, failed)


def test_a_folder_that_holds_another_run_is_refused(tiny, tmp_path, make_description):
    planned = plan_run(request(), tiny.components(), tmp_path)
    outcomes = planned.experiment.dataset.outcomes("pfs")
    planned.store.begin(make_description(), planned.splits, outcomes)

    with pytest.raises(DataError, match=r"holds another run \(its run.json differs\)"):
        plan_run(request(), tiny.components(), tmp_path)


def test_a_mistake_in_the_last_run_names_file_model_and_dataset(tiny, tmp_path):
    wrong = request(settings={"training.epochs": "many"})

    with pytest.raises(
        OptionError,
        match=r"^e.toml: model 'uptake' on dataset 'tiny': option 'epochs' of training must be int",
    ):
        plan_file((request(), wrong), tiny.components(), tmp_path, tmp_path.joinpath("e.toml").name)


def test_the_kind_of_mistake_is_kept(tiny, tmp_path):
    with pytest.raises(UnknownComponentError, match=r"e.toml: model 'uptak' on .*Did you mean"):
        plan_file((request(model="uptak"),), tiny.components(), tmp_path, "e.toml")


def test_two_entries_that_come_to_one_run_are_refused(tiny, tmp_path):
    """The second says what is the default anyway."""
    twice = (request(), request(settings={"dataset.cases": "24"}))

    with pytest.raises(
        OptionError, match=r"model 'uptake' on dataset 'tiny' comes twice with the same settings"
    ):
        plan_file(twice, tiny.components(), tmp_path, "e.toml")


def test_runs_that_differ_in_a_setting_are_two(tiny, tmp_path):
    both = (request(), request(settings={"training.epochs": "3"}))

    planned = plan_file(both, tiny.components(), tmp_path, "e.toml")

    assert len({one.store.folder for one in planned}) == 2
