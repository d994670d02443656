"""Concordance, its variance and contrasts against R."""

from __future__ import annotations

import numpy as np
import pytest
from golden_values import DATASETS, near, patients, read

from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.concordance import concordance, uno_c, uno_weight
from mtsbench.metrics.kaplan_meier import kaplan_meier

CONCORDANCE = read("concordance")
SAMPLES = {
    "apparent": ("app_lpA", "app_lpB"),
    "oof_r1_pooled": ("oof_lpA_r1", "oof_lpB_r1"),
    "oof_r1_stratified_by_fold": ("oof_lpA_r1", "oof_lpB_r1"),
}


def leader_weight(scheme: str, time: np.ndarray, event: np.ndarray) -> np.ndarray | None:
    """R's `timewt`, as the weight of one pair."""
    at_risk = (time >= time[:, None]).sum(axis=1)
    survival = kaplan_meier(time, event).before(time)
    free = censoring_distribution(time, event).before(time)
    return {
        "n": None,
        "n/G2": uno_weight(time, event=event),
        "S": len(time) * survival / at_risk,
        "S/G": len(time) * survival / at_risk / np.where(event, free, 1),
        "I": 1 / at_risk,
    }[scheme]


def check_concordance(expected, name: str, columns: tuple[str, str], strata: bool) -> None:
    data, time, event = patients(name)
    tau = expected.get("tau")
    both = []
    for model, column in zip("AB", columns, strict=True):
        found = concordance(
            data[column],
            time,
            event,
            strata=data["fold_r1"] if strata else None,
            leader_weight=leader_weight(expected["timewt"], time, event),
            tau=tau,
        )
        if expected["timewt"] == "n/G2" and tau is not None:
            assert uno_c(data[column], time, event, tau=tau).value == found.value
        golden = expected[model]
        near(found.value, golden["C"])
        near(found.variance, golden["var_ij"])
        near(np.sqrt(found.variance), golden["se_ij"])
        for count, value in golden["count"].items():
            near(getattr(found, count), value)
        both.append(found)
    first, second = both
    golden = expected["contrast_B_minus_A"]
    influence = np.stack([first.influence, second.influence])
    near(influence @ influence.T, golden["vcov"])
    near(second.value - first.value, golden["delta"])
    error = np.sqrt(((influence[1] - influence[0]) ** 2).sum())
    near([error, (second.value - first.value) / error], [golden["se_delta"], golden["z"]])


@pytest.mark.parametrize(
    ("name", "sample", "weighting"),
    [
        (name, sample, weighting)
        for name in DATASETS
        for sample in SAMPLES
        for weighting in CONCORDANCE[name][sample]
    ],
)
def test_concordance_and_its_covariance_of_two_models_are_those_of_r(name, sample, weighting):
    expected = CONCORDANCE[name][sample][weighting]

    check_concordance(expected, name, SAMPLES[sample], sample.endswith("by_fold"))


@pytest.mark.parametrize("weighting", read("external_gbsg")["concordance"])
def test_concordance_of_an_external_cohort_is_that_of_r(weighting):
    expected = read("external_gbsg")["concordance"][weighting]

    check_concordance(expected, "gbsg_external", ("lpA", "lpB"), False)


@pytest.mark.parametrize("name", DATASETS)
def test_all_repeats_clustered_on_the_patient_are_those_of_r(name):
    expected = CONCORDANCE[name]["oof_all_repeats_stratified_clustered_on_patient"]
    data, time, event = patients(name)
    strata = np.concatenate([100 * repeat + data[f"fold_r{repeat}"] for repeat in range(1, 5)])
    first, second = (
        concordance(
            np.concatenate([data[f"oof_lp{model}_r{repeat}"] for repeat in range(1, 5)]),
            np.tile(time, 4),
            np.tile(event, 4),
            strata=strata,
        )
        for model in "AB"
    )

    patient = np.tile(np.arange(len(time)), 4)
    change = np.bincount(patient, weights=second.influence - first.influence)

    near([first.value, second.value], [expected["C_A"], expected["C_B"]])
    errors = [one.standard_error(patient) for one in (first, second)]
    near(errors, [expected["se_A"], expected["se_B"]])
    near(second.value - first.value, expected["delta"])
    error = np.sqrt((change**2).sum())
    near([error, (second.value - first.value) / error], [expected["se_delta"], expected["z"]])


@pytest.mark.parametrize("name", DATASETS)
def test_influences_and_the_covariance_of_two_fits_are_those_of_r(name):
    data, time, event = patients(name)
    first, second = (concordance(data[f"app_lp{model}"], time, event) for model in "AB")
    influence = np.stack([first.influence, second.influence])

    near(second.influence[:10], CONCORDANCE[name]["apparent_B_dfbeta_first10"])
    near([first.value, second.value], CONCORDANCE[name]["multi_fit_check"]["coef"])
    near(influence @ influence.T, CONCORDANCE[name]["multi_fit_check"]["vcov"])
    assert (len(time), event.sum()) == (CONCORDANCE[name]["n"], CONCORDANCE[name]["events"])


@pytest.mark.parametrize("name", read("edge_cases"))
def test_edge_cases_of_concordance_are_those_of_r(name):
    case = read("edge_cases")[name]
    time, event, risk = (np.array(case[key], dtype=float) for key in ("time", "status", "risk"))
    event = event == 1
    expected = case["harrell"]
    if expected["C"] is None:
        for weight in (None, uno_weight(time, event=event)):
            with pytest.raises(UndefinedMetricError, match="no comparable pair among"):
                concordance(risk, time, event, leader_weight=weight)
        return

    found = concordance(risk, time, event)

    near([found.value, found.variance], [expected["C"], expected["var_ij"]])
    for count, value in expected["count"].items():
        near(getattr(found, count), value)
    near(uno_c(risk, time, event, tau=time.max()).value, case["uno"])


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("stratified", [False, True])
def test_the_bootstrap_agrees_with_the_golden_bootstrap_to_three_percent(name, stratified):
    expected = read("bootstrap_check")[name]
    data, time, event = patients(name)
    columns = SAMPLES["oof_r1_stratified_by_fold" if stratified else "apparent"]
    drawn = bootstrap_differences(
        tuple(data[column] for column in columns),
        time,
        event,
        random=np.random.default_rng(7),
        samples=5000,
        strata=data["fold_r1"] if stratified else None,
    )

    golden = "boot_se_delta_stratified" if stratified else "boot_se_delta_apparent"
    assert drawn.std(ddof=1) == pytest.approx(expected[golden], rel=0.03)
