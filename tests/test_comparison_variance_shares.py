from __future__ import annotations

import numpy as np
import pytest

from mtsbench.comparison.variance_shares import variance_shares
from mtsbench.errors import UndefinedMetricError
from mtsbench.records import StoredScore


def run_of(make_run, make_record, values):
    """Values by (repeat, fold, seed)."""
    records = [
        make_record(f, r, s, scores={"harrell-c": StoredScore(value=float(v))})
        for (r, f, s), v in np.ndenumerate(values)
    ]
    return make_run(records=records)


def test_shares_follow_the_variance_that_was_put_in(make_run, make_record):
    random = np.random.default_rng(3)
    values = (
        0.7
        + 0.01 * random.normal(size=(60, 1, 1))
        + 0.04 * random.normal(size=(60, 5, 1))
        + 0.02 * random.normal(size=(60, 5, 3))
    )

    found = variance_shares(run_of(make_run, make_record, values), "harrell-c")

    assert found.repeats == pytest.approx(1 / 21, abs=0.05)
    assert found.folds == pytest.approx(16 / 21, abs=0.06)
    assert found.seeds == pytest.approx(4 / 21, abs=0.05)
    assert found.repeats + found.folds + found.seeds == pytest.approx(1)


def test_what_the_protocol_has_once_cannot_be_told(make_run, make_record):
    values = np.array([[[0.6], [0.7], [0.9]]])

    found = variance_shares(run_of(make_run, make_record, values), "harrell-c")

    assert (found.repeats, found.folds, found.seeds) == (None, 1.0, None)


def test_a_constant_score_has_no_variance(make_run, make_record):
    run = run_of(make_run, make_record, np.full((1, 3, 2), 0.5))

    with pytest.raises(UndefinedMetricError, match="harrell-c is the same in every trial of deep"):
        variance_shares(run, "harrell-c")


def test_an_undefined_trial_is_named(make_run):
    with pytest.raises(UndefinedMetricError, match="ibs is undefined in some trial of deepmts"):
        variance_shares(make_run(), "ibs")
