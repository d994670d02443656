"""What every survival loss promises, and values made by other means; Cox: test_heads_cox_loss."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtsbench.errors import OptionError, PluginError
from mtsbench.interfaces import Outputs, Targets
from mtsbench.plugins import load_components

COMPONENTS = load_components()
COMPONENTS.build("loss", "pmf")  # pycox takes seconds to import: not within a timed example
GRID = torch.tensor([0.0, 100.0, 200.0, 400.0, 800.0], dtype=torch.float64)
# Loss with options, and how many outputs its head gives.
LOSSES = [
    ("cox", {"ties": "efron"}, 1),
    ("cox", {"ties": "breslow"}, 1),
    ("cox", {"memory": 16}, 1),
    ("logistic-hazard", {}, 4),
    ("logistic-hazard", {"reduction": "mean", "midpoint": True}, 4),
    ("pmf", {}, 4),
    ("mtlr", {}, 4),
    ("deephit", {}, 4),
    ("weibull-aft", {}, 2),
]
every_loss = pytest.mark.parametrize(("name", "options", "width"), LOSSES)


def build(name, options=None):
    return COMPONENTS.build("loss", name, options=options or {})


def outputs(survival, grid=GRID):
    return Outputs(survival=survival, tumour_logit=None, time_grid=grid)


def targets(time, event):
    return Targets(
        time=torch.tensor(time, dtype=torch.float64), event=torch.tensor(event), mask=None
    )


def batch(size: int, width: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    # Whole hundreds of days: with ties, and times on the cut points.
    time = rng.integers(1, 10, size) * 100.0
    survival = torch.tensor(rng.normal(size=(size, width)), dtype=torch.float32)
    return survival, targets(time, rng.random(size) < 0.6)


@every_loss
@settings(max_examples=40)
@given(seed=st.integers(0, 1000), size=st.integers(2, 12))
def test_a_loss_does_not_depend_on_the_order_of_the_cases(name, options, width, seed, size):
    survival, followed = batch(size, width, seed)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(size))
    shuffled = Targets(time=followed.time[order], event=followed.event[order], mask=None)

    first = build(name, options)(outputs(survival), followed)
    second = build(name, options)(outputs(survival[order]), shuffled)

    torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-5)


@every_loss
@pytest.mark.parametrize("events", ["none", "some", "all"])
@pytest.mark.parametrize("size", [0.0, 50.0, -50.0, "mixed"])
def test_a_loss_and_its_gradient_are_finite_whatever_the_outputs(
    name, options, width, events, size
):
    survival, followed = batch(10, width)
    if size == "mixed":
        survival = 50 * survival.sign()
    elif size:
        survival = torch.full_like(survival, size)
    if events != "some":
        event = torch.full((10,), events == "all")
        followed = Targets(time=followed.time, event=event, mask=None)
    survival.requires_grad_()

    value = build(name, options)(outputs(survival), followed)
    value.backward()

    assert torch.isfinite(value)
    assert torch.isfinite(survival.grad).all()


@pytest.mark.parametrize("name", ["logistic-hazard", "pmf", "mtlr", "deephit"])
def test_a_discrete_loss_refuses_outputs_without_a_fitting_grid(name):
    survival, followed = batch(4, 4)

    for grid, found in ((None, "none"), (GRID[:3], "3")):
        with pytest.raises(PluginError, match=f"needs 5 cut points from the head, got {found}"):
            build(name)(outputs(survival, grid), followed)


def test_cox_and_weibull_refuse_the_outputs_of_another_head():
    survival, followed = batch(4, 3)

    with pytest.raises(PluginError, match=r"cox needs log risks of shape \(B, 1\), got \(4, 3\)"):
        build("cox")(outputs(survival), followed)
    with pytest.raises(PluginError, match=r"weibull-aft needs the outputs \(B, 2\).*got \(4, 3\)"):
        build("weibull-aft")(outputs(survival), followed)


@pytest.mark.parametrize("midpoint", [False, True])
@given(
    logits=st.lists(st.floats(-4, 4), min_size=4, max_size=4),
    day=st.floats(1, 900),
    event=st.booleans(),
)
def test_the_hazard_likelihood_is_its_definition(midpoint, logits, day, event):
    hazard = [1 / (1 + math.exp(-x)) for x in logits]
    edges = GRID.tolist()
    expected = 0.0
    for k, (low, high) in enumerate(pairwise(edges)):
        seen = (low + high) / 2 if midpoint else high
        if event and low < day <= high:
            expected -= math.log(hazard[k])
        elif (event and day > high) or (not event and day >= seen):
            expected -= math.log(1 - hazard[k])

    value = build("logistic-hazard", {"midpoint": midpoint})(
        outputs(torch.tensor([logits])), targets([day], [event])
    )

    assert value.item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ["pmf", "mtlr"])
@given(
    logits=st.lists(st.floats(-4, 4), min_size=4, max_size=4),
    day=st.floats(1, 900),
    event=st.booleans(),
)
def test_the_mass_likelihood_is_its_definition(name, logits, day, event):
    phi = logits if name == "pmf" else [sum(logits[k:]) for k in range(4)]
    weights = [math.exp(x) for x in phi] + [1.0]
    mass = [weight / sum(weights) for weight in weights]
    edges = GRID.tolist()
    interval = sum(day > edge for edge in edges) - 1
    if event and interval < 4:
        expected = -math.log(mass[interval])
    else:
        survived = 4 if event else sum(day >= edge for edge in edges[1:])
        expected = -math.log(sum(mass[survived:]))

    value = build(name)(outputs(torch.tensor([logits])), targets([day], [event]))

    assert value.item() == pytest.approx(expected, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", ["pmf", "mtlr", "deephit"])
@pytest.mark.parametrize("far", [20.0, 80.0, 200.0])
def test_a_censored_case_far_from_the_model_still_teaches_it(name, far):
    survival = torch.tensor([[far, 0.0, 0.0, 0.0], [0.0] * 4], requires_grad=True)

    value = build(name, {"alpha": 1.0} if name == "deephit" else {})(
        outputs(survival), targets([900.0, 900.0], [False, False])
    )
    value.backward()

    # The first case survived all intervals, the likelihood of which is 1 / (1 + 3 + exp(far)).
    assert value.item() == pytest.approx((far + math.log(5)) / 2, rel=1e-6)
    assert survival.grad[0, 0].item() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("name", ["logistic-hazard", "pmf"])
def test_a_time_beside_a_cut_point_only_by_rounding_is_on_it(name):
    survival = torch.tensor([[0.5, -0.3, 0.2, 1.0]])

    for event in (True, False):
        found = [
            build(name)(outputs(survival), targets([day], [event])).item()
            for day in (200.0, 200.00000000000003, 199.99999999999997)
        ]
        assert found == [found[0]] * 3


@pytest.mark.parametrize("name", ["logistic-hazard", "pmf", "mtlr", "deephit"])
def test_a_discrete_loss_equals_pycox_with_the_labels_that_pycox_makes(name):
    from pycox.models import loss as pycox_loss
    from pycox.models.data import pair_rank_mat
    from pycox.preprocessing.label_transforms import LabTransDiscreteTime

    survival, followed = batch(40, 4, seed=5)
    inside = followed.time <= GRID[-1]  # pycox has no coding for later times
    survival = survival[inside]
    followed = Targets(time=followed.time[inside], event=followed.event[inside], mask=None)
    labels = LabTransDiscreteTime(GRID.numpy())
    index, event = labels.transform(
        followed.time.numpy(), followed.event.numpy().astype(np.float64)
    )
    # pycox has an output for day 0 too; here it is impossible.
    with_day_0 = torch.nn.functional.pad(survival, (1, 0), value=-40.0)
    if name == "mtlr":
        with_day_0[:, 0] -= survival.sum(dim=1)  # its outputs are summed from each one on
    arguments = with_day_0, torch.from_numpy(index), torch.from_numpy(event).float()
    if name == "deephit":
        pairs = torch.from_numpy(pair_rank_mat(index, event))
        expected = pycox_loss.DeepHitSingleLoss(0.2, 0.1)(*arguments, pairs)
    else:
        function = {
            "logistic-hazard": pycox_loss.nll_logistic_hazard,
            "pmf": pycox_loss.nll_pmf,
            "mtlr": pycox_loss.nll_mtlr,
        }[name]
        expected = function(*arguments)

    found = build(name)(outputs(survival), followed)

    assert len(survival) > 20
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.02, 1.0])
def test_the_ranking_of_deephit_is_finite_for_the_worst_order(sigma):
    survival = torch.tensor([[-50.0, -50, -50, 50], [50.0, -50, -50, -50]], requires_grad=True)

    value = build("deephit", {"sigma": sigma})(
        outputs(survival), targets([50.0, 700.0], [True, True])
    )
    value.backward()

    assert torch.isfinite(value)
    assert torch.isfinite(survival.grad).all()
    # One pair of four, with the whole mass on the wrong side.
    likelihood = build("pmf")(outputs(survival), targets([50.0, 700.0], [True, True])).item()
    expected = 0.2 * likelihood + 0.8 * math.exp(1 / sigma) / 4
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_a_scale_whose_ranking_overflows_is_refused():
    with pytest.raises(OptionError, match="sigma"):
        build("deephit", {"sigma": 0.01})


def test_deephit_is_the_likelihood_and_the_ranking_of_the_paper():
    survival, followed = batch(9, 4, seed=3)
    alpha, sigma = 0.3, 0.2
    mass = torch.softmax(torch.nn.functional.pad(survival, (0, 1)), dim=1).double()
    distribution = mass.cumsum(dim=1)
    ranking = 0.0
    interval = (torch.bucketize(followed.time, GRID) - 1).tolist()  # of an event
    whole = [int((day >= GRID[1:]).sum()) - 1 for day in followed.time]  # last one survived
    last = [
        k if event and k < 4 else s
        for k, s, event in zip(interval, whole, followed.event, strict=True)
    ]
    inside = [bool(e) and k < 4 for k, e in zip(interval, followed.event, strict=True)]
    for i in range(9):
        for j in range(9):
            if inside[i] and (last[i] < last[j] or (last[i] == last[j] and not inside[j])):
                gap = distribution[i, last[i]] - distribution[j, last[i]]
                ranking += math.exp(-gap / sigma) / 81
    likelihood = build("pmf")(outputs(survival), followed).item()

    value = build("deephit", {"alpha": alpha, "sigma": sigma})(outputs(survival), followed)

    assert value.item() == pytest.approx(alpha * likelihood + (1 - alpha) * ranking, rel=1e-4)


def test_the_weibull_likelihood_is_the_density_of_scipy():
    from scipy.stats import weibull_min

    scale, shape = 300.0, 1.4
    survival = torch.tensor([[math.log(scale / 800.0), math.log(shape)]] * 2)
    # The outputs are squeezed through tanh: undo it.
    survival[:, 0] = 8 * torch.atanh(survival[:, 0] / 8)
    survival[:, 1] = 1.5 * torch.atanh(survival[:, 1] / 1.5)

    value = build("weibull-aft")(outputs(survival), targets([120.0, 500.0], [True, False]))

    known = weibull_min(shape, scale=scale)
    expected = -(known.logpdf(120.0) + math.log(800.0) + known.logsf(500.0)) / 2
    assert value.item() == pytest.approx(expected, rel=1e-5)
