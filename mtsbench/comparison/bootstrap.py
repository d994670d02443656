"""Bootstrap of patients for the difference of two models, with their predictions held fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mtsbench.metrics.pairs import follow_up_order
from mtsbench.metrics.shapes import check_follow_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEADERS_AT_ONCE = 512  # keeps memory at 512 x N, whatever the number of events


def bootstrap_differences(
    risks: tuple[NDArray[np.float64], NDArray[np.float64]],
    time: NDArray[np.float64],
    event: NDArray[np.bool_],
    *,
    random: np.random.Generator,
    samples: int = 2000,
    strata: NDArray[Any] | None = None,
    patient: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """(B,) Harrell's C of B minus that of A in samples of patients drawn with replacement.

    A patient drawn twice counts twice and is never paired with itself. With weights w a sample's
    C needs only sums over pairs of w_i w_j, so all samples are a few products of matrices; this
    is checked against `concordance` on repeated rows. Samples without a comparable pair are left
    out.

    Args:
        risks: (N,) each, of A and B; higher means an earlier event.
        time: (N,) days.
        event: (N,) True where the event was observed.
        random: Source of the samples.
        samples: How many.
        strata: (N,) pairs are formed only within equal values.
        patient: (N,) whose row it is, where a patient has several; rows are drawn together.

    Raises:
        ValueError: As `shapes.check_follow_up`.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993).
    """
    columns = {"first": risks[0], "second": risks[1], "strata": strata, "patient": patient}
    check_follow_up(time, event, **columns)
    count = len(time)
    of = np.arange(count) if patient is None else np.unique(patient, return_inverse=True)[1]
    people = int(of.max()) + 1
    drawn = random.multinomial(people, np.full(people, 1 / people), size=samples)
    weight = drawn[:, of].T.astype(np.float64)  # (N, B)
    order = follow_up_order(time, event)
    stratum = np.zeros(count) if strata is None else np.unique(strata, return_inverse=True)[1]
    difference, pairs = np.zeros(samples), np.zeros(samples)
    leaders = np.flatnonzero(event)
    for begin in range(0, len(leaders), LEADERS_AT_ONCE):
        row = leaders[begin : begin + LEADERS_AT_ONCE]
        led = (order[row, None] < order) & (stratum[row, None] == stratum)
        # One person's rows of different repeats lie in different strata, so no pair is lost.
        led &= of[row, None] != of
        first, second = (np.sign(risk[row, None] - risk) for risk in risks)
        difference += np.einsum("ib,ib->b", weight[row], (led * (second - first)) @ weight)
        pairs += np.einsum("ib,ib->b", weight[row], led.astype(np.float64) @ weight)
    return difference[pairs > 0] / pairs[pairs > 0] / 2
