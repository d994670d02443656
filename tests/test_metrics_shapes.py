"""Arrays that do not fit together are refused by every metric function, by name and shape."""

from __future__ import annotations

import numpy as np
import pytest

from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import (
    brier_contributions,
    brier_score,
    integrate,
    integrated_brier_score,
    prediction_accuracy_index,
)
from mtsbench.metrics.calibration import calibration_slope, d_calibration, km_calibration
from mtsbench.metrics.censoring import censoring_distribution, choose_tau
from mtsbench.metrics.chance import permutation_variance
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.horizon_calibration import (
    group_calibration,
    observed_to_expected,
    smooth_calibration,
)
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.overlap import overlap
from mtsbench.metrics.risk_groups import hazard_ratio, log_rank
from mtsbench.metrics.shapes import check_curves, check_follow_up, check_masks
from mtsbench.metrics.surfaces import hausdorff_95, surface_dice
from mtsbench.metrics.survival import harrell_c
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc
from mtsbench.volumes import Grid

CASES = 20
RANDOM = np.random.default_rng(0)
DAYS = np.array([100.25, 300.25, 700.25])
GOOD = {
    "time": RANDOM.integers(50, 1500, CASES).astype(np.float64),
    "event": np.arange(CASES) % 3 > 0,
    "risk": RANDOM.random(CASES),
    "survival": np.sort(RANDOM.random((CASES, 3)))[:, ::-1],
    "strata": np.arange(CASES) % 2,
    "high": RANDOM.random(CASES) > 0.5,
}


def of_curves(metric, **options):
    return lambda a: metric(a["survival"], DAYS, a["time"], a["event"], **options)


def of_risk(metric, **options):
    return lambda a: metric(a["risk"], a["time"], a["event"], **options)


def at_day(metric):
    return lambda a: metric(a["risk"], 300.25, a["time"], a["event"])


