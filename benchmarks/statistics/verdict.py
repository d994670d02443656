"""Errors, coverage and power of what `mtsbench compare` prints, by simulation with known truth.

    python benchmarks/statistics/verdict.py [--datasets 600] [--processes 2]

Two ridge Cox models are cross-validated on simulated cohorts and compared by the functions that
`mtsbench compare` uses. Counted are: how often each test calls two equally good methods different;
how often each printed interval holds what it is of; and how often the verdict finds a difference
as large as the one that is printed as detectable by it. Writes `verdict.json` and its tables in
`README.md`.
"""

from __future__ import annotations

import argparse
import time as clock
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from results import write_results, write_tables
from scipy.stats import t as student
from simulated_methods import EQUAL, TrueConcordance, censoring_for, draw, stronger
from tested_methods import Array, Cohort, cross_validate
from verdict_tables import SIZES, equal_table, short_table, unequal_table

from mtsbench.comparison.fitted_models import cross_validated
from mtsbench.comparison.patients import RunPatients
from mtsbench.comparison.resampled_tests import detectable, nadeau_bengio, paired_t
from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.sampled_concordance import contrast

SEED, LEVEL = 2026, 0.05
PROTOCOLS = ((5, (1, 3, 10)), (3, (10,)))  # folds, repeats
# Patients, events, folds, repeats, and how much A and B see of the hazard.
UNEQUAL = (
    (150, 75, 5, 1, 0.4, 2.5),
    (150, 75, 5, 3, 0.6, 1.9),
    (150, 75, 3, 10, 0.6, 1.8),
    (200, 100, 5, 10, 0.7, 1.7),
    (60, 30, 5, 10, 0.3, 2.8),
)
DOCUMENT = Path(__file__).parents[2] / "docs" / "statistics.md"


@dataclass(frozen=True, kw_only=True)
class Study:
    """What one simulated study found, and the truth of its own models.

    Attributes:
        naive: p of the ordinary paired t over folds.
        difference: Found, in C.
        errors: Standard errors of the corrected test and of the fitted models.
        freedom: Their degrees of freedom.
        detectable: By the corrected test and by the verdict.
        covered: Whether the interval of A's C, and that of the fitted models, hold the truth.
        interval: Of the difference of the methods.
    """

    naive: float
    difference: float
    errors: tuple[float, float]
    freedom: tuple[int, int]
    detectable: tuple[float, float]
    covered: tuple[bool, bool]
    interval: tuple[float, float]


def fold_values(tested: RunPatients) -> Array:
    """(J,) C of every fold; NaN where it has none."""
    found = []
    for fold in tested.folds:
        time, event, risk = fold.outcomes.time, fold.outcomes.event, fold.predictions.risk
        leads = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event))
        agrees = 0.5 + 0.5 * np.sign(risk[:, None] - risk)
        found.append((leads * agrees).sum() / leads.sum() if leads.any() else np.nan)
    return np.array(found)


def one_study(runs: list[RunPatients], true: Array, folds: int) -> Study | None:
    """What is said of a study; None where it has too few events for any test."""
    values = np.stack([fold_values(one) for one in runs])
    known = np.isfinite(values).all(axis=0)
    differences = (values[1] - values[0])[known]
    try:
        first, second = (cross_validated(one) for one in runs)
        fitted = contrast(first, second)
        low, high = first.interval()
        test = nadeau_bengio(
            differences, test_share=1 / (folds - 1), folds=folds, possible=(-1.0, 1.0)
        )
    except UndefinedMetricError:
        return None
    true_c = true[:, known].mean(axis=1)
    by_test = detectable(test.standard_error, test.degrees_of_freedom, level=LEVEL)
    by_fitted = detectable(fitted.standard_error, fitted.degrees_of_freedom, level=LEVEL)
    return Study(
        naive=paired_t(differences).p,
        difference=test.mean,
        errors=(test.standard_error, fitted.standard_error),
        freedom=(test.degrees_of_freedom, fitted.degrees_of_freedom),
        detectable=(by_test, max(by_test, by_fitted)),
        covered=(
            bool(low <= true_c[0] <= high),
            bool(fitted.interval[0] <= true_c[1] - true_c[0] <= fitted.interval[1]),
        ),
        interval=test.interval,
    )


def one_cohort(
    cohort: Cohort, censoring: float, truth: TrueConcordance, number: int
) -> list[Study | None]:
    """The studies of one simulated cohort: of its first repeat, its first three, all of them."""
    random = np.random.default_rng([SEED, cohort.patients, cohort.events, cohort.folds, number])
    patients = draw(cohort.scenario, cohort.patients, censoring, random)
    runs, true = cross_validate(patients, cohort, truth, random)
    return [
        one_study(
            [replace(one, folds=one.folds[: cohort.folds * repeats]) for one in runs],
            true[:, : cohort.folds * repeats],
            cohort.folds,
        )
        for repeats in cohort.repeats
    ]


