from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.comparison.summary import Summary, mean_seconds, score_names, summarise
from mtsbench.records import StoredScore

values = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=8)


def scored(make_record, drawn):
    return tuple(
        make_record(
            fold,
            scores={
                "harrell-c": StoredScore(value=value, reason=None if value is not None else "none")
            },
        )
        for fold, value in enumerate(drawn)
    )


@given(drawn=values, failed=st.integers(0, 3))
def test_the_mean_is_over_defined_trials_and_every_other_trial_is_counted(
    make_run, make_record, make_description, drawn, failed
):
    run = make_run(make_description(trials=len(drawn) + failed), scored(make_record, drawn))
    defined = [value for value in drawn if value is not None]

    summary = summarise(run, "harrell-c")

    assert (summary.defined, summary.trials) == (len(defined), len(drawn) + failed)
    if defined:
        assert summary.mean == pytest.approx(statistics.mean(defined))
    else:
        assert summary.mean is None
        assert summary.text() == "undefined"
    if len(defined) > 1:
        assert summary.spread == pytest.approx(statistics.stdev(defined), abs=1e-12)
    else:
        assert summary.spread is None
    assert summary.text().endswith(f"({len(defined)}/{summary.trials})") == (
        0 < len(defined) < summary.trials
    )


@pytest.mark.parametrize(
    ("mean", "spread", "defined", "text"),
    [
        (0.7123, 0.0339, 3, "0.712 ± 0.034"),
        (0.7123, 0.0339, 2, "0.712 ± 0.034 (2/3)"),
        (0.7123, None, 1, "0.712 (1/3)"),
        (None, None, 0, "undefined"),
    ],
)
def test_a_summary_reads(mean, spread, defined, text):
    summary = Summary(metric="dice", mean=mean, spread=spread, defined=defined, trials=3)

    assert summary.text() == text


def test_the_oracle_has_a_summary_of_its_own(make_run):
    assert summarise(make_run(), "harrell-c").mean == pytest.approx(0.71)
    assert summarise(make_run(), "harrell-c", "oracle").mean == pytest.approx(0.8)
    assert summarise(make_run(), "dice", "oracle").defined == 0


def test_a_metric_is_named_even_if_only_one_trial_reports_it(make_run, make_record):
    few = make_record(0, scores={"harrell-c": StoredScore(value=0.5)}, oracle={})
    run = make_run(records=(few, make_record(1)))

    assert score_names(run) == ("harrell-c", "dice")
    assert score_names(run, "oracle") == ("harrell-c",)
    assert summarise(run, "dice").text() == "0.600 (1/3)"


def test_seconds_are_averaged_over_the_trials(make_run, make_record):
    times = [make_record(fold, phase_seconds={"fit": 10.0 * fold}) for fold in (1, 2)]

    assert mean_seconds(make_run(records=tuple(times)), "fit") == 15.0
    assert mean_seconds(make_run(records=()), "fit") is None
