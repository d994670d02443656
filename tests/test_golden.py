"""Every golden value that names a metric of mtsbench, at the tolerance of ../shared/golden/README.

`oracles/golden` holds the values by R and by other Python libraries; `oracles/from_golden.py` made
it. What is not implemented is listed in LEFT_OUT with the reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mtsbench.comparison.across_datasets import friedman, signed_rank_p
from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.comparison.resampled_tests import correlated_bayes, holm, nadeau_bengio, paired_t
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import brier_score, integrate, integrated_brier_score
from mtsbench.metrics.calibration import calibration_slope, d_calibration, km_calibration
from mtsbench.metrics.censoring import censoring_distribution
from mtsbench.metrics.concordance import concordance, uno_c, uno_weight
from mtsbench.metrics.contrast import contrast
from mtsbench.metrics.curves import survival_at
from mtsbench.metrics.horizon_calibration import (
    KNOTS,
    group_calibration,
    observed_to_expected,
    smooth_calibration,
)
from mtsbench.metrics.kaplan_meier import kaplan_meier
from mtsbench.metrics.overlap import overlap
from mtsbench.metrics.risk_groups import hazard_ratio, log_rank
from mtsbench.metrics.surfaces import hausdorff_95, surface_dice
from mtsbench.metrics.time_dependent_auc import cumulative_dynamic_auc
from mtsbench.metrics.undefined import UndefinedMetricError
from mtsbench.volumes import Grid

GOLDEN = Path(__file__).parent / "oracles" / "golden"
SHARED = Path(__file__).parents[2] / "shared" / "golden"
EXACT = 1e-9  # README: C, counts, jackknife, KM, log-rank, Brier, AUC
FITTED = 1e-6  # README: Cox coefficients, ICI


def read(name: str):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def table(name: str) -> dict[str, np.ndarray]:
    path = GOLDEN / f"data_{name}.csv"
    with path.open() as file:
        columns = file.readline().strip().split(",")
    return dict(zip(columns, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


def patients(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    columns = table(name)
    return columns, columns["time"], columns["status"] == 1


def near(value, expected, tolerance: float = EXACT) -> None:
    expected = np.array(expected, dtype=np.float64)
    assert np.shape(value) == expected.shape
    assert value == pytest.approx(expected, abs=tolerance, rel=tolerance)


# ------------------------------------------------------------------------------ concordance.json
DATASETS = ("veteran", "lung", "pbc")
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
    found, golden = (
        contrast((first.value, second.value), (first.influence, second.influence)),
        expected["contrast_B_minus_A"],
    )
    near(found.covariance, golden["vcov"])
    near(found.value, golden["delta"])
    near(found.standard_error, golden["se_delta"])
    near(found.z, golden["z"])
    near(found.p, golden["p_two_sided"])
    near(found.interval, golden["ci95"])


@pytest.mark.parametrize(
    ("name", "sample", "weighting"),
    [
        (name, sample, weighting)
        for name in DATASETS
        for sample in SAMPLES
        for weighting in CONCORDANCE[name][sample]
    ],
)
def test_concordance_and_contrast_are_those_of_r(name, sample, weighting):
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

    found = contrast(
        (first.value, second.value),
        (first.influence, second.influence),
        patient=np.tile(np.arange(len(time)), 4),
    )

    near([first.value, second.value], [expected["C_A"], expected["C_B"]])
    near(np.sqrt(np.diag(found.covariance)), [expected["se_A"], expected["se_B"]])
    near([found.value, found.standard_error], [expected["delta"], expected["se_delta"]])
    near([found.z, found.p], [expected["z"], expected["p_two_sided"]])


@pytest.mark.parametrize("name", DATASETS)
def test_influences_and_the_contrast_of_two_fits_are_those_of_r(name):
    data, time, event = patients(name)
    first, second = (concordance(data[f"app_lp{model}"], time, event) for model in "AB")
    found = contrast((first.value, second.value), (first.influence, second.influence))

    near(second.influence[:10], CONCORDANCE[name]["apparent_B_dfbeta_first10"])
    near([first.value, second.value], CONCORDANCE[name]["multi_fit_check"]["coef"])
    near(found.covariance, CONCORDANCE[name]["multi_fit_check"]["vcov"])
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


# -------------------------------------------------------------------------- survival_basics.json
BASICS = read("survival_basics")


@pytest.mark.parametrize("name", DATASETS)
def test_kaplan_meier_is_that_of_r(name):
    expected = BASICS[name]
    _, time, event = patients(name)

    found = kaplan_meier(time, event)

    near(found.time, expected["km"]["time"])
    near(found.at_risk, expected["km"]["n_risk"])
    near(found.events, expected["km"]["n_event"])
    near(found.survival, expected["km"]["surv"])
    errors = [
        np.inf if value in (None, "Inf") else value
        for value in expected["km"]["std_err_cumhaz_scale"]
    ]
    near(found.error, errors)
    days, at = expected["times"], expected["km_at_times"]
    near(found.at(days), at["surv"])
    near(found.interval(days), [at["lower_log"], at["upper_log"]])
    near(found.standard_error(days), at["se_surv"])
    near(found.median(), expected["median_survival"])


@pytest.mark.parametrize("name", DATASETS)
def test_reverse_kaplan_meier_is_that_of_r(name):
    expected = BASICS[name]
    _, time, event = patients(name)

    found = kaplan_meier(time, ~event)

    near(found.survival, expected["censoring_km"]["surv"])
    if expected["reverse_km_median_followup"] is None:
        with pytest.raises(UndefinedMetricError, match="fewer than half the patients"):
            found.median()
    else:
        near(found.median(), expected["reverse_km_median_followup"])


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize(
    ("test", "group", "stratified"),
    [
        ("logrank_median_split", "high_risk_median_split_all_data", False),
        ("logrank_tertiles", "tertiles_all_data", False),
        ("logrank_train_fold_cut", "high_risk_train_fold_cut", False),
        ("logrank_train_fold_cut_stratified_by_fold", "high_risk_train_fold_cut", True),
    ],
)
def test_log_rank_is_that_of_r(name, test, group, stratified):
    expected = BASICS[name][test]
    data, time, event = patients(name)

    found = log_rank(
        time, event, np.array(BASICS[name][group]), strata=data["fold_r1"] if stratified else None
    )

    near(found.statistic, expected["chisq"])
    assert found.freedom == expected["df"]
    near(found.p, expected["p"])


@pytest.mark.parametrize("name", DATASETS)
def test_hazard_ratio_and_calibration_slope_are_those_of_r(name):
    expected = BASICS[name]
    data, time, event = patients(name)
    high = np.array(expected["high_risk_train_fold_cut"]) == 1

    found = hazard_ratio(time, event, high)
    slope = calibration_slope(data["oof_lpB_r1"], time, event)

    efron = expected["hr_train_fold_cut_efron"]
    near(
        [found.value, *found.interval, found.p],
        [efron["hr"], *efron["ci95"], efron["wald_p"]],
        FITTED,
    )
    breslow = hazard_ratio(time, event, high, ties="breslow").value
    near(breslow, expected["hr_train_fold_cut_breslow"]["hr"], FITTED)
    golden = expected["calibration_slope_oof_lpB"]
    near([*slope.coefficient, *slope.standard_error], [golden["slope"], golden["se"]], FITTED)


@pytest.mark.parametrize("name", DATASETS)
def test_restricted_mean_survival_is_that_of_r(name):
    expected = BASICS[name]["rmst"]
    _, time, event = patients(name)
    high = np.array(BASICS[name]["high_risk_train_fold_cut"]) == 1
    groups = [kaplan_meier(time[rows], event[rows]) for rows in (~high, high)]

    found = kaplan_meier(time, event).restricted_mean(expected["tau"])
    by_group = np.array([group.restricted_mean(expected["tau"]) for group in groups])

    near(found, [expected["all"], expected["se_all"]])
    near(by_group.T, [expected["by_group"], expected["se_by_group"]])


# ---------------------------------------------------------------------------- external_gbsg.json
EXTERNAL = read("external_gbsg")
OTHERS = read("python_reference")["external_gbsg"]


def predicted(model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data, time, event = patients("gbsg_external")
    return np.stack([data[f"S{model}_t{k}"] for k in range(1, 6)], axis=1), time, event


@pytest.mark.parametrize("model", ["A", "B"])
def test_brier_and_auc_are_those_of_riskregression(model):
    survival, time, event = predicted(model)
    days = np.array(EXTERNAL["times"])

    brier = brier_score(survival, days, time, event)
    auc = [cumulative_dynamic_auc(1 - survival[:, k], days[k], time, event) for k in range(5)]

    def golden(metric: str, value: str) -> list[float]:
        rows = EXTERNAL["riskRegression"][metric]
        return [row[value] for row in rows if row["model"] == model]

    near(brier, golden("Brier", "Brier"))
    near(auc, golden("AUC", "AUC"))
    near(brier, OTHERS[model]["brier_SurvivalEVAL"])
    near(auc, OTHERS[model]["auc_SurvivalEVAL"])
    nothing = np.broadcast_to(kaplan_meier(time, event).at(days), survival.shape)
    null = [row for row in EXTERNAL["riskRegression"]["Brier"] if row["model"] == "Null model"]
    near(brier_score(nothing, days, time, event), [row["Brier"] for row in null])
    near(1 - brier / brier_score(nothing, days, time, event), golden("Brier", "IPA"))


def test_the_brier_curve_is_that_of_pec():
    _, time, event = patients("gbsg_external")
    days = np.array(EXTERNAL["pec"]["grid"])
    survival = np.stack(list(table("gbsg_external_gridB").values()), axis=1)
    nothing = np.broadcast_to(kaplan_meier(time, event).at(days), survival.shape)
    curve = brier_score(survival, days, time, event)

    near(curve, EXTERNAL["pec"]["AppErr"]["B"])
    near(brier_score(nothing, days, time, event), EXTERNAL["pec"]["AppErr"]["Reference"])
    near(integrated_brier_score(survival, days, time, event), OTHERS["ibs_gridB"]["trapezoid"])
    left_step = (curve[:-1] * np.diff(days)).sum() / days[-1]
    near(left_step, EXTERNAL["pec"]["crps"]["B"])  # pec sums left steps: not our integral
    assert abs(left_step - float(integrate(curve, days))) > 0.005


@pytest.mark.parametrize("model", ["A", "B"])
def test_smooth_calibration_is_that_of_r(model):
    survival, time, event = predicted(model)
    expected = EXTERNAL["calibration"][model]["rcs3"]

    found = smooth_calibration(1 - survival[:, 4], EXTERNAL["calibration"]["t0"], time, event)

    near(
        [found.ici, found.e50, found.e90, found.largest],
        [expected[name] for name in ("ICI", "E50", "E90", "Emax")],
        FITTED,
    )


@pytest.mark.parametrize("model", ["A", "B"])
def test_calibration_in_the_large_and_slope_are_those_of_r(model):
    survival, time, event = predicted(model)
    expected = EXTERNAL["calibration"]["mean_calibration"][model]
    data = table("gbsg_external")

    ratios = [
        observed_to_expected(1 - survival[:, k], day, time, event)
        for k, day in enumerate(EXTERNAL["times"])
    ]
    slope = calibration_slope(data[f"lp{model}"], time, event)

    near(ratios, expected["O_E"])
    near((1 - survival).mean(axis=0), expected["expected_risk"])
    assert list(KNOTS) == EXTERNAL["calibration"]["rcs_knots_quantiles"]
    assert (len(time), event.sum()) == (EXTERNAL["n"], EXTERNAL["events"])
    near(1 - kaplan_meier(time, event).at(EXTERNAL["times"]), expected["observed_risk"])
    golden = EXTERNAL["calibration"]["slope"][model]
    near([*slope.coefficient, *slope.standard_error], [golden["slope"], golden["se"]], FITTED)


def test_calibration_of_deciles_is_that_of_r():
    survival, time, event = predicted("B")
    risk = 1 - survival[:, 4]
    rank = np.argsort(np.argsort(risk, kind="stable"), kind="stable") + 1
    deciles = np.searchsorted(np.quantile(np.arange(1, len(risk) + 1), np.arange(1, 11) / 10), rank)

    found = group_calibration(risk, EXTERNAL["calibration"]["t0"], time, event, groups=deciles)

    near(
        np.stack([found.size, found.predicted, found.observed], axis=1),
        EXTERNAL["calibration"]["deciles_B"],
    )


def test_one_calibration_is_that_of_survivaleval():
    # Model A has equal predictions across the borders of groups: its value depends on the order
    # of the cases in every library, so only B, whose predictions differ, is compared.
    survival, time, event = predicted("B")
    expected = OTHERS["B"]["one_calibration_SurvivalEVAL"]

    found = group_calibration(1 - survival[:, 4], EXTERNAL["times"][4], time, event)

    near(found.observed[::-1], expected["observed"])
    near(found.predicted[::-1], expected["expected"])
    near(found.dagostino_nam(), [expected["original"]["stat"], expected["original"]["p"]])
    near(found.greenwood(), [expected["greenwood"]["stat"], expected["greenwood"]["p"]])


def test_non_proportional_curves_score_as_in_survivaleval():
    expected = read("python_reference")["veteran_stratcox"]
    data, time, event = patients("veteran_stratcox_curves")
    days = np.array([float(name[2:]) for name in data if name.startswith("S_")])
    survival = np.stack([data[name] for name in data if name.startswith("S_")], axis=1)
    own = np.diag(survival_at(time, survival, days, interpolation="step"))

    uniform = d_calibration(own, event)

    near(
        antolini_c(survival, days, time, event, interpolation="step"),
        expected["antolini_definition"],
    )
    near([uniform.statistic, uniform.p], expected["d_calibration"]["SurvivalEVAL"])
    near(uniform.counts, expected["d_calibration"]["hist"])
    near(km_calibration(survival, days, time, event), expected["km_calibration_SurvivalEVAL"])


# ----------------------------------------------------------------------------- segmentation.json
def box(low, high, shape=(24, 24, 24)) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def ball(radius: float) -> np.ndarray:
    axes = (np.arange(20) * 2.5, np.arange(48), np.arange(48))
    return sum((axis - 24) ** 2 for axis in np.meshgrid(*axes, indexing="ij")) <= radius**2


CUBE, BIG, NONE = box((6,) * 3, (12,) * 3), box((6,) * 3, (14,) * 3), box((0,) * 3, (0,) * 3)
PAIRS = {
    "identical_cube": (CUBE, CUBE),
    "shift_2_voxels_x": (CUBE, box((8, 6, 6), (14, 12, 12))),
    "shift_1_voxel_z_aniso_3x1x1": (CUBE, box((7, 6, 6), (13, 12, 12))),
    "single_voxels_distance_5": (box((5, 5, 5), (6, 6, 6)), box((5, 5, 10), (6, 6, 11))),
    "cube_plus_far_voxel": (BIG, BIG | box((22,) * 3, (23,) * 3)),
    "touches_image_border": (box((0, 6, 6), (6, 12, 12)), box((0, 6, 6), (7, 12, 12))),
    "ball_r10_vs_r8_aniso_2.5x1x1": (ball(10), ball(8)),
    "prediction_empty": (CUBE, NONE),
    "reference_empty": (NONE, CUBE),
    "both_empty": (NONE, NONE),
}


@pytest.mark.parametrize("name", read("segmentation")["cases"])
def test_masks_score_as_their_definitions_say(name):
    case = read("segmentation")["cases"][name]
    mask, found = PAIRS[name]
    grid = Grid(size=mask.shape, spacing=tuple(case["spacing"]))
    expected, libraries = case["reference_impl"], case["libraries"]
    assert mask.shape == tuple(case["shape"])
    assert mask.sum() == case["reference"]["voxels"]
    assert found.sum() == case["prediction"]["voxels"]

    volumes = overlap(found, mask, grid)

    near(1000 * volumes.true * volumes.voxel, expected["vol_gt_mm3"])
    near(1000 * volumes.predicted * volumes.voxel, expected["vol_pr_mm3"])
    if not mask.any():
        for undefined in (
            volumes.dice,
            volumes.relative_volume_error,
            lambda: hausdorff_95(found, mask, grid),
            lambda: surface_dice(found, mask, grid, tolerance=case["tau"]),
        ):
            with pytest.raises(UndefinedMetricError, match="the true mask is empty"):
                undefined()
        return
    near(volumes.dice(), expected["dice"])
    near(volumes.relative_volume_error(), expected["rvd"])
    surface = surface_dice(found, mask, grid, tolerance=case["tau"])
    if not found.any():
        assert (surface, hausdorff_95(found, mask, grid)) == (0.0, 24 * 3**0.5)
        return
    near(surface, libraries["nsd"]["surface_distance"])
    near(surface, libraries["nsd"]["monai_use_subvoxels"], 1e-6)  # MONAI computes in float32
    near(hausdorff_95(found, mask, grid), expected["hd95_max_of_directed"])
    near(hausdorff_95(found, mask, grid), libraries["hd95"]["monai"], 1e-6)


# --------------------------------------------------------------------------------- what is left
RESAMPLING = read("resampling_tests")
RESAMPLED = ("veteran", "lung", "pbc")


def fold_table(name: str) -> dict[str, np.ndarray]:
    path = GOLDEN / f"perfold_{name}.csv"
    with path.open() as file:
        columns = file.readline().strip().split(",")
    return dict(zip(columns, np.loadtxt(path, delimiter=",", skiprows=1).T, strict=True))


@pytest.mark.parametrize("name", RESAMPLED)
def test_differences_of_folds(name):
    folds = fold_table(name)

    near(folds["C_B"] - folds["C_A"], RESAMPLING[name]["diff_B_minus_A"])


@pytest.mark.parametrize("name", RESAMPLED)
@pytest.mark.parametrize(
    ("key", "share"),
    [("nadeau_bengio_ratio_1_over_K_minus_1", None), ("nadeau_bengio_ratio_actual_mean", "actual")],
)
def test_corrected_resampled_t(name, key, share):
    expected, folds = RESAMPLING[name][key], fold_table(name)
    ratio = 0.25 if share is None else (folds["n_test"] / folds["n_train"]).mean()

    found = nadeau_bengio(np.array(RESAMPLING[name]["diff_B_minus_A"]), test_share=ratio)

    near(ratio, expected["test_train_ratio"])
    near(found.mean, expected["mean"])
    near(found.standard_error, expected["se"])
    near(found.t, expected["t"])
    near(found.p, expected["p_two_sided"])
    near(found.interval, expected["ci95"])
    assert found.degrees_of_freedom == expected["df"] == expected["J"] - 1
    near(np.std(RESAMPLING[name]["diff_B_minus_A"], ddof=1), expected["sd"])


@pytest.mark.parametrize("name", RESAMPLED)
def test_naive_paired_t_and_wilcoxon_over_folds(name):
    differences = np.array(RESAMPLING[name]["diff_B_minus_A"])

    found = paired_t(differences)

    near(found.t, RESAMPLING[name]["naive_paired_t"]["t"])
    near(found.p, RESAMPLING[name]["naive_paired_t"]["p"])
    expected = RESAMPLING[name]["wilcoxon_signed_rank_naive"]["p"]
    near(signed_rank_p(differences), expected)


@pytest.mark.parametrize("name", RESAMPLED)
def test_bayesian_correlated_t(name):
    expected = RESAMPLING[name]["bayes_correlated_t_rope_0.01"]

    found = correlated_bayes(
        np.array(RESAMPLING[name]["diff_B_minus_A"]),
        correlation=expected["rho"],
        equivalence=expected["rope"],
    )

    near(found.worse, expected["p_A_better"])
    near(found.equivalent, expected["p_rope"])
    near(found.better, expected["p_B_better"])
    # With rho = 1 / K the highest-density interval is Nadeau and Bengio's.
    near(expected["hdi95"], RESAMPLING[name]["nadeau_bengio_ratio_1_over_K_minus_1"]["ci95"])


def test_holm():
    near(holm(RESAMPLING["p_adjust"]["raw"]), RESAMPLING["p_adjust"]["holm"])


def test_critical_differences_of_nemenyi():
    expected = RESAMPLING["nemenyi_q"]
    for models, q in zip(expected["k"], expected["alpha_0.05"], strict=True):
        if models < 3:
            continue  # two models are compared with Wilcoxon's test
        scores = np.random.default_rng(models).random((12, models))
        found = friedman(scores).critical_difference
        near(found / np.sqrt(models * (models + 1) / 72), q, FITTED)


def datasets() -> tuple[list[str], np.ndarray]:
    with (GOLDEN / "multi_demsar2006.csv").open() as file:
        header, *rows = (line.strip().split(",") for line in file)
    return header[1:], np.array([[float(cell) for cell in row[1:]] for row in rows])


def test_friedman_and_critical_difference_of_demsar():
    expected, (models, scores) = read("multi_dataset")["demsar"], datasets()

    found = friedman(scores)

    assert scores.shape == (expected["N"], expected["k"])
    near(found.mean_rank, [expected["avg_rank"][model] for model in models])
    near(found.chi_squared, expected["friedman_chi2_tie_corrected"])
    near(found.p, expected["p_tie_corrected"])
    near(found.critical_difference, expected["nemenyi"]["CD_0.05"], FITTED)


def test_signed_rank_tests_with_holm_of_demsar():
    expected, (models, scores) = read("multi_dataset")["demsar"], datasets()
    column = dict(zip(models, scores.T, strict=True))

    found = [signed_rank_p(column[p["a"]] - column[p["b"]], exact=False) for p in expected["pairs"]]

    near(found, [pair["wilcoxon_p_normal_no_continuity"] for pair in expected["pairs"]])
    near(holm(found), expected["wilcoxon_holm"])


LEFT_OUT = {
    "burk": "its table of scores is not among the golden files",
    "friedman_chi2_no_tie_correction": "the tie-corrected statistic is offered",
    "p_no_tie": "as friedman_chi2_no_tie_correction",
    "iman_davenport_F": "Friedman's chi-squared is offered",
    "p_F": "as iman_davenport_F",
    "q_0.10": "the level is 5 %",
    "CD_0.10": "as q_0.10",
    "alpha_0.10": "as q_0.10",
    "q_0.05": "in CD_0.05",
    "nemenyi_p": "pairs are tested by Wilcoxon-Holm; ranks are a picture",
    "rank_diff_z": "as nemenyi_p",
    "wilcoxon_V_zero_dropped": "p follows from it",
    "V": "as wilcoxon_V_zero_dropped",
    "control": "as nemenyi_p",
    "control_raw_p": "as nemenyi_p",
    "control_holm": "as nemenyi_p",
    "hochberg": "Holm is the adjustment used",
    "BH": "as hochberg",
    "BY": "as hochberg",
    "bonferroni": "as hochberg",
    "cvar_null": "the variance under the null is not offered: the jackknife variance is",
    "corr": "follows from vcov",
    "cox_A": "multivariable Cox model: its covariates are not in the tables",
    "cox_B": "as cox_A",
    "cox_B_breslow": "as cox_A",
    "hare": "ICI by hazard regression: our smoother is the spline",
    "IBS": "riskRegression's starts at its first requested time (README: ignore)",
    "lower": "standard errors of Brier and AUC are not offered: fold t or bootstrap",
    "upper": "as lower",
    "AUC_contrasts": "as lower",
    "Brier_contrasts": "as lower",
    "survival_brier_apparent_rotterdam_modelB": "rotterdam's covariates are not in the tables",
    "crps": "a left-step sum; only model B's curves on pec's grid are in the tables",
    "censoring_model": "text",
    "note": "text",
    "tau_rule": "text",
    "versions": "text",
    "bounding_box": "voxels tells that the masks are the same",
    "hd": "the largest distance is no robust metric; HD95 is offered",
    "hd95_pooled": "another definition (medpy)",
    "masd": "not offered",
    "assd_pooled": "not offered",
    "nsd_voxel": "counts border voxels: another definition than surface area",
}


def keys(value) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    deeper = [keys(inner) for key, inner in value.items() if key not in {*LEFT_OUT, "libraries"}]
    return set(value).union(*deeper)


@pytest.mark.parametrize(
    "name",
    [
        *("concordance", "survival_basics", "external_gbsg", "edge_cases", "segmentation"),
        *("resampling_tests", "multi_dataset"),
    ],
)
def test_every_golden_value_is_reproduced_above_or_left_out_with_a_reason(name):
    above = Path(__file__).read_text().split("LEFT_OUT = {")[0]
    data = {*DATASETS, *read("edge_cases"), *read("segmentation")["cases"]}
    data |= set(CONCORDANCE["pbc"]["apparent"]) | {*CONCORDANCE["veteran"]["apparent"]}
    data |= {*CONCORDANCE["lung"]["apparent"], *EXTERNAL["concordance"]}
    data |= {"concordant", "discordant", "tied_risk", "tied_time", "tied_both"}  # read by name
    data |= set(datasets()[0])

    unread = {key for key in keys(read(name)) - data - set(LEFT_OUT) if f'"{key}"' not in above}

    assert unread == set()


def test_the_copies_are_those_of_the_shared_folder():
    if not SHARED.is_dir():
        pytest.skip("no ../shared/golden beside the repository")
    for copy in GOLDEN.glob("*.json"):
        assert copy.read_bytes() == (SHARED / copy.name).read_bytes(), copy.name
