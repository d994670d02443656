from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtsbench.data import Cohort, LabelledCohort, Outcomes, Predictions, PreparedCase
from mtsbench.errors import DataError
from mtsbench.volumes import Grid


def outcomes(case_ids=("P1", "P2", "P3"), time=(10.0, 20.0, 30.0), event=(True, False, True)):
    return Outcomes(
        endpoint="pfs", case_ids=tuple(case_ids), time=np.array(time), event=np.array(event)
    )


def cohort(case_ids=("P1", "P2", "P3")) -> Cohort:
    def read(case_id: str) -> PreparedCase:
        return PreparedCase(
            case_id=case_id,
            image=np.zeros((1, 2, 2, 2), np.float32),
            mask=None,
            clinical=np.zeros(0, np.float32),
            grid=Grid(size=(2, 2, 2), spacing=(1.0, 1.0, 1.0)),
        )

    return Cohort(
        case_ids=case_ids, channels=("ct_hu",), clinical_features=(), read=read, read_native=read
    )


def test_outcomes_of_different_lengths_are_refused():
    with pytest.raises(DataError, match=r"pfs: 3 case ids, but time has shape \(2,\) and event"):
        outcomes(time=(10.0, 20.0))
    with pytest.raises(DataError, match=r"event has shape \(1,\); all must have one entry per"):
        outcomes(event=(True,))


def test_events_that_are_not_bool_are_refused():
    with pytest.raises(DataError, match=r"pfs: event must be bool, got int64; 1 = event observed"):
        outcomes(event=(1, 0, 1))


def test_a_case_with_two_rows_is_refused_by_name():
    with pytest.raises(DataError, match=r"pfs: case 'P1' appears twice in the outcomes; keep one"):
        outcomes(case_ids=("P1", "P2", "P1"))


@pytest.mark.parametrize(
    ("time", "text"), [(0.0, "0"), (-3.5, "-3.5"), (np.nan, "nan"), (np.inf, "inf")]
)
def test_a_time_that_is_not_positive_and_finite_is_refused_with_its_case(time, text):
    with pytest.raises(DataError, match=f"pfs: case 'P2' has time {text}; expected days > 0"):
        outcomes(time=(10.0, time, 30.0))


@given(order=st.permutations(["P1", "P2", "P3"]), size=st.integers(0, 3))
def test_a_subset_keeps_the_order_that_was_asked_for(order, size):
    known = {"P1": (10.0, True), "P2": (20.0, False), "P3": (30.0, True)}

    part = outcomes().subset(order[:size])

    assert part.case_ids == tuple(order[:size])
    assert len(part) == size
    assert list(zip(part.time, part.event, strict=True)) == [known[one] for one in order[:size]]
    assert part.event.dtype == np.bool_


def test_a_subset_with_an_unknown_case_is_refused_by_name():
    with pytest.raises(DataError, match="pfs: no outcome for case 'P9'; 3 cases have one"):
        outcomes().subset(["P1", "P9"])


def test_a_cohort_has_no_outcomes():
    labels = {"outcomes", "time", "event"}

    assert not labels & {field.name for field in dataclasses.fields(Cohort)}
    assert not any(hasattr(cohort(), name) for name in labels)
    with pytest.raises(dataclasses.FrozenInstanceError):
        cohort().outcomes = outcomes()
    assert not labels & {field.name for field in dataclasses.fields(cohort()[0])}


def test_a_cohort_reads_its_cases_by_position():
    assert len(cohort()) == 3
    assert [cohort()[row].case_id for row in range(3)] == ["P1", "P2", "P3"]


@pytest.mark.parametrize("case_ids", [("P2", "P1", "P3"), ("P1", "P2"), ("P1", "P2", "P4")])
def test_a_labelled_cohort_needs_the_same_cases_in_the_same_order(case_ids):
    with pytest.raises(DataError, match=r"labelled cohort of \d cases .* take outcomes.subset"):
        LabelledCohort(cohort=cohort(case_ids), outcomes=outcomes())
    assert len(LabelledCohort(cohort=cohort(), outcomes=outcomes())) == 3


def test_a_risk_for_every_case_is_required():
    with pytest.raises(DataError, match=r"risk must have shape \(2,\), got \(2, 1\)"):
        Predictions(case_ids=("P1", "P2"), risk=np.zeros((2, 1)))


@pytest.mark.parametrize("risk", [np.nan, np.inf, -np.inf])
def test_a_risk_that_is_not_finite_is_refused_with_its_case(risk):
    with pytest.raises(DataError, match=f"gave case 'P2' the risk {risk}; every risk must be"):
        Predictions(case_ids=("P1", "P2"), risk=np.array([0.0, risk]))


def test_a_tumour_probability_for_every_case_is_required():
    with pytest.raises(DataError, match="tumour_probability must hold 2 volumes, got 1"):
        Predictions(
            case_ids=("P1", "P2"),
            risk=np.zeros(2),
            tumour_probability=(np.zeros((2, 2, 2), np.float32),),
        )


def test_survival_curves_need_their_time_grid_and_fit_it():
    two = {"case_ids": ("P1", "P2"), "risk": np.zeros(2)}

    with pytest.raises(DataError, match="survival and survival_time must be given together"):
        Predictions(**two, survival=np.ones((2, 3)))
    with pytest.raises(DataError, match="survival and survival_time must be given together"):
        Predictions(**two, survival_time=np.arange(3.0))
    with pytest.raises(DataError, match=r"survival must have shape \(2, 3\), got \(3, 2\)"):
        Predictions(
            **two,
            survival=np.ones((3, 2)),
            survival_time=np.arange(3.0),
            survival_reading="step",
        )
    assert Predictions(
        **two, survival=np.ones((2, 3)), survival_time=np.arange(3.0), survival_reading="linear"
    ).survival.shape == (2, 3)


@pytest.mark.parametrize("reading", [None, "steps", ""])
def test_survival_curves_must_say_how_they_are_read(reading):
    with pytest.raises(
        DataError, match=f"survival_reading {reading!r}; say 'step' for curves that"
    ):
        Predictions(
            case_ids=("P1", "P2"),
            risk=np.zeros(2),
            survival=np.ones((2, 3)),
            survival_time=np.arange(3.0),
            survival_reading=reading,
        )


def test_a_reading_without_curves_is_refused():
    with pytest.raises(DataError, match="survival_reading 'step' was given without survival cur"):
        Predictions(case_ids=("P1",), risk=np.zeros(1), survival_reading="step")


def test_times_of_outcomes_that_differ_by_rounding_are_one_time():
    outcomes = Outcomes(
        endpoint="os",
        case_ids=("P1", "P2", "P3"),
        time=np.array([0.30000000000000004, 0.3, 0.7]),
        event=np.ones(3, np.bool_),
    )

    assert outcomes.time.tolist() == [0.3, 0.3, 0.7]
    assert outcomes.subset(["P3", "P1"]).time.tolist() == [0.7, 0.3]
