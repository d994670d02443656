from __future__ import annotations

import threading
import time
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from mtsbench.carry_out import carry_out, carry_out_all
from mtsbench.errors import DataError
from mtsbench.experiment import Request
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plan import plan_run
from mtsbench.progress import Progress
from mtsbench.run_lock import hold
from mtsbench.runner import RunOptions
from mtsbench.tracking import Trackers


@pytest.fixture
def components(tiny):
    return tiny.components()


@pytest.fixture
def plan(components, tmp_path):
    def plan(**settings):
        request = Request(model="uptake", dataset="tiny", preset="demo", folds=3, settings=settings)
        return plan_run(request, components, tmp_path / "runs")

    return plan


@pytest.fixture
def options(tmp_path):
    return RunOptions(
        cache_folder=tmp_path / "cache",
        workers=1,
        save_masks=False,
        progress=Progress(Console(file=StringIO(), width=200)),
    )


def test_a_run_leaves_its_report(plan, components, options):
    done = carry_out(plan(), build_metrics(components), options)

    assert done.complete
    assert done.page.read_text().startswith("<!")
    assert (done.error, done.internal) == (None, False)


def test_a_run_that_another_process_carries_out_is_waited_for(plan, components, options):
    planned = plan()
    console, done = options.progress.console, []

    def wait():
        done.append(carry_out(planned, build_metrics(components), options))

    with hold(planned.store.folder, pytest.fail):
        thread = threading.Thread(target=wait)
        thread.start()
        end = time.monotonic() + 60
        while "waiting until that ends" not in console.file.getvalue():
            assert time.monotonic() < end
            time.sleep(0.05)
        assert not (planned.store.folder / "run.json").exists()
    thread.join()

    assert done[0].complete


def test_a_run_that_cannot_go_on_does_not_stop_the_others(plan, components, options):
    planned = [plan(), plan(**{"dataset.broken": "T03"}), plan(**{"training.epochs": "3"})]

    done = carry_out_all(planned, build_metrics(components), options)

    assert [one.complete for one in done] == [True, False, True]
    assert isinstance(done[1].error, DataError)
    assert not done[1].internal
    said = options.progress.console.file.getvalue()
    assert "run 2 of 3: uptake on tiny" in said
    assert "failed: uptake on tiny: case 'T03'" in said


class Listener:
    """A tracker that keeps which calls it gets."""

    def __init__(self):
        self.heard = []

    def __getattr__(self, method):
        def hear(*said):
            self.heard.append(method)
            return ()

        return hear


def test_trackers_hear_of_every_run_and_of_its_end(plan, components, options):
    listener = Listener()
    options = replace(options, trackers=Trackers({"listener": listener}))
    planned = [plan(), plan(**{"dataset.broken": "T03"}), plan(**{"training.epochs": "3"})]

    carry_out_all(planned, build_metrics(components), options)

    whole = ["run_started", *["epoch", "trial_finished"] * 3, "run_finished"]
    assert listener.heard == [*whole, "run_started", *whole]


def test_a_failed_trial_leaves_a_run_incomplete(plan, components, options):
    (done,) = carry_out_all([plan(fails="T05")], build_metrics(components), options)

    assert done.error is None
    assert len(done.run.failures) > 0
    assert not done.complete


def test_a_fault_of_the_program_is_told_from_one_of_the_data(plan, components, options, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder is needed")

    (done,) = carry_out_all([plan()], build_metrics(components), options)

    assert done.internal
    assert isinstance(done.error, FileExistsError)
    assert done.run.records == ()
