"""The Cox model on the field cases: skewed covariates, against R 4.2.2 `survival::coxph`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mtsbench_radiomics.estimators.cox import Cox
from mtsbench_radiomics.estimators.design import Design
from sksurv.datasets import load_veterans_lung_cancer

from mtsbench.errors import DataError
from mtsbench.metrics.proportional_hazards import fit_cox
from mtsbench.metrics.survival import harrell_c

SHARED = Path(__file__).resolve().parents[4] / "shared"
CASES, GOLDEN = SHARED / "field-cases" / "survival", SHARED / "golden"


def need(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: the shared folder lies beside the repository")
    return folder


def case(name: str) -> tuple[dict, pd.DataFrame]:
    found = json.loads((need(CASES) / "cases.json").read_text())
    (one,) = (each for each in found["cox"] + found["steps"] if each["id"] == name)
    return one, pd.read_csv(CASES / one["file"])


def design_of(rows: pd.DataFrame, names: list[str]) -> Design:
    return Design(
        names=tuple(names),
        values=rows[names].to_numpy(float),
        time=rows["time"].to_numpy(float),
        event=rows["event"].to_numpy(bool),
    )


@pytest.mark.parametrize("name", ["X1", "X2", "X3"])
def test_a_skewed_covariate_has_the_coefficients_of_r(name):
    expected, rows = case(name)
    names = list(expected["coefficients"])
    train = rows[rows["part"] == "train"] if "part" in rows else rows
    design = design_of(train, names)

    fit = Cox().fit(design, 0.0, 0)
    core = fit_cox(design.values, design.time, design.event, names=names)

    by_r = pytest.approx(list(expected["coefficients"].values()), rel=1e-6)
    assert list(fit.coefficients) == by_r
    assert core.coefficient.tolist() == by_r
    assert core.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-9)
    assert np.isfinite(Cox(ridge=0.1).fit(design, 0.1, 0).coefficients).all()
    if "c_test" in expected:
        test = design_of(rows[rows["part"] == "test"], names)
        found = harrell_c(fit.risk(test.values), test.time, test.event)
        assert found == pytest.approx(expected["c_test"], rel=1e-9)


def test_a_case_far_beyond_the_training_cases_has_a_finite_risk_and_a_curve():
    expected, rows = case("X2")
    fit = Cox().fit(design_of(rows, list(expected["coefficients"])), 0.0, 0)

    far = np.array([[50.0, 1.0, 1.0, 1e12], [50.0, 1.0, 1.0, 1e13]])

    risk, curves = fit.risk(far), fit.survival(far)
    assert np.isfinite(risk).all()
    assert risk[1] > risk[0] > 1e5
    assert (curves[:, 0] == 1).all()
    assert (curves[:, -1] == 0).all()


def test_curves_of_all_others_do_not_feel_one_case_far_from_them():
    # The far case dies first; its log hazard is a thousand above all others, whose baseline was
    # the same for everyone where log hazards were cut at 50.
    rng = np.random.default_rng(2)
    values = rng.normal(size=(80, 1))
    time, event = np.ceil(1e3 * rng.exponential(np.exp(-values[:, 0]))), rng.random(80) < 0.7
    others = Design(names=("a",), values=values, time=time, event=event)
    both = Design(
        names=("a",),
        values=np.append(values, [[1e4]], axis=0),
        time=np.append(time, 0.5),
        event=np.append(event, True),
    )

    expected, found = Cox().fit(others, 0.0, 0), Cox().fit(both, 0.0, 0)

    assert found.coefficients == pytest.approx(expected.coefficients, abs=1e-6)
    curves = found.survival(values)[:, np.searchsorted(found.survival_time, expected.survival_time)]
    np.testing.assert_allclose(curves, expected.survival(values), atol=1e-6)


def test_cox_curves_have_breslows_baseline_as_in_r():
    expected, rows = case("S2")
    fit = Cox().fit(design_of(rows, ["marker"]), 0.0, 0)

    step = np.searchsorted(fit.survival_time, 547.25, side="right") - 1
    survival = fit.survival(rows[["marker"]].to_numpy(float))[:, step]

    assert survival[:3] == pytest.approx(expected["first_three_survivals"], rel=1e-6)
    assert 1 - survival.mean() == pytest.approx(expected["mean_risk"], rel=1e-6)


def test_a_stratified_cox_model_has_the_curves_of_r():
    # coxph(Surv(time, status) ~ karno + age + strata(celltype), veteran), R's survfit by Efron.
    expected = pd.read_csv(need(GOLDEN) / "data_veteran_stratcox_curves.csv")
    frame, outcome = load_veterans_lung_cancer()
    time, event = outcome["Survival_in_days"].astype(float), outcome["Status"].astype(bool)
    covariates = frame[["Karnofsky_score", "Age_in_years"]].to_numpy(float)
    labels, stratum = np.unique(frame["Celltype"].to_numpy(str), return_inverse=True)

    fit = fit_cox(covariates, time, event, strata=labels[stratum])

    assert (expected["time"].to_numpy() == time).all()
    for column in expected.columns[3:]:
        day = float(column.removeprefix("S_"))
        every = np.stack([fit.survival(covariates, day, stratum=one) for one in range(4)])
        assert every[stratum, np.arange(137)] == pytest.approx(expected[column].array, abs=1e-6)


@pytest.mark.parametrize("ridge", [0.1, 10.0])
def test_ridge_means_what_it_meant_in_scikit_survival(ridge):
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    frame, outcome = load_veterans_lung_cancer()
    values = frame[["Karnofsky_score", "Age_in_years", "Months_from_Diagnosis"]].to_numpy(float)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    other = CoxPHSurvivalAnalysis(alpha=ridge, ties="efron", tol=1e-12).fit(scaled, outcome)
    time, event = outcome["Survival_in_days"].astype(float), outcome["Status"].astype(bool)

    found = Cox().fit(
        Design(names=("a", "b", "c"), values=values, time=time, event=event), ridge, 0
    )

    expected = other.coef_ / values.std(axis=0)
    assert found.coefficients == pytest.approx(expected, abs=1e-8)


def test_a_penalty_that_is_too_weak_for_the_values_says_so_and_a_stronger_one_helps():
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(size=(60, 1)), [[1e9], [3e9]], axis=0)
    time = np.append(10 + 100 * rng.exponential(np.exp(-values[:60, 0])), [2.0, 1.0])
    design = Design(names=("ebv_dna",), values=values, time=time, event=np.ones(62, np.bool_))

    with pytest.raises(DataError, match=r"far from all others in ebv_dna.*a stronger --set ridge"):
        Cox().fit(design, 1e-20, 0)
    assert np.isfinite(Cox().fit(design, 0.1, 0).coefficients).all()


def write_support(folder: Path, rows: pd.DataFrame, names: list[str]) -> None:
    """The table as one of pycox' `support`, the columns it lacks being 0."""
    table = pd.DataFrame({f"x{number}": 0.0 for number in range(14)}, index=rows.index)
    for number, name in enumerate(names):
        table[f"x{number}"] = rows[name].astype(float)
    table["duration"], table["event"] = rows["time"].astype(float), rows["event"]
    table.to_feather(folder / "support.feather")


