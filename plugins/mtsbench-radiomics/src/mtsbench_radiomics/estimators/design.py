"""What an estimator learns from, what it must do, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mtsbench.errors import DataError
from mtsbench.metrics.curves import step_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.data import SurvivalReading

FEWEST_EVENTS = 3
LARGEST_GRID = 201


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Training cases as numbers.

    Attributes:
        names: F feature names.
        values: (N, F) float64, complete.
        time: (N,) days.
        event: (N,) bool.
        always: Names of features that a method which draws features must not leave out.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    time: NDArray[np.float64]
    event: NDArray[np.bool_]
    always: tuple[str, ...] = ()


class Fitted(Protocol):
    """A fitted estimator."""

    @property
    def survival_time(self) -> NDArray[np.float64]:
        """(T,) days, increasing, from 0."""
        ...

    @property
    def survival_reading(self) -> SurvivalReading:
        """How the curves are read between these days."""
        ...

    def risk(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, F) to (N,); higher means an earlier event."""
        ...

    def survival(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, F) to (N, T) event-free probability at `survival_time`."""
        ...


class Estimator(Protocol):
    """A method with its options; a frozen dataclass, so that its options can be stored.

    A candidate is one value of the hyper-parameter that inner cross-validation chooses.
    """

    def candidates(self, design: Design) -> tuple[float, ...]:
        """Values to choose from, the simplest model first; a single one needs no choice."""
        ...

    def held_out_risk(
        self,
        design: Design,
        values: NDArray[np.float64],
        candidates: tuple[float, ...],
        seed: int,
    ) -> NDArray[np.float64]:
        """(K, N) risk of other cases for each candidate; NaN rows where one cannot be fitted."""
        ...

    def fit(self, design: Design, candidate: float, seed: int) -> Fitted:
        """Learn from all cases of the design."""
        ...


def check_events(event: NDArray[np.bool_], who: str) -> None:
    """Refuse a training part from which no effect can be learnt.

    Raises:
        DataError: Fewer than three events.
    """
    events = int(event.sum())
    if events < FEWEST_EVENTS:
        raise DataError(
            f"{who}: the training part has {events} events in {len(event)} cases; expected at "
            f"least {FEWEST_EVENTS}. Use fewer folds, another endpoint, or model km"
        )


def curve_grid(time: NDArray[np.float64], event: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T,) days at which curves are given: 0, the training event times, the last follow-up.

    At most 201, see `mtsbench.metrics.curves.step_days`. Without the last, a curve would end with
    the last event although patients were observed, free of it, for longer.
    """
    return step_days(time, event, most=LARGEST_GRID)


def outcome_records(design: Design) -> NDArray[np.void]:
    """Outcomes in the structured form of scikit-survival."""
    records = np.empty(len(design.time), dtype=[("event", np.bool_), ("time", np.float64)])
    records["event"], records["time"] = design.event, design.time
    return records
