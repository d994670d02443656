"""One broken head for each check, and the check that names its fault."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mtsbench.testing import BrokenPromise, HeadContract


class RightHead(nn.Module):
    """Exponential survival; right in every way."""

    survival_reading = "linear"

    def __init__(self, channels, clinical_features: int) -> None:
        super().__init__()
        self.groups = tuple(channels)
        width = sum(sum(group) for group in channels.values()) + clinical_features
        self.linear = nn.Linear(width, 1)
        self.register_buffer("survival_time", torch.linspace(0, 2000, 5))
        self.register_buffer("hazard", torch.tensor(1e-3))
        self.register_buffer("mean_time", torch.zeros(()))

    def forward(self, maps, clinical):
        pooled = [one.mean(dim=(2, 3, 4)) for group in maps.values() for one in group]
        return self.linear(torch.cat([*pooled, clinical], dim=1))

    def learn_outcomes(self, outcomes):
        self.mean_time.fill_(float(outcomes.time.mean()))

    def risk(self, survival):
        return survival[:, 0]

    def penalty(self):
        return 1e-3 * self.linear.weight.square().sum()

    def learn_baseline(self, survival, outcomes):
        self.hazard.fill_(outcomes.event.sum() / outcomes.time.sum())

    def survival_curves(self, survival):
        return torch.exp(-self.hazard * survival.exp() * self.survival_time)


class NanRisk(RightHead):
    def risk(self, survival):
        return survival[:, 0] / 0 * 0


class ColumnOfRisks(RightHead):
    def risk(self, survival):
        return survival


class FlatOutputs(RightHead):
    def forward(self, maps, clinical):
        return super().forward(maps, clinical)[:, 0]


class Sorted(RightHead):
    def forward(self, maps, clinical):
        return super().forward(maps, clinical).sort(dim=0).values


class Standardised(RightHead):
    def forward(self, maps, clinical):
        outputs = super().forward(maps, clinical)
        return outputs - outputs.mean()


class Unused(RightHead):
    def __init__(self, channels, clinical_features):
        super().__init__(channels, clinical_features)
        self.spare = nn.Linear(2, 2)


class Detached(RightHead):
    def forward(self, maps, clinical):
        return super().forward({k: [m.detach() for m in g] for k, g in maps.items()}, clinical)


class HalfUsed(RightHead):
    def forward(self, maps, clinical):
        return super().forward(
            {k: [m * (m.shape[1] != 8) for m in g] for k, g in maps.items()}, clinical
        )


class NeedsClinical(RightHead):
    def __init__(self, channels, clinical_features):
        super().__init__(channels, clinical_features)
        self.offset = torch.ones(clinical_features)[0]


class NeedsTwoGroups(RightHead):
    def forward(self, maps, clinical):
        maps["survival_network"]
        return super().forward(maps, clinical)


class Overflowing(RightHead):
    def risk(self, survival):
        return (20 * survival[:, 0]).exp().exp()


class NegativePenalty(RightHead):
    def penalty(self):
        return -super().penalty()


class LearnsTheFirstCase(RightHead):
    def learn_outcomes(self, outcomes):
        self.mean_time.fill_(float(outcomes.time[0]))


class FallingGrid(RightHead):
    def __init__(self, channels, clinical_features):
        super().__init__(channels, clinical_features)
        self.register_buffer("time_grid", torch.tensor([0.0, 30.0, 20.0]))


class RisingCurves(RightHead):
    def survival_curves(self, survival):
        return 1 - super().survival_curves(survival)


class LargeCurves(RightHead):
    def survival_curves(self, survival):
        return 2 * super().survival_curves(survival)


class WideCurves(RightHead):
    def survival_curves(self, survival):
        return super().survival_curves(survival)[:, 1:]


class StandingTime(RightHead):
    def __init__(self, channels, clinical_features):
        super().__init__(channels, clinical_features)
        self.survival_time = torch.zeros(5)


class SilentCurves(RightHead):
    survival_reading = None


class CurvesWithoutBaseline(RightHead):
    learn_baseline = property()


class OppositeRisk(RightHead):
    def risk(self, survival):
        return -survival[:, 0]


class Forgetful(RightHead):
    scale = 1.0

    def learn_outcomes(self, outcomes):
        self.scale = float(outcomes.time.mean())

    def risk(self, survival):
        return survival[:, 0] * self.scale


class GrowsWithOutcomes(RightHead):
    def learn_outcomes(self, outcomes):
        self.register_buffer("mean_time", torch.as_tensor(outcomes.time))


FAULTS = [
    ("each_case_gets_a_finite_risk", NanRisk, "a risk is nan or inf"),
    ("each_case_gets_a_finite_risk", ColumnOfRisks, r"shape \(B,\), got \(12, 1\)"),
    ("each_case_gets_a_finite_risk", FlatOutputs, r"outputs must have shape \(B, K\)"),
    ("the_order_of_the_cases_does_not_matter", Sorted, "outputs of other cases"),
    ("one_case_equals_a_batch", Standardised, "a case alone and in a batch"),
    ("every_parameter_gets_a_gradient", Unused, r"2 of 4 parameters get no gradient.*spare"),
    ("the_maps_get_a_gradient", HalfUsed, "a feature map gets no gradient"),
    ("the_maps_get_a_gradient", Detached, "a feature map gets no gradient"),
    ("a_cohort_without_clinical_features_works", NeedsClinical, "0 clinical features the head"),
    ("one_group_of_maps_works", NeedsTwoGroups, "3 clinical features the head fails"),
    ("extreme_features_are_finite", Overflowing, r"features of \+-50 give an output or a risk"),
    ("the_penalty_is_a_scalar_from_zero", NegativePenalty, "must be a finite scalar >= 0, got -"),
    ("the_order_of_the_training_cases_is_not_learnt", LearnsTheFirstCase, "from the order of the"),
    ("the_cut_points_increase", FallingGrid, r"increase, got \[0\.0, 30\.0, 20\.0\]"),
    ("the_curves_are_probabilities_that_never_rise", RisingCurves, "curve rises with time"),
    ("the_curves_are_probabilities_that_never_rise", LargeCurves, r"not in \[0, 1\]"),
    ("the_curves_are_probabilities_that_never_rise", WideCurves, r"\(12, 5\), got \(12, 4\)"),
    ("the_curves_are_probabilities_that_never_rise", StandingTime, "survival_time does not incr"),
    ("the_curves_say_how_they_are_read", SilentCurves, "is None; it must be 'step' for curves"),
    ("the_curves_say_how_they_are_read", CurvesWithoutBaseline, "survival_curves but no learn_b"),
    ("a_higher_risk_has_the_lower_curve", OppositeRisk, "must mean an earlier event"),
    ("the_state_fits_a_new_build", Forgetful, "same state gives other risks"),
    ("the_state_fits_a_new_build", GrowsWithOutcomes, "does not fit the next"),
]


@pytest.mark.parametrize(("check", "fault", "message"), FAULTS)
def test_the_check_catches_the_fault(contract_of, check, fault, message):
    contract = contract_of(HeadContract, lambda channels, clinical: fault(channels, clinical))

    with pytest.raises(BrokenPromise, match=message):
        getattr(contract(), f"test_{check}")()


def test_a_right_head_keeps_every_promise(contract_of, verdicts):
    found = verdicts(contract_of(HeadContract, lambda a, b: RightHead(a, b)))

    assert {name for name, (status, _) in found.items() if status != "kept"} == {
        "the_cut_points_increase"
    }
    assert found["the_cut_points_increase"] == (
        "not applicable",
        "the head declares no time_grid",
    )


def test_a_head_without_curves_is_told_so(contract_of, verdicts, phantom):
    found = verdicts(contract_of(HeadContract, lambda a, b: phantom.TinyCoxHead(a, b)))

    assert {status for status, _ in found.values()} == {"kept", "not applicable"}
    assert found["a_higher_risk_has_the_lower_curve"][1] == "the head declares no survival_curves"


def test_a_head_that_is_no_module_is_refused(contract_of):
    with pytest.raises(BrokenPromise, match=r"must be a torch\.nn\.Module, got <class 'list'>"):
        contract_of(HeadContract, lambda a, b: [])().test_each_case_gets_a_finite_risk()
