"""Trials that some run lacks: refused with reasons and advice, or left out of every run."""

from __future__ import annotations

import pytest

from mtsbench.comparison.common_trials import (
    common_trials,
    left_out_text,
    parse_on_missing,
)
from mtsbench.comparison.summary import summarise
from mtsbench.errors import IncomparableRunsError, OptionError


def folds(run):
    return [(one.repeat, one.fold, one.seed) for one in run.records]


@pytest.fixture
def half(make_run, make_description, make_record, make_failure):
    """Lacks fold 1, which failed."""
    return make_run(
        make_description(name="half"),
        (make_record(0), make_record(2)),
        failures=[make_failure(1)],
    )


@pytest.mark.parametrize("order", [1, -1])
def test_a_missing_trial_is_named_with_its_reason_and_both_ways_out(make_run, half, order):
    with pytest.raises(
        IncomparableRunsError,
        match=(
            r"^half has no result for repeat 0 fold 1 seed 0 \(failed: the training loss became "
            r"nan\)\. Repeat the `mtsbench run` command of each, .*--on-missing common-folds"
        ),
    ):
        common_trials([make_run(), half][::order])


def test_a_trial_that_was_not_tried_is_told_from_one_that_failed(make_run, make_record):
    unfinished = make_run(records=(make_record(0), make_record(1)))

    with pytest.raises(IncomparableRunsError, match=r"fold 2 seed 0 \(not finished\)"):
        common_trials([make_run(), unfinished])


def test_every_run_that_lacks_trials_is_named(make_run, make_description, make_record, half):
    other = make_run(make_description(name="other"), (make_record(0), make_record(1)))

    with pytest.raises(IncomparableRunsError, match=r"^half has .* fold 1 .*; other has .* fold 2"):
        common_trials([make_run(), half, other])


def test_common_folds_keeps_what_every_run_has_and_says_what_it_leaves_out(make_run, half):
    kept, left_out = common_trials([make_run(), half], "common-folds")

    assert [folds(run) for run in kept] == [[(0, 0, 0), (0, 2, 0)]] * 2
    (one,) = left_out
    assert one.label == "repeat 0 fold 1 seed 0"
    assert one.reasons == {"half": "failed: the training loss became nan"}
    assert left_out_text(left_out, half.description) == (
        "1 of 3 folds was left out of every run, because not all runs have a result there "
        "(repeat 0 fold 1 seed 0: half failed: the training loss became nan)."
    )


def test_trials_left_out_for_the_same_reason_are_told_together(
    make_run, make_description, make_record
):
    one = make_run(make_description(name="one"), (make_record(0),))

    _, left_out = common_trials([make_run(), one], "common-folds")

    assert left_out_text(left_out, one.description).endswith(
        "(repeat 0 fold 1 seed 0, repeat 0 fold 2 seed 0: one not finished)."
    )


def test_seeds_are_trials_of_their_own(make_run, make_description, make_record):
    protocol = {"repeats": 1, "folds": 2, "seeds": [0, 1]}
    usual = make_description()
    about = make_description(question={**usual.question, "protocol": protocol}, trials=4)
    every = [make_record(fold, seed=seed) for fold in (0, 1) for seed in (0, 1)]

    kept, left_out = common_trials(
        [make_run(about, tuple(every)), make_run(about, tuple(every[:3]))], "common-folds"
    )

    assert [folds(run) for run in kept] == [[(0, 0, 0), (0, 0, 1), (0, 1, 0)]] * 2
    assert left_out_text(left_out, about).startswith("1 of 4 trials was left out")


def test_runs_that_have_every_trial_stay_whole(make_run):
    for policy in ("refuse", "common-folds"):
        kept, left_out = common_trials([make_run(), make_run()], policy)

        assert [len(run.records) for run in kept] == [3, 3]
        assert left_out == ()
    assert left_out_text((), make_run().description) == ""


def test_a_trial_that_every_run_lacks_is_no_difference_but_is_counted(make_run, make_record):
    half = make_run(records=(make_record(0), make_record(1)))

    kept, left_out = common_trials([half, half])

    assert [one.label for one in left_out] == ["repeat 0 fold 2 seed 0"]
    assert summarise(kept[0], "harrell-c").text().endswith("(2/3)")


@pytest.mark.parametrize("policy", ["refuse", "common-folds"])
def test_without_a_common_trial_no_policy_helps_and_none_is_offered(
    make_run, make_description, make_record, policy
):
    runs = [
        make_run(make_description(name=name), (make_record(fold),))
        for fold, name in enumerate(("first", "second"))
    ]

    with pytest.raises(
        IncomparableRunsError,
        match=r"^first has .* fold 1 .*; second has .*; no trial has a result in all of these runs",
    ) as refused:
        common_trials(runs, policy)
    assert "--on-missing" not in str(refused.value)


@pytest.mark.parametrize("policy", ["refuse", "common-folds"])
def test_runs_without_any_trial_are_refused(make_run, policy):
    with pytest.raises(
        IncomparableRunsError, match=r"has no result for repeat 0 fold 0 seed 0 \(not finished\)"
    ):
        common_trials([make_run(records=()), make_run(records=())], policy)


def test_only_the_first_missing_trials_are_named_and_the_others_counted(
    make_run, make_description, make_record
):
    usual = make_description()
    protocol = {"repeats": 3, "folds": 3, "seeds": [0]}
    about = make_description(question={**usual.question, "protocol": protocol}, trials=9)
    every = tuple(make_record(fold, repeat) for repeat in range(3) for fold in range(3))

    with pytest.raises(IncomparableRunsError, match=r"\(not finished\), 5 more\. Repeat"):
        common_trials([make_run(about, every), make_run(about, every[:1])])


def test_another_policy_is_refused():
    assert parse_on_missing("common-folds") == "common-folds"
    with pytest.raises(OptionError, match="must be refuse or common-folds, got 'drop'"):
        parse_on_missing("drop")
