"""Three real steps of DeepMTS on simulated patients."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from mtsbench.experiment import Request
from mtsbench.plan import plan_run
from mtsbench.plugins import load_components
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.step_timing import seconds_to_do, why_not_timed
from mtsbench.time_estimate import forecast

SETTINGS = {
    "dataset.cases": "24",
    "training.batch_size": "2",
    "training.epochs": "2",
    "training.steps_per_epoch": "1",
    "preprocessing.size": "16,16,16",
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """On a busy machine a second thread costs ten times more than it saves."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    pytest.importorskip("mtsbench_deepmts")
    pytest.importorskip("mtsbench_cohorts")
    components, out = load_components(), tmp_path_factory.mktemp("runs")

    def plan(model="deepmts-no-segmentation", preset="demo", seeds=(0,), **settings):
        request = Request(
            model=model,
            dataset="npc",
            preset=preset,
            folds=2,
            seeds=seeds,
            device="cpu",
            settings={**SETTINGS, **settings},
        )
        return plan_run(request, components, out)

    return plan


@pytest.fixture(scope="module")
def prepared(plan, tmp_path_factory):
    """A cache that holds every case."""
    experiment = plan().experiment
    dataset, settings = experiment.dataset, experiment.preprocessing
    cache = CaseCache(tmp_path_factory.mktemp("cache"), dataset, settings)
    requests = Preprocessing.requests(dataset, dataset.case_ids, settings)
    cache.prepare(requests, workers=1, progress=lambda done, total: None)
    return cache


def test_a_run_with_a_hundred_times_the_steps_takes_up_to_a_hundred_times_longer(plan, prepared):
    short = plan()
    long = plan(**{"training.epochs": "20", "training.steps_per_epoch": "10"})

    seconds_to_do(short, prepared)  # loads what the first step needs
    start = time.perf_counter()
    seconds = seconds_to_do(short, prepared)
    took = time.perf_counter() - start

    assert 0 < seconds < 3 * short.todo * took
    assert 3 * seconds < seconds_to_do(long, prepared) < 500 * seconds


def test_trials_that_are_done_take_no_more_time(plan, prepared):
    planned = plan(seeds=tuple(range(20)))

    rest = seconds_to_do(replace(planned, done=39), prepared)

    assert rest < seconds_to_do(planned, prepared) / 8


def test_timing_leaves_no_file(plan, prepared):
    before = sorted(prepared.folder.iterdir())
    planned = plan()

    found = forecast(planned, (), cache_folder=prepared.folder, jobs=1, may_time=True)

    assert found.estimate.source == "steps"
    assert found.estimate.basis == "3 steps timed now"
    assert found.estimate.seconds > 0
    assert sorted(prepared.folder.iterdir()) == before
    assert not planned.store.folder.parent.joinpath(planned.description.name).exists()


def test_jobs_do_not_divide_what_one_trial_was_timed_for(plan, prepared):
    planned = plan(seeds=tuple(range(20)))

    alone, beside = (
        forecast(planned, (), cache_folder=prepared.folder, jobs=jobs, may_time=True)
        for jobs in (1, 40)
    )

    assert beside.estimate.seconds > alone.estimate.seconds / 8


def test_a_step_that_fails_is_told_as_the_reason(plan, prepared):
    planned = plan()

    def broken():
        model = planned.experiment.new_model()
        model.fit = lambda *arguments: [].pop()
        return model

    broken_plan = replace(planned, experiment=replace(planned.experiment, new_model=broken))
    found = forecast(broken_plan, (), cache_folder=prepared.folder, jobs=1, may_time=True)

    assert found.estimate.seconds is None
    assert found.estimate.basis == "a step failed: IndexError: pop from empty list"


@pytest.mark.parametrize(
    ("model", "preset", "settings", "unprepared", "reason"),
    [
        ("deepmts", "demo", {}, 0, None),
        ("deepmts", "demo", {}, 3, "cases to time a step with are not prepared yet"),
        ("clinical-cox", "demo", {}, 0, "no trial of this model and preset has finished yet"),
        (
            "deepmts",
            "standard",
            {"preprocessing.size": "96,96,96", "training.batch_size": "8"},
            0,
            "a step of this size on a CPU takes long to time",
        ),
    ],
)
def test_only_a_cheap_step_on_prepared_cases_is_timed(
    plan, model, preset, settings, unprepared, reason
):
    pytest.importorskip("mtsbench_radiomics")

    assert why_not_timed(plan(model, preset, **settings), unprepared) == reason


def test_nothing_is_timed_once_that_took_long_enough(plan, prepared):
    found = forecast(plan(), (), cache_folder=prepared.folder, jobs=1, may_time=False)

    assert found.estimate.basis == "timing steps of other models took long enough"
    assert found.estimate.source == "unknown"
