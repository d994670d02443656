from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.covariates import Standardised, endless_direction, listed, told
from mtsbench.metrics.partial_likelihood import RiskSets

patients = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.integers(-2, 2), st.integers(-2, 2)),
    min_size=4,
    max_size=14,
)


def standardised(covariates, time, event, stratum=None) -> Standardised:
    covariates = np.array(covariates, dtype=np.float64)
    names = tuple("abcdefgh"[: covariates.shape[1]])
    stratum = np.zeros(len(time), np.intp) if stratum is None else stratum
    return Standardised.of(covariates, np.array(time), np.array(event), stratum, names)


def test_those_censored_before_the_first_event_have_no_part_in_means_and_deviations():
    found = standardised([[1e9], [1.0], [3.0], [5.0]], [1, 2, 3, 4], [False, True, True, False])

    assert found.at_risk.tolist() == [False, True, True, True]
    assert found.centre.tolist() == [[3.0]]
    assert found.scale == pytest.approx([np.std([1, 3, 5])])
    assert found.spread == pytest.approx([np.std([1e9, 1, 3, 5])])


def test_each_stratum_has_means_of_its_own():
    found = standardised(
        [[1.0], [3.0], [101.0], [103.0]], [1, 2, 1, 2], [True] * 4, np.array([0, 0, 1, 1])
    )

    assert found.centre.tolist() == [[2.0], [102.0]]
    assert found.values.ravel().tolist() == [-1.0, 1.0, -1.0, 1.0]


@pytest.mark.parametrize(
    ("covariates", "event", "stratum"),
    [
        ([[0, 7], [1, 7], [0, 7], [1, 7]], [1, 1, 1, 1], None),
        # It varies, but not once the first event happens.
        ([[0, 1], [1, 7], [0, 7], [1, 7]], [0, 1, 1, 1], None),
        # It varies between strata alone.
        ([[0, 5], [1, 5], [0, 7], [1, 7]], [1, 1, 1, 1], np.array([0, 0, 1, 1])),
    ],
)
def test_a_covariate_that_does_not_vary_among_those_at_risk_is_named(covariates, event, stratum):
    design = standardised(covariates, [1, 2, 3, 4], np.array(event) == 1, stratum)

    with pytest.raises(UndefinedMetricError, match="the covariate b does not vary among the pat"):
        design.check_unique()


def test_covariates_that_determine_each_other_are_named():
    a, b, c = np.random.default_rng(0).normal(size=(3, 20))

    design = standardised(np.stack([a, c, a + b, b], axis=1), np.arange(20), np.ones(20, np.bool_))

    with pytest.raises(UndefinedMetricError, match="covariates a, c, d determine each other in"):
        design.check_unique()


def test_as_many_covariates_as_patients_have_no_unique_coefficients():
    values = np.random.default_rng(0).normal(size=(4, 4))

    with pytest.raises(UndefinedMetricError, match=r"4 covariates \(a, b, c, d\) for 4 patients"):
        standardised(values, np.arange(4), np.ones(4, np.bool_)).check_unique()


@given(patients)
@settings(max_examples=150, deadline=None)
def test_the_likelihood_rises_along_an_endless_direction_and_falls_at_last_along_all_others(drawn):
    time, event, *columns = (np.array(one) for one in zip(*drawn, strict=True))
    if not event.any():
        return
    sets = RiskSets.of(np.stack(columns, axis=1).astype(float), time.astype(float), event, "efron")
    margins = sets.margins()

    found = endless_direction(margins)

    if found is not None:
        values = [sets.likelihood(size * found).value for size in (0.0, 1.0, 10.0, 50.0)]
        assert values[0] < values[1]
        assert np.diff(values).min() > -1e-12
        return
    for angle in np.linspace(0, 2 * np.pi, 24, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        far, near = (sets.likelihood(size * direction).value for size in (4000.0, 2000.0))
        assert far < near - 1 or np.abs(margins @ direction).max(initial=0) < 1e-9


def test_names_are_told_up_to_eight_and_the_rest_counted():
    names = [f"f{number}" for number in range(10)]

    assert listed(names) == "f0, f1, f2, f3, f4, f5, f6, f7 and 2 more"
    assert told(["age"], "does", "do") == "the covariate age does"
    assert told(["age", "sex"], "does", "do") == "the covariates age, sex do"
