from __future__ import annotations

import io

import pytest
from rich.console import Console

from mtsbench.interfaces import TrialEvent
from mtsbench.progress import Progress, RelayedProgress
from mtsbench.records import StoredScore
from mtsbench.splits import Split

SPLIT = Split(repeat=1, fold=2, train=(), validation=(), test=())


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told to."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def progress(*, terminal: bool = False) -> Progress:
    return Progress(Console(file=io.StringIO(), width=100, force_terminal=terminal))


def printed(progress: Progress) -> str:
    return progress.console.file.getvalue()


def test_without_a_terminal_a_line_appears_at_most_every_ten_seconds(clock):
    shown = progress()
    with shown.preparing() as advance:
        for second in range(1, 31):
            clock[0] = float(second)
            advance(second, 30)

    assert printed(shown).splitlines() == [
        "preparing cases 10/30",
        "preparing cases 20/30",
        "preparing cases 30/30",
    ]


def test_training_lines_name_the_trial_and_the_validation_scores(clock):
    shown = progress()
    values = {"loss": 1.5, "validation_c_index": 0.71234, "validation_dice": 0.5, "other": 9.0}
    with shown.training(SPLIT, seed=3, epochs=20) as tick:
        tick(0, values)
        clock[0] = 12.0
        tick(6, values)

    assert printed(shown) == ("repeat 1 fold 2 seed 3 7/20 val C 0.712 val Dice 0.500 loss 1.500\n")


def test_in_a_terminal_a_bar_shows_the_count():
    shown = progress(terminal=True)
    with shown.training(SPLIT, seed=3, epochs=20) as tick:
        tick(6, {"loss": 1.5})

    text = printed(shown)
    assert "repeat 1 fold 2 seed 3" in text
    assert "7/20" in text
    assert "loss 1.500" in text


def test_finished_trials_of_an_earlier_run_are_counted_if_there_are_any():
    shown = progress()
    shown.resumed(0)
    assert printed(shown) == ""

    shown.resumed(4)
    assert printed(shown) == "4 finished trials found, continuing\n"


def test_a_finished_trial_says_its_scores_and_seconds(make_record):
    shown = progress()
    scores = {
        "harrell-c": StoredScore(value=0.70049),
        "dice": StoredScore(value=None, reason="no mask"),
    }

    shown.finished(make_record(fold=2, scores=scores))

    assert printed(shown) == ("repeat 0 fold 2 seed 0: harrell-c 0.700  dice undefined  (64 s)\n")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("[red]first[/red] line\nsecond"), "[red]first[/red] line"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_a_failed_trial_says_why_in_one_line(error, cause):
    shown = progress()

    shown.failed(SPLIT, 3, error)

    assert printed(shown) == f"repeat 1 fold 2 seed 3 failed: {cause}\n"


def test_trials_side_by_side_say_lines_where_there_is_no_terminal(make_record):
    stream = io.StringIO()
    sent = []
    relayed = RelayedProgress(sent.append)
    split = Split(repeat=0, fold=1, train=(), validation=(), test=())
    with relayed.training(split, 2, 9) as tick:
        tick(3, {"loss": 0.5})
    relayed.finished(make_record(1))
    relayed.failed(split, 2, ValueError("first\nsecond"))

    with Progress(Console(file=stream, width=200)).side_by_side() as report:
        for event in sent:
            report(event)

    assert sent[0].done == 4
    assert sent[0].total == 9
    text = stream.getvalue()
    assert "repeat 0 fold 1 seed 0: harrell-c 0.710  dice 0.600" in text
    assert "repeat 0 fold 1 seed 2 failed: first" in text
    assert "second" not in text


def test_trials_side_by_side_have_a_bar_each_in_a_terminal():
    stream = io.StringIO()
    console = Console(file=stream, width=100, force_terminal=True)

    with Progress(console).side_by_side() as report:
        report(TrialEvent(trial="one", done=1, total=4, values={"loss": 0.25}))
        report(TrialEvent(trial="two", done=2, total=4))
        report(TrialEvent(trial="one", message="one: done"))

    text = stream.getvalue()
    assert "loss 0.250" in text
    assert "two" in text
    assert "one: done" in text
