"""Trackers beside a real, tiny run: what they hear, and that none of them can spoil it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.errors import DataError, MissingPackageError, OptionError, UnknownComponentError
from mtsbench.events import TrialEvent
from mtsbench.plugins import Components, load_components
from mtsbench.tracking import Trackers, build_trackers

LABELS = [f"repeat 0 fold {fold} seed 0" for fold in range(3)]


class Diary:
    """Keeps what it is told, and raises where it is asked to."""

    def __init__(self, held=(), fails="", error=None):
        self.held, self.fails = held, fails
        self.error = error or RuntimeError("no space\nleft")
        self.heard = []

    def _hear(self, method, *said):
        self.heard.append((method, *said))
        if method == self.fails:
            raise self.error

    def run_started(self, description):
        self._hear("run_started", description.name)
        return self.held

    def epoch(self, trial, epoch, values):
        self._hear("epoch", trial, epoch, dict(values))

    def trial_finished(self, trial, record, folder):
        self._hear("trial_finished", trial, record.key, (folder / "record.json").is_file())

    def trial_failed(self, trial, failed):
        self._hear("trial_failed", trial, failed.error)

    def run_finished(self, report, summaries):
        assert report.is_file()
        self._hear("run_finished", report.name, sorted(summaries))

    def close(self):
        self._hear("close")

    def methods(self):
        return [one[0] for one in self.heard]


@pytest.fixture
def follow(tiny, tmp_path):
    """Does a tiny run with trackers, see `tiny.follow`."""
    return lambda settings=None, **trackers: tiny.follow(tmp_path, trackers, **(settings or {}))


def test_a_tracker_hears_a_run_from_its_beginning_to_its_end(follow):
    diary = Diary()

    store, told = follow(diary=diary)

    keys = [record.key for record in store.records()]
    trials = [
        event
        for label, key in zip(LABELS, keys, strict=True)
        for event in (
            ("epoch", label, 0, {"loss": 0.5, "validation_c_index": 0.5}),
            ("trial_finished", label, key, True),
        )
    ]
    assert diary.heard == [
        ("run_started", store.description().name),
        *trials,
        ("run_finished", "report.html", sorted(store.records()[0].scores)),
        ("close",),
    ]
    assert "tracker" not in told


def test_a_failed_trial_is_told_with_its_reason(follow):
    diary = Diary()

    store, _ = follow(diary=diary, settings={"fails": "T05"})

    failed = [one for one in diary.heard if one[0] == "trial_failed"]
    assert len(failed) == len(store.failures()) >= 1
    assert {reason for _, _, reason in failed} == {"RuntimeError: cannot learn from T05"}


@pytest.mark.parametrize(
    "method", ["run_started", "epoch", "trial_finished", "run_finished", "close"]
)
def test_a_tracker_that_raises_is_told_of_once_and_costs_no_trial(follow, method):
    broken, well = Diary(fails=method), Diary()

    store, told = follow(broken=broken, well=well)

    lines = [line for line in told.splitlines() if line.startswith("tracker")]
    assert len(store.records()) == 3
    assert store.failures() == ()
    assert broken.methods().count(method) == 1
    assert broken.methods()[-1] == "close"
    assert broken.methods().count("close") == 1
    assert well.methods().count("trial_finished") == 3
    assert lines == [
        "tracker 'broken' is switched off, the run goes on: RuntimeError: no space left",
        "tracker 'broken' misses what came after; no result is lost, and the same command adds "
        "the finished trials that it lacks",
    ]


def test_an_error_of_ours_is_told_without_its_type(follow):
    _, told = follow(broken=Diary(fails="epoch", error=DataError("the log is damaged")))

    assert "goes on: the log is damaged\n" in told


def test_a_run_that_is_cut_off_closes_its_trackers(follow):
    diary = Diary(fails="trial_finished", error=KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        follow(diary=diary)

    assert diary.methods() == ["run_started", "epoch", "trial_finished", "close"]


def test_a_run_that_goes_on_tells_no_finished_trial_twice(follow):
    store, _ = follow(first=Diary())
    keys = {record.key for record in store.records()}
    second = Diary(held=keys)

    follow(second=second)

    assert second.methods() == ["run_started", "run_finished", "close"]


def test_trials_that_a_tracker_lacks_are_told_from_disk(follow):
    store, _ = follow()
    first, *others = store.records()
    diary = Diary(held={record.key for record in others})

    follow(diary=diary)

    assert diary.heard[1:3] == [
        ("epoch", LABELS[0], 0, {"loss": 0.5, "validation_c_index": 0.5}),
        ("trial_finished", LABELS[0], first.key, True),
    ]
    assert diary.methods()[3:] == ["run_finished", "close"]


def test_the_beginning_of_training_is_for_the_eye_only(follow, tmp_path):
    store, _ = follow()
    diary, shown = Diary(held={record.key for record in store.records()}), []
    trackers = Trackers({"diary": diary})
    trackers.run_started(store)
    event = TrialEvent(trial=LABELS[0], total=3)

    trackers.beside(shown.append)(event)

    assert shown == [event]
    assert diary.methods() == ["run_started"]


@pytest.fixture
def announced():
    """Components with a tracker `diary` that has one option and says what it was built with."""

    def build(runs, *, depth: int = 1):
        return ("built", runs, depth)

    component = Component(
        name="diary", summary="A diary", build=build, reference="https://example.org"
    )
    one = Announced(component=component, kind="tracker", distribution="d", version="1")
    plugin = Plugin(entry_point="e", distribution="d", version="1", announced=(one,))
    return Components(plugins=(plugin,))


def test_a_tracker_is_built_once_with_its_folder_and_options(announced):
    trackers = build_trackers(
        announced, ["diary", "diary"], {"diary.depth": "3"}, Path("runs"), print
    )

    assert trackers._trackers == {"diary": ("built", Path("runs"), 3)}


@pytest.mark.parametrize(
    ("names", "settings", "error", "message"),
    [
        (
            ["diray"],
            {},
            UnknownComponentError,
            "no tracker is called 'diray'. Did you mean",
        ),
        (["diary"], {"diary.deep": "3"}, OptionError, "tracker 'diary' has no option 'deep'"),
        (
            [],
            {"diary.depth": "3"},
            OptionError,
            r"setting 'tracker.diary.depth' is of a tracker that is not used; add --track diary",
        ),
    ],
)
def test_a_wrong_request_is_answered(announced, names, settings, error, message):
    with pytest.raises(error, match=message):
        build_trackers(announced, names, settings, Path("runs"), print)


@pytest.mark.parametrize(
    ("name", "package"), [("tensorboard", "tensorboard"), ("mlflow", "sqlalchemy")]
)
def test_a_missing_package_is_named_with_what_to_install(
    name, package, install, monkeypatch, tmp_path
):
    install()
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    for module in (f"mtsbench.trackers.{name}", "torch.utils.tensorboard"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    with pytest.raises(
        MissingPackageError,
        match=rf"^tracker '{name}' needs a package that is not installed \(.+\): "
        rf"pip install 'mtsbench\[{name}\]'$",
    ):
        build_trackers(load_components(), [name], {}, tmp_path / "runs", print)

    assert not (tmp_path / "runs").exists()
