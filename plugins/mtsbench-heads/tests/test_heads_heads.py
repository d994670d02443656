"""What every survival head promises: curves, risk, cut points, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.capabilities import gives_curves
from mtsbench.data import Outcomes
from mtsbench.errors import DataError, OptionError, PluginError
from mtsbench.plugins import load_components

COMPONENTS = load_components()
DISCRETE = ["logistic-hazard", "pmf", "mtlr", "deephit"]
HEADS = ["cox", "weibull-aft", *DISCRETE]
MAPS = {"backbone": (4, 8), "survival_network": (6,)}


def build(name, channels=MAPS, clinical=2, **options):
    torch.manual_seed(0)
    return COMPONENTS.build("head", name, channels, clinical, options=options)


def follow_up(count=40, seed=0):
    rng = np.random.default_rng(seed)
    return Outcomes(
        endpoint="pfs",
        case_ids=tuple(map(str, range(count))),
        time=rng.integers(10, 2000, count).astype(np.float64),
        event=rng.random(count) < 0.6,
    )


def of_days(time):
    return Outcomes(
        endpoint="os",
        case_ids=tuple(map(str, range(len(time)))),
        time=np.array(time, np.float64),
        event=np.ones(len(time), np.bool_),
    )


def learnt(name, **options):
    head = build(name, **options)
    head.learn_outcomes(follow_up())
    survival = torch.randn(40, head.dense[-1].out_features)
    head.learn_baseline(survival, follow_up())
    return head


@pytest.mark.parametrize("name", HEADS)
def test_a_head_gives_its_outputs_from_maps_and_clinical_features(name):
    head = build(name).eval()
    maps = {
        group: [torch.randn(3, width, 2, 3, 4) for width in widths]
        for group, widths in MAPS.items()
    }

    survival = head(maps, torch.randn(3, 2))

    assert survival.shape == (3, head.dense[-1].out_features)
    other = head({**maps, "backbone": [one + 1 for one in maps["backbone"]]}, torch.zeros(3, 2))
    assert not torch.allclose(survival, other)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_works_on_clinical_features_alone(name):
    head = build(name, {"backbone": ()}, 5, hidden=0)

    assert head({"backbone": ()}, torch.randn(3, 5)).shape[0] == 3
    with pytest.raises(PluginError, match="neither feature maps nor clinical features"):
        build(name, {"backbone": ()}, 0)


@pytest.mark.parametrize("name", HEADS)
def test_curves_are_probabilities_that_begin_at_1_and_never_rise(name):
    head = learnt(name)
    assert gives_curves(head)

    for size in (1.0, 50.0):
        survival = size * torch.randn(20, head.dense[-1].out_features)
        curves = head.survival_curves(survival)

        assert curves.shape == (20, len(head.survival_time))
        assert ((curves >= 0) & (curves <= 1)).all()
        assert (curves.diff(dim=1) <= 1e-9).all()
        assert torch.allclose(curves[:, 0], torch.ones(20, dtype=curves.dtype))
        assert torch.isfinite(head.risk(survival)).all()


@pytest.mark.parametrize("name", HEADS)
def test_a_breslow_curve_is_read_as_steps_and_every_other_along_lines(name):
    assert learnt(name).survival_reading == ("step" if name == "cox" else "linear")


@pytest.mark.parametrize("name", HEADS)
def test_a_higher_risk_means_a_shorter_life(name):
    head = learnt(name)
    survival = torch.randn(60, head.dense[-1].out_features)
    if name == "weibull-aft":
        survival[:, 1] = 0.3  # one shape: curves that cross have no common order
    if name in DISCRETE:
        survival = torch.randn(60, 1) * torch.ones(1, survival.shape[1])

    mean_life = torch.trapezoid(head.survival_curves(survival), head.survival_time, dim=1)
    order = mean_life.argsort()

    # All lives that have ended by the end of the grid are ordered by risk.
    assert (head.risk(survival)[order].diff() <= 1e-5).all()


def test_a_higher_weibull_risk_means_an_earlier_median_whatever_the_shapes():
    head = learnt("weibull-aft")
    survival = torch.randn(80, 2)

    curves = head.survival_curves(survival)
    # Days of the grid until half are gone; the end of the grid where that is not seen.
    median = (curves > 0.5).sum(dim=1)[head.risk(survival).argsort()]

    assert len(median.unique()) > 10
    assert (median.diff() <= 0).all()


@pytest.mark.parametrize("name", ["cox", *DISCRETE])
@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_a_higher_risk_means_an_earlier_median_where_curves_do_not_cross(name, seed):
    head = learnt(name)
    torch.manual_seed(seed)
    # One case's outputs shifted: every hazard of one curve is above that of the other.
    shift = torch.linspace(-3, 3, 9)[:, None]
    if name == "mtlr":  # summed from each interval on: shifting the last shifts them all
        shift = shift * torch.tensor([0.0] * 9 + [1.0])
    survival = torch.randn(1, head.dense[-1].out_features) + shift

    curves = head.survival_curves(survival)
    median = (curves > 0.5).sum(dim=1)

    assert (head.risk(survival).diff() > 0).all()
    assert (median.diff() <= 0).all()


@pytest.mark.parametrize("name", HEADS)
def test_the_order_in_which_groups_of_maps_come_does_not_matter(name):
    head = build(name, {"backbone": (3,), "survival_network": (3,)}, 1).eval()
    maps = {group: [torch.randn(2, 3, 2, 2, 2)] for group in ("backbone", "survival_network")}

    torch.testing.assert_close(
        head(maps, torch.ones(2, 1)), head(dict(reversed(maps.items())), torch.ones(2, 1))
    )


@pytest.mark.parametrize("name", DISCRETE)
def test_minus_the_restricted_mean_is_an_area_in_days(name):
    head = learnt(name, risk="rmst")
    survival = torch.randn(5, 10)

    area = np.trapezoid(head.survival_curves(survival).numpy(), head.time_grid.numpy(), axis=1)

    np.testing.assert_allclose(-head.risk(survival).numpy(), area)
    assert (area < head.time_grid[-1].item()).all()


def test_expected_mortality_is_the_sum_of_the_cumulative_hazard():
    head = learnt("logistic-hazard")
    survival = torch.randn(5, 10).double()

    hazard = torch.sigmoid(survival)
    expected = -torch.log1p(-hazard).cumsum(dim=1).sum(dim=1)

    torch.testing.assert_close(head.risk(survival), expected)


@pytest.mark.parametrize("name", HEADS)
def test_a_checkpoint_restores_what_was_learnt(name):
    head, again = learnt(name), build(name)
    again.load_state_dict(head.state_dict())
    survival = torch.randn(4, head.dense[-1].out_features)

    torch.testing.assert_close(again.survival_curves(survival), head.survival_curves(survival))
    torch.testing.assert_close(again.survival_time, head.survival_time)


@given(
    times=st.lists(st.integers(1, 30), min_size=2, max_size=40),
    intervals=st.integers(2, 15),
    cuts=st.sampled_from(["quantile", "equidistant"]),
)
def test_cut_points_begin_at_0_and_increase_whatever_the_ties(times, intervals, cuts):
    outcomes = Outcomes(
        endpoint="os",
        case_ids=tuple(map(str, range(len(times)))),
        time=np.array(times, np.float64),
        event=np.ones(len(times), np.bool_),
    )
    head = build("pmf", intervals=intervals, cuts=cuts)
    if cuts == "quantile" and len(set(times)) < 2:
        with pytest.raises(DataError, match="os: the training part has 1 distinct event times"):
            head.learn_outcomes(outcomes)
        return

    head.learn_outcomes(outcomes)

    assert head.time_grid.shape == (intervals + 1,)
    assert head.time_grid[0] == 0
    assert (head.time_grid.diff() > 0).all()
    assert head.time_grid[-1] == max(times)


def test_quantile_cuts_of_times_that_differ_by_rounding_increase():
    head = build("pmf", intervals=10)

    head.learn_outcomes(of_days([0.3, 0.30000000000000004, 0.7]))

    assert (head.time_grid.diff() > 1e-3).all()
    assert head.time_grid[-1] == 0.7
    with pytest.raises(DataError, match="os: the training part has 1 distinct event times"):
        head.learn_outcomes(of_days([0.3, 0.30000000000000004]))


def test_quantile_cuts_that_would_differ_by_rounding_only_are_refused():
    head = build("pmf", intervals=10)

    with pytest.raises(DataError, match=r"os: the event times .* \(day 100 to 100\) that 10 quant"):
        head.learn_outcomes(of_days([100.0, 100.000002]))
    build("pmf", intervals=10, cuts="equidistant").learn_outcomes(of_days([100.0, 100.000002]))


def test_quantile_cuts_depend_on_events_only():
    outcomes = follow_up()
    later = Outcomes(
        endpoint="pfs",
        case_ids=outcomes.case_ids,
        time=np.where(outcomes.event, outcomes.time, outcomes.time + 5000),
        event=outcomes.event,
    )
    grids = []
    for one in (outcomes, later):
        head = build("mtlr")
        head.learn_outcomes(one)
        grids.append(head.time_grid)

    torch.testing.assert_close(*grids)
    events = np.unique(outcomes.time[outcomes.event])
    assert grids[0][5].item() == pytest.approx(np.median(events))


def test_given_cut_points_are_kept_and_decide_the_number_of_intervals():
    head = build("deephit", cuts="given", cut_points="0,365,730,1826")
    head.learn_outcomes(follow_up())

    assert head.time_grid.tolist() == [0.0, 365.0, 730.0, 1826.0]
    assert head.dense[-1].out_features == 3


@pytest.mark.parametrize("points", ["", "0", "10,20", "0,30,20"])
def test_cut_points_that_are_no_grid_are_refused(points):
    with pytest.raises(OptionError, match="cut_points must be days that begin at 0 and increase"):
        build("pmf", cuts="given", cut_points=points)


def test_the_penalty_is_l2_times_the_squared_kernels():
    head = build("cox", l2=0.5)
    with torch.no_grad():
        for name, parameter in head.dense.named_parameters():
            parameter.fill_(9.0 if name.endswith("bias") else 2.0)

    # 4 + 8 + 6 + 2 inputs to 64, then 64 to 1.
    assert head.penalty().item() == pytest.approx(0.5 * 4 * (20 * 64 + 64))
