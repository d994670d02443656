"""What a metric promises: a finite value or a reason, and the better value for the better model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from mtsbench.capabilities import is_fold_metric, is_patient_metric
from mtsbench.data import Outcomes, Predictions
from mtsbench.interfaces import FoldMetric, PatientMetric, Score
from mtsbench.testing.contract import Contract, NotApplicable, ensure
from mtsbench.volumes import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

CASES = 40
GRID = Grid(size=(12, 14, 16), spacing=(3.0, 2.0, 1.5))


class MetricContract(Contract):
    """Checks of one metric, of risks within a fold or of the mask of a patient.

    Attributes:
        fold_oracle: (predictions, test, train, value) with the value from elsewhere.
        mask_oracle: (predicted, mask, grid, value) with the value from elsewhere.
    """

    kind = "metric"
    fold_oracle: ClassVar[Sequence[tuple[Predictions, Outcomes, Outcomes, float]]] = ()
    mask_oracle: ClassVar[Sequence[tuple[Mask, Mask, Grid, float]]] = ()

    def test_the_metric_is_of_a_fold_or_of_a_patient(self) -> None:
        """It has `within_fold` or `per_patient`, and says which direction is better."""
        metric = self.build()
        ensure(
            is_fold_metric(metric) != is_patient_metric(metric),
            "a metric has higher_is_better and either within_fold or per_patient",
        )

    def test_a_perfect_prediction_beats_its_opposite(self) -> None:
        """Risks in the true order, or the true mask, score better than the reverse."""
        metric = self.build()
        better, worse = (_value(one) for one in self._good_and_bad(metric))
        higher = cast("FoldMetric", metric).higher_is_better
        ensure(
            better > worse if higher else better < worse,
            f"the perfect prediction scores {better:g}, its opposite {worse:g}, though "
            f"higher_is_better = {higher}",
        )

    def test_a_constant_risk_has_a_value_or_a_reason(self) -> None:
        """Equal risks give a finite value or a reason, never nan."""
        fold = self._fold()
        test, train = _follow_up(0), _follow_up(1)
        _checked(fold.within_fold(_predict(test, 0.0), test, train), "a constant risk")

    def test_the_order_of_the_cases_does_not_matter(self) -> None:
        """Shuffled cases score the same."""
        fold = self._fold()
        test, train = _follow_up(0), _follow_up(1)
        order = np.random.default_rng(0).permutation(CASES)
        shuffled = test.subset([test.case_ids[row] for row in order])
        first = _value(fold.within_fold(_noisy(test), test, train))
        second = _value(fold.within_fold(_noisy(shuffled), shuffled, train))
        ensure(
            abs(first - second) <= 1e-9 * max(1.0, abs(first)),
            f"the value is {first:.9g}, but {second:.9g} for shuffled cases",
        )

    def test_a_fold_without_a_comparable_pair_has_a_reason(self) -> None:
        """Where no case has an event, the score is finite or has a reason, never nan."""
        fold = self._fold()
        test, train = _follow_up(0, events=False), _follow_up(1)
        _checked(fold.within_fold(_noisy(test), test, train), "a fold without events")

    def test_empty_masks_have_a_value_or_a_reason(self) -> None:
        """A mask without tumour, predicted or true, gives a finite value or a reason."""
        metric = self._patient()
        empty = np.zeros(GRID.size, dtype=np.bool_)
        for predicted, mask in ((empty, _ball()), (_ball(), empty), (empty, empty)):
            _checked(metric.per_patient(predicted, mask, GRID), "an empty mask")

    def test_predictions_and_masks_are_left_as_they_are(self) -> None:
        """What is scored is not written to."""
        metric = self.build()
        if is_patient_metric(metric):
            predicted, mask = _ball((3, 2, 1)), _ball()
            metric.per_patient(predicted, mask, GRID)
            kept = np.array_equal(mask, _ball()) and np.array_equal(predicted, _ball((3, 2, 1)))
        else:
            test, train = _follow_up(0), _follow_up(1)
            predictions = _noisy(test)
            self._fold().within_fold(predictions, test, train)
            kept = np.array_equal(predictions.risk, _noisy(_follow_up(0)).risk)
            kept = kept and np.array_equal(test.time, _follow_up(0).time)
        ensure(kept, "the metric changed what it was given; work on a copy")

    def test_values_equal_the_oracle(self) -> None:
        """The metric has the values that another implementation has."""
        if not (self.fold_oracle or self.mask_oracle):
            raise NotApplicable("no oracle is declared; set `fold_oracle` or `mask_oracle`")
        found = [
            (self._fold().within_fold(predictions, test, train), expected)
            for predictions, test, train, expected in self.fold_oracle
        ]
        found += [
            (self._patient().per_patient(predicted, mask, grid), expected)
            for predicted, mask, grid, expected in self.mask_oracle
        ]
        for score, expected in found:
            ensure(
                abs(_value(score) - expected) <= 1e-6 * max(1.0, abs(expected)),
                f"the metric gives {_value(score):.9g}, the oracle has {expected:.9g}",
            )

    def _fold(self) -> FoldMetric:
        metric = self.build()
        if not is_fold_metric(metric):
            raise NotApplicable("the metric declares per_patient, not within_fold")
        return metric

    def _patient(self) -> PatientMetric:
        metric = self.build()
        if not is_patient_metric(metric):
            raise NotApplicable("the metric declares within_fold, not per_patient")
        return metric

    def _good_and_bad(self, metric: object) -> tuple[Score, Score]:
        if is_patient_metric(metric):
            far = np.zeros(GRID.size, dtype=np.bool_)
            far[7:, 7:, 7:] = True  # of another volume, too
            right = metric.per_patient(_ball(), _ball(), GRID)
            return right, metric.per_patient(far, _ball(), GRID)
        test, train = _follow_up(0), _follow_up(1)
        fold = self._fold()
        return (
            fold.within_fold(_predict(test, 1.0), test, train),
            fold.within_fold(_predict(test, -1.0), test, train),
        )


def _value(score: Score) -> float:
    checked = _checked(score, "an ordinary fold or mask")
    ensure(checked.value is not None, f"an ordinary fold or mask has no value: {checked.reason}")
    assert checked.value is not None
    return checked.value


def _checked(score: Score, what: str) -> Score:
    ensure(isinstance(score, Score), f"{what} must give a Score, got {score!r}")
    ensure(
        score.value is None or np.isfinite(score.value),
        f"{what} scores {score.value}; give Score(value=None, reason=...) where it is undefined",
    )
    return score


def _follow_up(seed: int, *, events: bool = True) -> Outcomes:
    """Forty cases in 100 to 2000 days, two of three with an event."""
    rng = np.random.default_rng(seed)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(f"K{seed}-{number:02}" for number in range(CASES)),
        time=rng.permutation(np.linspace(100, 2000, CASES)),
        event=(np.arange(CASES) % 3 > 0) & events,
    )


def _predict(outcomes: Outcomes, slope: float, noise: float = 0.0) -> Predictions:
    """Risk that falls with time for slope 1, with exponential curves of the same order."""
    offset = np.array([int(one[-2:]) * 7 % CASES for one in outcomes.case_ids])
    risk = slope * (1 - outcomes.time / 1000) + noise * offset / CASES
    grid = np.linspace(0, 2100, 22)
    curves = np.exp(-np.exp(2 * risk)[:, None] * grid[None, :] / 1500)
    return Predictions(
        case_ids=outcomes.case_ids,
        risk=risk,
        survival=curves,
        survival_time=grid,
        survival_reading="linear",
    )


def _noisy(outcomes: Outcomes) -> Predictions:
    return _predict(outcomes, 1.0, noise=1.5)


def _ball(shift: tuple[int, int, int] = (0, 0, 0)) -> Mask:
    mask = np.zeros(GRID.size, dtype=np.bool_)
    mask[tuple(slice(2 + step, 6 + step) for step in shift)] = True
    return mask
