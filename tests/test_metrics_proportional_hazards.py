from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from mtsbench.metrics.proportional_hazards import fit_cox
from mtsbench.metrics.undefined import UndefinedMetricError

RANDOM = np.random.default_rng(1)
COVARIATES = RANDOM.normal(size=(120, 2)) + np.array([50.0, 0.0])
TIME = np.ceil(RANDOM.exponential(np.exp(-COVARIATES[:, 1])) * 10)
EVENT = RANDOM.random(120) < 0.7


@pytest.mark.filterwarnings("ignore")  # lifelines' use of pandas
def test_coefficients_and_errors_are_those_of_lifelines():
    table = pd.DataFrame({"a": COVARIATES[:, 0], "b": COVARIATES[:, 1], "t": TIME, "e": EVENT})
    expected = CoxPHFitter().fit(table, "t", "e")

    found = fit_cox(COVARIATES, TIME, EVENT)

    assert found.coefficient == pytest.approx(expected.params_.to_numpy(), abs=1e-5)
    assert found.standard_error == pytest.approx(expected.standard_errors_.to_numpy(), abs=1e-5)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood_)
    assert found.p == pytest.approx(expected.summary["p"].to_numpy(), rel=1e-4)


def test_the_baseline_without_effect_is_the_nelson_aalen_estimate():
    time, event = np.repeat([1.0, 2.0, 3.0], 2), np.repeat([True, False, True], 2)
    without_effect = np.tile([[0.0], [1.0]], (3, 1))

    fit = fit_cox(without_effect, time, event, ties="breslow")

    assert fit.coefficient == pytest.approx([0], abs=1e-9)
    assert fit.event_time.tolist() == [1.0, 3.0]
    assert fit.baseline == pytest.approx([2 / 6, 2 / 6 + 2 / 2])
    found = [fit.survival(without_effect[:1], day)[0] for day in (0.5, 1.0, 2.9, 3.0)]
    assert found == pytest.approx(np.exp([0, -1 / 3, -1 / 3, -4 / 3]))


def test_without_an_event_nothing_is_fitted():
    with pytest.raises(UndefinedMetricError, match="no event among 120 cases"):
        fit_cox(COVARIATES, TIME, np.zeros(120, np.bool_))


def test_a_constant_covariate_has_no_hazard_ratio():
    with pytest.raises(UndefinedMetricError, match="a covariate does not vary"):
        fit_cox(np.ones((120, 1)), TIME, EVENT)


def test_a_covariate_that_tells_every_event_has_no_finite_coefficient():
    time = np.arange(1.0, 21.0)

    with pytest.raises(UndefinedMetricError, match="no finite maximum"):
        fit_cox(-time[:, None], time, np.ones(20, np.bool_))
