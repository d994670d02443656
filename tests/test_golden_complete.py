"""Every golden value is reproduced by another test_golden module or left out with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_values import DATASETS, GOLDEN, SHARED, demsar, read

HERE = Path(__file__)
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
def test_every_golden_value_is_reproduced_or_left_out_with_a_reason(name):
    others = [path for path in Path(__file__).parent.glob("test_golden_*.py") if path != HERE]
    tested = "".join(path.read_text() for path in (*others, HERE.with_name("golden_values.py")))
    data = {*DATASETS, *read("edge_cases"), *read("segmentation")["cases"]}
    data |= {*read("external_gbsg")["concordance"]}
    data = data.union(*(read("concordance")[one]["apparent"] for one in DATASETS))
    data |= {"concordant", "discordant", "tied_risk", "tied_time", "tied_both"}  # read by name
    data |= set(demsar()[0])

    unread = {key for key in keys(read(name)) - data - set(LEFT_OUT) if f'"{key}"' not in tested}

    assert unread == set()


def test_the_copies_are_those_of_the_shared_folder():
    if not SHARED.is_dir():
        pytest.skip("no ../shared/golden beside the repository")
    for copy in GOLDEN.glob("*.json"):
        assert copy.read_bytes() == (SHARED / copy.name).read_bytes(), copy.name