def studies(cohort: Cohort, datasets: int, pool: ProcessPoolExecutor) -> list[list[Study | None]]:
    """For each number of repeats the study of every simulated cohort."""
    censoring = censoring_for(cohort.scenario, cohort.events / cohort.patients)
    truth = TrueConcordance(cohort.scenario, censoring)
    one = partial(one_cohort, cohort, censoring, truth)
    found = list(pool.map(one, range(datasets), chunksize=10))
    return [list(every) for every in zip(*found, strict=True)]


def rejected(found: list[Study], shift: float = 0.0) -> dict[str, float]:
    """Share called different by each test, if every difference were larger by `shift`."""
    difference = np.array([one.difference for one in found]) + shift
    tests = []
    for place in (0, 1):
        error = np.array([one.errors[place] for one in found])
        freedom = np.array([one.freedom[place] for one in found])
        tests.append(np.abs(difference) / error > student.ppf(1 - LEVEL / 2, freedom))
    return {
        "corrected": float(tests[0].mean()),
        "fitted": float(tests[1].mean()),
        "verdict": float((tests[0] & tests[1]).mean()),
    }


def equal_methods(every: list[Study | None]) -> dict[str, float]:
    """Errors, coverage and the power at the printed difference of two equally good methods."""
    found = [one for one in every if one is not None]
    by_test, by_verdict = (
        float(np.mean([one.detectable[place] for one in found])) for place in (0, 1)
    )
    return {
        "without_test": 1 - len(found) / len(every),
        "error_naive": float(np.mean([one.naive < LEVEL for one in found])),
        **{f"error_{name}": share for name, share in rejected(found).items()},
        "covered_c_index": float(np.mean([one.covered[0] for one in found])),
        "covered_fitted": float(np.mean([one.covered[1] for one in found])),
        "covered_method": covered_method(found, 0.0),
        "detectable_test": by_test,
        "power_test": rejected(found, by_test)["corrected"],
        "detectable_verdict": by_verdict,
        "power_verdict": rejected(found, by_verdict)["verdict"],
    }


def covered_method(found: list[Study], truth: float) -> float:
    """How often the interval of the methods' difference holds the truth."""
    return float(np.mean([one.interval[0] <= truth <= one.interval[1] for one in found]))


def unequal_methods(every: list[Study | None]) -> dict[str, float]:
    """What the verdict finds where B really is better: no shift, other effects."""
    found = [one for one in every if one is not None]
    true = float(np.mean([one.difference for one in found]))
    return {
        "without_test": 1 - len(found) / len(every),
        "true": true,
        "detectable_verdict": float(np.mean([one.detectable[1] for one in found])),
        "power_verdict": rejected(found)["verdict"],
        "covered_fitted": float(np.mean([one.covered[1] for one in found])),
        "covered_method": covered_method(found, true),
    }


def equal_cohorts() -> Iterator[Cohort]:
    """Every scenario and size of two equally good methods."""
    for scenario in EQUAL:
        for patients, events in SIZES:
            for folds, repeats in PROTOCOLS:
                yield Cohort(
                    scenario=scenario,
                    patients=patients,
                    events=events,
                    folds=folds,
                    repeats=repeats,
                )


def unequal_cohorts() -> Iterator[Cohort]:
    """Cohorts whose true difference is near the one that is detectable."""
    for patients, events, folds, repeats, weak, strong in UNEQUAL:
        yield Cohort(
            scenario=stronger(EQUAL[0], weak, strong),
            patients=patients,
            events=events,
            folds=folds,
            repeats=(repeats,),
        )


def main() -> None:
    """Simulate, then write `verdict.json` and the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--datasets", type=int, default=600)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    start = clock.perf_counter()
    equal, unequal = [], []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for cohort in equal_cohorts():
            for size, every in zip(
                cohort.sizes(), studies(cohort, chosen.datasets, pool), strict=True
            ):
                known = {"scenario": cohort.scenario.name, "size": size}
                equal.append({**known, **equal_methods(every)})
            seconds = clock.perf_counter() - start
            print(f"{seconds:.0f} s: {cohort.scenario.name}, {size}", flush=True)
        for cohort in unequal_cohorts():
            known = {"scenario": cohort.scenario.name, "size": cohort.sizes()[0]}
            (every,) = studies(cohort, chosen.datasets, pool)
            unequal.append({**known, **unequal_methods(every)})
    print(f"{clock.perf_counter() - start:.0f} s")
    kept = {"datasets": chosen.datasets, "seed": SEED, "equal": equal, "unequal": unequal}
    write_results("verdict.json", kept)
    tables = {scenario.name: equal_table(equal, scenario.name) for scenario in EQUAL}
    write_tables({**tables, "unequal": unequal_table(unequal)})
    write_tables({"errors": short_table(equal)}, DOCUMENT)


if __name__ == "__main__":
    main()