# A call with all arrays, and the names of those that it takes beside time and event.
FUNCTIONS = {
    "antolini_c": (of_curves(antolini_c, reading="step"), ["survival"]),
    "brier_contributions": (of_curves(brier_contributions), ["survival"]),
    "brier_score": (of_curves(brier_score), ["survival"]),
    "integrated_brier_score": (of_curves(integrated_brier_score), ["survival"]),
    "prediction_accuracy_index": (of_curves(prediction_accuracy_index), ["survival"]),
    "km_calibration": (of_curves(km_calibration, reading="step"), ["survival"]),
    "calibration_slope": (of_risk(calibration_slope), ["risk"]),
    "concordance": (
        lambda a: concordance(
            a["risk"], a["time"], a["event"], strata=a["strata"], leader_weight=a["risk"]
        ),
        ["risk", "strata"],
    ),
    "harrell_c": (of_risk(harrell_c), ["risk"]),
    "uno_c": (of_risk(uno_c, tau=700.25), ["risk"]),
    "permutation_variance": (of_risk(permutation_variance), ["risk"]),
    "cumulative_dynamic_auc": (at_day(cumulative_dynamic_auc), ["risk"]),
    "smooth_calibration": (at_day(smooth_calibration), ["risk"]),
    "group_calibration": (at_day(lambda *a: group_calibration(*a, groups=2)), ["risk"]),
    "groups given": (
        lambda a: group_calibration(
            GOOD["risk"], 300.25, a["time"], a["event"], groups=a["strata"]
        ),
        ["strata"],
    ),
    "observed_to_expected": (at_day(observed_to_expected), ["risk"]),
    "kaplan_meier": (lambda a: kaplan_meier(a["time"], a["event"]), []),
    "censoring_distribution": (lambda a: censoring_distribution(a["time"], a["event"]), []),
    "choose_tau": (lambda a: choose_tau(a["time"], a["event"]), []),
    "log_rank": (
        lambda a: log_rank(a["time"], a["event"], a["high"], strata=a["strata"]),
        ["high", "strata"],
    ),
    "hazard_ratio": (lambda a: hazard_ratio(a["time"], a["event"], a["high"]), ["high"]),
}
CALLS = [
    (function, name) for function, (_, names) in FUNCTIONS.items() for name in ("event", *names)
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_arrays_that_fit_are_taken(function):
    FUNCTIONS[function][0](GOOD)


@pytest.mark.parametrize(("function", "name"), CALLS)
@pytest.mark.parametrize("change", ["column", "shorter", "single"])
def test_an_array_of_another_shape_is_refused_by_name(function, name, change):
    good = GOOD[name]
    if change == "column":
        wrong = good[:, :1, None] if name == "survival" else good[:, None]
    else:
        wrong = good[:-1] if change == "shorter" else good[:1]

    with pytest.raises(ValueError, match=r"must have shape .*, got \(\d+"):
        FUNCTIONS[function][0]({**GOOD, name: wrong})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_column_of_times_is_refused(function):
    with pytest.raises(
        ValueError, match=r"time must have shape \(N,\), .* got \(20, 1\); take one"
    ):
        FUNCTIONS[function][0]({**GOOD, "time": GOOD["time"][:, None]})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_events_as_numbers_are_refused(function):
    # ~1 is -2 in NumPy, and an array of 0 and 1 chooses the first two patients.
    with pytest.raises(ValueError, match=r"event must be bool, .* got int64; give event == 1"):
        FUNCTIONS[function][0]({**GOOD, "event": GOOD["event"].astype(np.int64)})


@pytest.mark.parametrize("name", ["survival_at_own_time", "event"])
def test_probabilities_and_events_of_d_calibration_must_be_of_the_same_patients(name):
    own = {"survival_at_own_time": GOOD["risk"], "event": GOOD["event"]}
    d_calibration(**own)

    for wrong in (own[name][:, None], own[name][:1]):
        with pytest.raises(ValueError, match=r"must have shape .*, got \("):
            d_calibration(**{**own, name: wrong})


def test_a_bootstrap_of_one_risk_for_all_is_refused():
    given = {"random": np.random.default_rng(0), "samples": 5}
    risks = (GOOD["risk"], GOOD["risk"])
    bootstrap_differences(risks, GOOD["time"], GOOD["event"], **given)

    with pytest.raises(ValueError, match=r"second must have shape \(20,\), .* got \(1,\)"):
        bootstrap_differences((risks[0], risks[1][:1]), GOOD["time"], GOOD["event"], **given)


@pytest.mark.parametrize(
    ("survival", "shape"),
    [
        (np.full(CASES, 0.5), r"\(20,\); one day is survival\[:, None\]"),
        (np.full((1, 1), 0.5), r"\(1, 1\)"),
        (np.full((1, CASES), 0.5), r"\(1, 20\)"),
    ],
)
def test_survival_that_numpy_would_stretch_is_refused(survival, shape):
    with pytest.raises(ValueError, match=rf"survival must have shape \(20, 1\), .* got {shape}"):
        brier_score(survival, np.array([300.25]), GOOD["time"], GOOD["event"])


@pytest.mark.parametrize(
    ("scores", "days"),
    [
        (np.ones(3), np.ones(1)),
        (np.ones((4, 1)), DAYS),
        (np.ones(2), DAYS),
        (np.ones((3, 3)), DAYS[:, None]),
    ],
)
def test_scores_that_are_not_of_the_days_are_not_integrated(scores, days):
    with pytest.raises(ValueError, match=r"scores of shape .* cannot be integrated over days of"):
        integrate(scores, days)


@pytest.mark.parametrize("metric", [overlap, hausdorff_95, "surface_dice"])
def test_masks_of_two_grids_are_refused(metric):
    grid = Grid(size=(4, 4, 4), spacing=(1.0, 1.0, 1.0))
    mask, slice_of_it = np.ones((4, 4, 4), np.bool_), np.ones((1, 4, 4), np.bool_)
    if metric == "surface_dice":

        def metric(predicted, mask, grid):
            return surface_dice(predicted, mask, grid, tolerance=1.0)

    metric(mask, mask, grid)
    for predicted, true in ((slice_of_it, mask), (mask, slice_of_it), (mask[0], mask[0])):
        with pytest.raises(
            ValueError, match=r"both masks must have one shape \(D, H, W\), got pre"
        ):
            metric(predicted, true, grid)


def test_what_fits_passes_every_check():
    check_follow_up(GOOD["time"], GOOD["event"], strata=None, risk=GOOD["risk"])
    check_curves(GOOD["survival"], DAYS)
    check_curves(GOOD["survival"], DAYS, CASES)
    check_masks(np.ones((2, 3, 4), np.bool_), np.zeros((2, 3, 4), np.bool_))
