from __future__ import annotations

from dataclasses import replace

import pytest

from mtsbench.experiment import Request
from mtsbench.machine import platform_versions
from mtsbench.plan import plan_run
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.time_estimate import (
    FinishedTrial,
    cases_to_prepare,
    finished_trials,
    forecast,
    known_seconds,
)

PHASES = {"prepare": 1.0, "fit": 6.0, "predict": 2.0, "score": 1.0}


@pytest.fixture
def plan(tiny, tmp_path):
    def plan(**changes):
        facts = {"model": "uptake", "dataset": "tiny", "preset": "demo", "folds": 3}
        return plan_run(Request(**{**facts, **changes}), tiny.components(), tmp_path / "runs")

    return plan


@pytest.fixture
def look(tmp_path):
    def look(planned, finished=(), jobs=1, may_time=True):
        return forecast(
            planned, finished, cache_folder=tmp_path / "cache", jobs=jobs, may_time=may_time
        )

    return look


@pytest.fixture
def trial(make_record):
    """A finished trial of a planned run, ten seconds long if nothing else is said."""

    def trial(planned, fold=0, phase_seconds=PHASES, device="cpu", platform=None, **changes):
        here = {**platform_versions(), **(platform or {})}
        record = make_record(fold, phase_seconds=phase_seconds, device=device, platform=here)
        return FinishedTrial(run=planned.description.model_copy(update=changes), record=record)

    return trial


def test_trials_of_this_run_give_the_time_of_those_to_come(plan, look, trial):
    planned = plan(seeds=(0, 1))
    slow = {**PHASES, "fit": 10.0}

    found = look(planned, [trial(planned, 0), trial(planned, 1, phase_seconds=slow)])

    assert found.estimate.seconds == pytest.approx(6 * 12.0)
    assert found.estimate.basis == "2 trials of this run"
    assert found.estimate.source == "trials"


def test_the_most_alike_trials_are_taken_alone(plan, look, trial):
    planned = plan()
    long = {**PHASES, "fit": 1000.0}
    others = [
        trial(plan(settings={"fails": "X"}), phase_seconds=long),
        trial(plan(settings={"dataset.cases": "30"}), phase_seconds=long),
        trial(plan(folds=4)),
    ]

    found = look(planned, others).estimate

    assert found.seconds == pytest.approx(3 * 10.0)
    assert found.basis == "1 trial with other folds"


def test_the_same_method_under_other_seeds_counts_as_the_same(plan, look, trial):
    found = look(plan(seeds=(0, 1)), [trial(plan(seeds=(5,)))])

    assert found.estimate.basis == "1 trial of this method"


@pytest.mark.parametrize(
    ("settings", "basis", "growth"),
    [
        ({"training.epochs": "24"}, "training", 2),
        ({"training.epochs": "3", "training.steps_per_epoch": "20"}, "training", 0.5),
        ({"preprocessing.size": "32,32,64"}, "preprocessing", 2),
        ({"training.patience": "3"}, "training", 1),
        ({"fails": "X"}, "options", 1),
        ({"dataset.cases": "30"}, "cohort", 1),
    ],
)
def test_the_fit_grows_with_the_voxels_and_the_difference_is_named(
    plan, look, trial, settings, basis, growth
):
    found = look(plan(settings=settings), [trial(plan())]).estimate

    scaled = "" if growth == 1 else ", fit scaled"
    assert found.basis == f"1 trial with other {basis}{scaled}"
    assert found.seconds == pytest.approx(3 * (4 + 6 * growth))


def test_another_version_is_a_difference_that_counts_least(plan, look, trial):
    planned = plan()
    versions = {**planned.description.method["versions"], "mtsbench": "0.0.1"}
    old = trial(planned, method={**planned.description.method, "versions": versions})

    assert look(planned, [old]).estimate.basis == "1 trial with other versions"


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_trials_on_another_kind_of_device_tell_nothing(plan, look, trial, device):
    planned = plan()

    assert look(planned, [trial(planned, device=device)]).estimate.seconds is None


def test_other_models_and_presets_tell_nothing(plan, look, trial):
    planned = plan()
    other_model = {**planned.description.method, "model": "km"}
    others = [trial(planned, method=other_model), trial(plan(preset="standard"))]

    found = look(planned, others).estimate

    assert (found.seconds, found.source) == (None, "unknown")
    assert found.basis == "no trial of this model and preset has finished yet"


def test_trials_side_by_side_take_turns(plan, look, trial):
    planned = plan(folds=5)
    same = trial(planned, platform={"threads": "1"})

    found = look(planned, [same], jobs=64).estimate
    assert found.seconds == pytest.approx(10.0)
    assert look(planned, [same], jobs=3).estimate.seconds == pytest.approx(20.0)


def test_trials_that_had_all_threads_tell_nothing_of_several_at_once(plan, look, trial):
    planned = plan(folds=5)

    found = look(planned, [trial(planned, platform={"threads": "999"})], jobs=5).estimate

    assert found.seconds == pytest.approx(50.0)
    assert found.basis == "1 trial with other threads"


def test_cases_that_are_not_prepared_are_counted_once_for_all_runs(plan, look, trial, tmp_path):
    planned, other = plan(), plan(settings={"training.epochs": "3"})

    both = [look(planned), look(other)]
    assert [one.unprepared for one in both] == [24, 24]
    assert cases_to_prepare(both) == 24

    dataset, settings = planned.experiment.dataset, planned.experiment.preprocessing
    cache = CaseCache(tmp_path / "cache", dataset, settings)
    requests = Preprocessing.requests(dataset, dataset.case_ids[:20], settings)
    cache.prepare(requests, workers=1, progress=lambda done, total: None)
    assert look(planned).unprepared == 4


def test_a_run_that_is_done_needs_no_time(plan, look):
    planned = plan()
    found = look(replace(planned, done=planned.description.trials))

    assert (found.estimate.seconds, found.estimate.source, found.unprepared) == (0, "done", 0)


def test_known_times_are_added_up(plan, look, trial):
    planned = plan()

    both = [look(planned), look(planned, [trial(planned)])]

    assert known_seconds(both) == pytest.approx(30.0)


def test_trials_are_read_from_a_folder_and_a_damaged_run_is_passed_over(stored, tmp_path):
    stored(label="a", masks=False)
    damaged = stored(label="b", masks=False).folder / "run.json"
    damaged.write_text("{")

    found = finished_trials(tmp_path / "stored")

    assert [one.run.method["model"] for one in found] == ["a"] * 3
    assert [one.record.fold for one in found] == [0, 1, 2]