def mtsbench(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "mtsbench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done


def run(folder: Path, model: str, *more: str, status: int = 0) -> tuple[dict, str]:
    request = (f"--model={model}", "--dataset=support", "--data-root=.", "--folds=3", "--json")
    done = mtsbench(folder, "run", *request, f"--cache={folder / 'cache'}", *more, status=status)
    return json.loads(done.stdout), done.stderr


def test_x4_a_skewed_cohort_is_run_and_compared_by_the_command_line(tmp_path):
    _, rows = case("X4")
    write_support(tmp_path, rows, ["age", "sex", "stage", "ebv_dna"])

    found, said = run(tmp_path, "clinical-cox")
    run(tmp_path, "km")
    ridged, _ = run(tmp_path, "clinical-cox", "--set=ridge=0.1", "--out=ridged")
    compared = mtsbench(tmp_path, "compare", "--json").stdout

    assert len(list((tmp_path / "runs" / found["run"]["name"] / "trials").iterdir())) == 3
    assert len(list((tmp_path / "ridged" / ridged["run"]["name"] / "trials").iterdir())) == 3
    assert "do not vary among the 80 training cases: x4, x5, x6, x7, x8, x9, x10" in said
    assert "clinical-cox" in compared
    assert "km" in compared


def test_a_covariate_that_separates_early_from_late_is_named_and_the_declared_remedy_works(
    tmp_path,
):
    rng = np.random.default_rng(0)
    early = rng.permutation(np.arange(90) < 45)
    rows = pd.DataFrame(
        {
            "time": np.where(early, rng.integers(10, 300, 90), rng.integers(400, 2000, 90)),
            "event": early.astype(int),
            "age": rng.normal(60, 9, 90).round(),
            "late": ~early,
        }
    )
    write_support(tmp_path, rows, ["age", "late"])

    named = "no finite maximum: the covariate x1 separates earlier events from later ones"
    found, said = run(tmp_path, "clinical-cox")
    assert named in " ".join(said.split())
    (folder,) = (tmp_path / "runs").iterdir()
    trials = [json.loads(path.read_text()) for path in folder.glob("trials/*/record.json")]
    notes = [note for one in trials for note in one["notes"] if named in note]
    assert len(notes) == 3
    assert all(note.endswith("It was fitted with ridge=0.1 instead") for note in notes)
    assert "It was fitted with ridge=0.1 instead" in (folder / "report.html").read_text()

    refused, said = run(tmp_path, "clinical-cox", "--set=monotone=refuse", status=3)
    assert named in " ".join(said.split())
    assert "or use --set ridge=0.1" in " ".join(said.split())
    assert refused["run"]["name"] != found["run"]["name"]
    advised, said = run(tmp_path, "clinical-cox", "--set=ridge=0.1")
    assert named not in " ".join(said.split())
    assert len(list((tmp_path / "runs" / advised["run"]["name"] / "trials").iterdir())) == 3
