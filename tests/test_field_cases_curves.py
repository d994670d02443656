"""Cases from public bug reports: ties, near ties, curves that fall in steps, shapes.

The right values are those of R's `survival`; the README beside them says where each comes from.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mtsbench.data import Outcomes
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.undefined import UndefinedMetricError

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "field-cases" / "survival"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the field cases are not there: {FOLDER}"
)


def case(group: str, name: str) -> dict:
    """A case of `cases.json`."""
    cases = json.loads((FOLDER / "cases.json").read_text())[group]
    return next(one for one in cases if one["id"] == name)


def follow_up(of: dict) -> tuple[np.ndarray, np.ndarray]:
    """Days, and True where the event was observed."""
    return np.array(of["time"], np.float64), np.array(of["event"]) == 1


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ("C1", "C2", "C3", "C5")])
def test_concordance_with_ties_is_that_of_r(name):
    of = case("concordance", name)
    risk, (time, event) = np.array(of["risk"], np.float64), follow_up(of)

    assert concordance(risk, time, event).value == pytest.approx(of["harrell"], abs=1e-12)
    for tau, value in of.get("uno", {}).items():
        assert uno_c(risk, time, event, tau=float(tau)).value == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", [pytest.param("C4", id="C4")])
def test_events_that_are_all_at_one_time_have_no_concordance(name):
    of = case("concordance", name)

    with pytest.raises(UndefinedMetricError, match="no comparable pair among 3 cases"):
        concordance(np.array(of["risk"], np.float64), *follow_up(of))


@pytest.mark.parametrize("name", [pytest.param("C5", id="C5")])
def test_times_that_differ_by_rounding_are_one_step_of_the_kaplan_meier_curve(name):
    of = case("concordance", name)
    time, event = follow_up(of)
    expected = of["kaplan_meier"]
    outcomes = Outcomes(endpoint="os", case_ids=tuple("abcdef"), time=time, event=event)

    for curve in (kaplan_meier(time, event), kaplan_meier(outcomes.time, event)):
        assert curve.time.tolist() == expected["time"]
        assert curve.survival == pytest.approx(expected["survival"], abs=1e-12)
        # A patient's own time is on the step, whichever of the two numbers it is.
        assert curve.at(time)[:4] == pytest.approx([2 / 3, 2 / 3, 0.5, 0.5])
        assert curve.before(time)[:4] == pytest.approx([1, 1, 2 / 3, 2 / 3])
        assert curve.numbers_at_risk(time).tolist() == [6, 6, 4, 4, 2, 2]
