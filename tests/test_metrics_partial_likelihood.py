from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import logsumexp

from mtsbench.metrics.partial_likelihood import RiskSets

RANDOM = np.random.default_rng(5)
COVARIATES = RANDOM.normal(size=(40, 3))
TIME = RANDOM.integers(1, 12, 40).astype(float)  # three or four patients a day
EVENT = RANDOM.random(40) < 0.7
COEFFICIENT = np.array([0.5, -1.0, 0.2])
TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])
# Scores that differ by 2000 and more, of which no exponential is a number.
SIZES = pytest.mark.parametrize("size", [1.0, 500.0])


def defined(coefficient, ties) -> float:
    """The logarithm of the partial likelihood, event by event, as Efron wrote it."""
    score = COVARIATES @ coefficient
    value = 0.0
    for day in np.unique(TIME[EVENT]):
        at_risk, died = score[day <= TIME], score[(day == TIME) & EVENT]
        for rank, one in enumerate(died):
            share = rank / len(died) if ties == "efron" else 0.0
            weights = np.concatenate([np.ones(len(at_risk)), np.full(len(died), -share)])
            value += one - logsumexp(np.concatenate([at_risk, died]), b=weights)
    return value


@TIES
@SIZES
def test_the_likelihood_is_that_of_its_definition(ties, size):
    sets = RiskSets.of(COVARIATES, TIME, EVENT, ties)

    found = sets.likelihood(size * COEFFICIENT)

    assert found.value == pytest.approx(defined(size * COEFFICIENT, ties), rel=1e-10)
    assert np.isfinite(found.information).all()


@TIES
@SIZES
def test_the_derivatives_are_those_of_the_likelihood(ties, size):
    sets = RiskSets.of(COVARIATES, TIME, EVENT, ties)
    at, small = size * COEFFICIENT, 1e-6

    found = sets.likelihood(at)

    slope = approx_fprime(at, lambda beta: defined(beta, ties), small)
    curvature = approx_fprime(at, lambda beta: sets.likelihood(beta).gradient, small)
    assert found.gradient == pytest.approx(slope, rel=1e-3, abs=1e-3)
    assert found.information == pytest.approx(-curvature, rel=1e-3, abs=1e-3)


@TIES
def test_the_hazard_of_a_day_is_one_over_the_risks_of_those_at_risk(ties):
    risk = np.exp(COVARIATES @ COEFFICIENT)
    expected = []
    for day in np.unique(TIME[EVENT]):
        died = risk[(day == TIME) & EVENT]
        shares = np.arange(len(died)) / len(died) * (ties == "efron")
        expected.append((1 / (risk[day <= TIME].sum() - shares * died.sum())).sum())

    found = RiskSets.of(COVARIATES, TIME, EVENT, ties).likelihood(COEFFICIENT)

    assert np.exp(found.log_hazard) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_direction_without_negative_margin_has_every_event_at_the_top_of_its_risk_set(scale):
    # Earlier is higher, except for one pair: patients 3 and 4.
    time = np.arange(1.0, 9.0)
    covariate = -time
    covariate[[3, 4]] = covariate[[4, 3]]
    event = np.ones(8, np.bool_)

    wrong = RiskSets.of(scale * covariate[:, None], time, event, "efron").margins()
    event[3] = False  # now nothing contradicts: the later one has the event
    right = RiskSets.of(scale * covariate[:, None], time, event, "efron").margins()

    assert np.count_nonzero(wrong < 0) == 1
    assert (right > 0).all()
