from __future__ import annotations

import io

import pytest
from rich.console import Console

from mtsbench.data import ClinicalVariable
from mtsbench.events import TrialEvent, trial_label
from mtsbench.progress import Progress
from mtsbench.records import StoredScore

TRIAL = trial_label(repeat=1, fold=2, seed=3)


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
    with shown.trials() as report:
        report(TrialEvent(trial=TRIAL, total=20))
        report(TrialEvent(trial=TRIAL, done=1, total=20, values=values))
        clock[0] = 12.0
        report(TrialEvent(trial=TRIAL, done=7, total=20, values=values))

    assert printed(shown) == ("repeat 1 fold 2 seed 3 7/20 val C 0.712 val Dice 0.500 loss 1.500\n")


def test_the_clinical_variables_are_named_with_their_kind():
    shown = progress()
    shown.clinical(
        [
            ClinicalVariable(name="age", kind="numeric"),
            ClinicalVariable(name="t[b]", kind="categorical"),
        ]
    )
    shown.clinical([])

    assert printed(shown) == "clinical variables: age (numeric), t[b] (categorical)\n"


def test_in_a_terminal_a_bar_shows_the_count():
    shown = progress(terminal=True)
    with shown.trials() as report:
        report(TrialEvent(trial=TRIAL, total=20))
        report(TrialEvent(trial=TRIAL, done=7, total=20, values={"loss": 1.5}))

    text = printed(shown)
    assert TRIAL in text
    assert "7/20" in text
    assert "loss 1.500" in text


def test_what_went_wrong_beside_the_trials_is_one_line_of_any_length():
    shown = progress()

    shown.warn("[tracker] " + "long " * 40)

    assert printed(shown) == "[tracker] " + "long " * 40 + "\n"


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

    with shown.trials() as report:
        report(TrialEvent(trial=TRIAL, outcome=make_record(fold=2, scores=scores)))

    assert printed(shown) == ("repeat 0 fold 2 seed 0: harrell-c 0.700  dice undefined  (64 s)\n")


def test_a_failed_trial_says_why_in_one_line(make_failure):
    shown = progress()

    with shown.trials() as report:
        report(TrialEvent(trial=TRIAL, outcome=make_failure(2, "[red]first[/red] line\nsecond")))

    assert printed(shown) == "repeat 0 fold 2 seed 0 failed: [red]first[/red] line\n"


def test_trials_side_by_side_have_lines_of_their_own_where_there_is_no_terminal(clock):
    shown = progress()

    with shown.trials() as report:
        for trial in ("one", "two"):
            report(TrialEvent(trial=trial, total=9))
        clock[0] = 12.0
        for trial in ("one", "two", "one"):
            report(TrialEvent(trial=trial, done=4, total=9))

    assert printed(shown) == "one 4/9\ntwo 4/9\n"


def test_trials_side_by_side_have_a_bar_each_in_a_terminal(make_record):
    shown = progress(terminal=True)

    with shown.trials() as report:
        report(TrialEvent(trial="one", done=1, total=4, values={"loss": 0.25}))
        report(TrialEvent(trial="two", done=2, total=4))
        report(TrialEvent(trial="one", outcome=make_record(0)))

    text = printed(shown)
    assert "loss 0.250" in text
    assert "two" in text
    assert "repeat 0 fold 0 seed 0: harrell-c 0.700" in text
