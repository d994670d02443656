from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtsbench.comparison.risk_strata import auc_by_day, calibration, first_pass, risk_groups
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.risk_groups import hazard_ratio, log_rank
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc


@pytest.fixture
def tested(analysed):
    return analysed(None, {"a": 0.7}, repeats=2).entries[0].tested


def test_groups_are_cut_at_the_median_of_each_training_fold_and_count_each_patient_once(tested):
    groups = risk_groups(tested)

    assert len(groups.time) == 90
    expected = [f.predictions.risk > np.median(f.training_risk) for f in tested.folds[:3]]
    assert (groups.high == np.concatenate(expected)).all()
    assert groups.log_rank.p < 0.001
    assert groups.hazard_ratio.value > 2
    assert groups.undefined == ()


def test_both_the_log_rank_test_and_the_hazard_ratio_are_stratified_by_fold(tested):
    fold = np.repeat([0, 1, 2], [len(one.outcomes) for one in tested.folds[:3]])

    groups = risk_groups(tested)

    data = groups.time, groups.event, groups.high
    assert groups.log_rank == log_rank(*data, strata=fold)
    assert groups.hazard_ratio == hazard_ratio(*data, strata=fold)
    assert groups.hazard_ratio != hazard_ratio(*data)


def test_one_group_only_gives_the_reason_and_no_test(tested):
    folds = tuple(replace(f, training_risk=f.training_risk + 1000) for f in tested.folds)

    groups = risk_groups(replace(tested, folds=folds))

    assert groups.log_rank is None
    assert groups.hazard_ratio is None
    assert "all patients are in one risk group" in groups.undefined[0]


def test_calibration_is_of_each_patient_once(tested):
    found = calibration(tested, 1000.0)

    assert len(found.risk) == 90
    assert 0 < found.smooth.ici < 0.3
    assert found.whole.counts.sum() == pytest.approx(90)


def test_curves_that_are_missing_or_end_early_are_refused(tested, analysed):
    without = analysed(None, {"b": 0.7}, curves=False).entries[0].tested
    with pytest.raises(UndefinedMetricError, match="the model gives no survival curves"):
        calibration(without, 1000.0)
    with pytest.raises(UndefinedMetricError, match="the curves end on day 4000, before 5000"):
        calibration(tested, 5000.0)


def test_the_auc_is_the_mean_of_folds_and_nan_where_no_fold_has_one(tested):
    days = np.array([0.25, 1000.25])

    found = auc_by_day(tested, days)

    from mtsbench.metrics.censoring import censoring_distribution

    free = censoring_distribution(tested.outcomes.time, tested.outcomes.event)
    folds = [
        cumulative_dynamic_auc(
            f.predictions.risk, 1000.25, f.outcomes.time, f.outcomes.event, censoring=free
        )
        for f in tested.folds
    ]
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(np.mean(folds))


def test_the_first_pass_has_each_patient_once(tested):
    ids = [one for fold in first_pass(tested) for one in fold.outcomes.case_ids]

    assert sorted(ids) == sorted(tested.outcomes.case_ids)
