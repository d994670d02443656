"""Filters, imputation and scaling are learnt from the cases of the fit alone."""

from __future__ import annotations

import numpy as np
import pytest
from mtsbench_radiomics.features.table import FeatureTable
from mtsbench_radiomics.models.preparation import Preparation, PreparationSettings

from mtsbench.data import Outcomes
from mtsbench.errors import DataError

COUNT = 40
IDS = tuple(f"P{number}" for number in range(COUNT))
OUTCOMES = Outcomes(
    endpoint="os",
    case_ids=IDS,
    time=np.arange(COUNT, 0, -1) * 10.0,
    event=np.arange(COUNT) % 4 > 0,
)


def table(**columns) -> FeatureTable:
    return FeatureTable(
        case_ids=IDS[: len(next(iter(columns.values())))],
        names=tuple(columns),
        values=np.stack([np.asarray(column, float) for column in columns.values()], axis=1),
        reasons={},
    )


def fit(features: FeatureTable, always=(), **settings) -> Preparation:
    return Preparation.fit(features, OUTCOMES, PreparationSettings(**settings), always)


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return lambda: rng.normal(size=COUNT)


def test_a_constant_feature_is_dropped_with_its_reason(noise):
    learnt = fit(table(a=noise(), same=np.full(COUNT, 7.5), rounding=1 + 1e-13 * noise()))

    assert learnt.names == ("a",)
    assert learnt.dropped["same"] == "constant in the training part: 7.5"
    assert learnt.dropped["rounding"] == "constant in the training part: 1"


def test_a_feature_missing_too_often_is_dropped_with_its_reason(noise):
    rare, often = noise(), noise()
    rare[:21], often[:20] = np.nan, np.nan

    learnt = fit(table(rare=rare, often=often, never=np.full(COUNT, np.nan)))

    assert learnt.names == ("often",)
    assert learnt.dropped["rare"] == "missing in 21 of 40 training cases"
    assert learnt.dropped["never"] == "missing in 40 of 40 training cases"


def test_a_feature_equal_to_another_is_dropped_with_its_reason(noise):
    a = noise()

    learnt = fit(table(a=a, b=noise(), twin=a))

    assert learnt.names == ("a", "b")
    assert learnt.dropped == {"twin": "equal to a in every training case"}


def test_missing_values_become_the_training_median_and_values_z_scores(noise):
    a = noise() * 3 + 5
    a[[3, 7]] = np.nan
    learnt = fit(table(a=a))

    training = learnt.apply(table(a=a))
    new = learnt.apply(table(a=[np.nan, 5.0]))

    median = np.nanmedian(a)
    filled = np.where(np.isnan(a), median, a)
    assert training.mean() == pytest.approx(0, abs=1e-12)
    assert training.std() == pytest.approx(1)
    assert new[:, 0] == pytest.approx((np.array([median, 5.0]) - filled.mean()) / filled.std())


def test_without_standardising_values_stay_as_they_are(noise):
    a = noise() * 3 + 5

    learnt = fit(table(a=a), standardise=False)

    assert (learnt.apply(table(a=a))[:, 0] == a).all()


def test_of_two_features_that_correlate_the_one_with_the_better_c_stays(noise):
    # Time falls with the row, so the row number is the perfect risk.
    row = np.arange(COUNT, dtype=float)
    blurred = row + 2 * noise()

    learnt = fit(table(blurred=blurred, best=np.exp(row / 5), a=noise()), correlation=0.9)

    assert learnt.names == ("best", "a")
    assert "with best" in learnt.dropped["blurred"]
    assert set(fit(table(blurred=blurred, best=row), correlation=1.0).names) == {"blurred", "best"}


def test_screening_keeps_the_features_farthest_from_a_c_of_one_half(noise):
    row = np.arange(COUNT, dtype=float)
    noises = {f"n{number}": noise() for number in range(8)}
    features = table(**noises, up=row + 8 * noise(), down=-row + 8 * noise())

    learnt = fit(features, screened=2)

    assert learnt.names == ("up", "down")
    assert learnt.dropped["n0"] == "not among the 2 screened features"


def test_a_feature_that_must_stay_does_not_count(noise):
    row = np.arange(COUNT, dtype=float)
    features = table(age=noise(), near=row + noise(), best=row, other=noise())

    learnt = fit(features, always=("age", "near"), screened=1, correlation=0.9)

    assert learnt.names == ("age", "near", "other")
    assert "with near" in learnt.dropped["best"]


def test_a_new_table_without_a_feature_is_refused(noise):
    learnt = fit(table(a=noise(), b=noise()))

    with pytest.raises(DataError, match="no 'b'"):
        learnt.apply(table(a=noise()))
