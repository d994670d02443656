"""What TensorBoard would read of a real, tiny run."""

from __future__ import annotations

import pytest

from mtsbench.records import StoredScore
from mtsbench.testing import TrackerContract

pytest.importorskip("tensorboard", reason="the extra mtsbench[tensorboard] is not installed")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mtsbench.trackers.tensorboard import TensorBoard

TRIAL = "repeat-0-fold-0-seed-0"


class TestTensorBoardContract(TrackerContract):
    component = "tensorboard"


def read(folder):
    """The events of one trial, all of them in one file."""
    (file,) = folder.glob("events.out.tfevents.*")
    events = EventAccumulator(str(file))
    events.Reload()
    return events


def text_of(events, tag):
    (event,) = events.Tensors(f"{tag}/text_summary")
    return event.tensor_proto.string_val[0].decode()


@pytest.fixture
def tracker(tmp_path):
    return TensorBoard(tmp_path / "logs", images=True)


def test_each_trial_has_its_curves_scores_and_example_slices(tiny, tracker, tmp_path):
    store, told = tiny.follow(tmp_path, {"tensorboard": tracker})

    run = tmp_path / "logs" / store.description().name
    assert "tracker" not in told
    for record in store.records():
        events = read(run / f"repeat-0-fold-{record.fold}-seed-0")
        scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        assert [(one.step, one.value) for one in scalars["epoch/loss"]] == [(0, 0.5)]
        for name, score in record.scores.items():
            if score.value is not None:
                assert scalars[f"score/{name}"][0].value == pytest.approx(score.value)
        assert scalars["seconds/fit"][0].value == pytest.approx(record.phase_seconds["fit"])
        assert events.Tags()["images"] == ["examples"]
        assert "_hparams_/session_start_info" in events.summary_metadata
        assert str(store.trial_folder(record)) in text_of(events, "files")


def test_the_folder_of_the_run_has_the_means_and_the_report(tiny, tracker, tmp_path):
    store, _ = tiny.follow(tmp_path, {"tensorboard": tracker})

    events = read(tmp_path / "logs" / store.description().name)
    values = [record.scores["harrell-c"].value for record in store.records()]
    assert events.Scalars("mean/harrell-c")[0].value == pytest.approx(sum(values) / 3)
    assert "report.html" in text_of(events, "report")
    assert text_of(events, "data").startswith("tiny · pfs")


def test_epochs_have_their_numbers(tracker, make_description, tmp_path):
    tracker.run_started(make_description())
    for epoch in range(3):
        tracker.epoch("repeat 0 fold 0 seed 0", epoch, {"loss": 1 / (1 + epoch)})
    tracker.close()

    events = read(tmp_path / "logs" / make_description().name / TRIAL)
    assert [(one.step, one.value) for one in events.Scalars("epoch/loss")] == [
        (0, 1.0),
        (1, 0.5),
        (2, pytest.approx(1 / 3)),
    ]


def test_an_undefined_score_is_a_text_with_its_reason_and_simulated_slices_say_so(
    tracker, make_description, make_record, stored, tmp_path
):
    store = stored(label="deepmts", masks=True)
    scores = {"dice": StoredScore(value=None, reason="no patient has a mask")}

    tracker.run_started(make_description())
    folder = store.trial_folder(store.records()[0])
    tracker.trial_finished("repeat 0 fold 0 seed 0", make_record(scores=scores), folder)

    events = read(tmp_path / "logs" / make_description().name / TRIAL)
    assert text_of(events, "undefined/score/dice") == "no patient has a mask"
    assert "score/dice" not in events.Tags()["scalars"]
    assert events.Tags()["images"] == ["examples (SIMULATED)"]


def test_slices_are_left_out_on_request(tiny, tmp_path):
    store, _ = tiny.follow(tmp_path, {"tensorboard": TensorBoard(tmp_path / "logs", images=False)})

    events = read(tmp_path / "logs" / store.description().name / TRIAL)
    assert events.Tags()["images"] == []


def test_a_failed_trial_shows_its_traceback(tracker, make_description, make_failure, tmp_path):
    tracker.run_started(make_description())
    tracker.trial_failed("repeat 0 fold 0 seed 0", make_failure())

    events = read(tmp_path / "logs" / make_description().name / TRIAL)
    assert "Traceback" in text_of(events, "failed")


def test_a_second_attempt_takes_the_place_of_the_first(
    tracker, make_description, make_record, stored, tmp_path
):
    store, trial = stored(label="deepmts"), "repeat 0 fold 0 seed 0"
    tracker.run_started(make_description())
    for epoch in range(5):
        tracker.epoch(trial, epoch, {"loss": 9.0})
    tracker.close()

    tracker.run_started(make_description())
    tracker.epoch(trial, 0, {"loss": 1.0})
    tracker.trial_finished(trial, make_record(), store.trial_folder(store.records()[0]))

    events = read(tmp_path / "logs" / make_description().name / TRIAL)
    assert [(one.step, one.value) for one in events.Scalars("epoch/loss")] == [(0, 1.0)]


def test_a_run_that_is_done_is_not_written_again(tiny, tracker, tmp_path):
    store, _ = tiny.follow(tmp_path, {"tensorboard": tracker})
    trials = tmp_path / "logs" / store.description().name
    before = {path: path.stat().st_mtime_ns for path in trials.glob("*/*")}

    tiny.follow(tmp_path, {"tensorboard": TensorBoard(tmp_path / "logs", images=True)})

    assert {path: path.stat().st_mtime_ns for path in trials.glob("*/*")} == before
    assert len(before) == 6
