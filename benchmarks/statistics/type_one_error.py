"""Type-I error and coverage of the comparison procedure, by simulation with known truth.

    python benchmarks/statistics/type_one_error.py [--datasets 2000] [--processes 2]

Two ridge-penalised Cox models, A on five variables and B on five others of the same distribution
and effects, are exchangeable by construction: any claimed difference between the two *methods* is
an error of the first kind. The tests are those that `mtsbench compare` uses, on five folds and ten
repeats. For one held-out cohort the models are trained once, and the interval of their difference
is checked against their difference in 20,000 new patients. Writes `results.json` and the table of
`README.md`.
"""

from __future__ import annotations

import argparse
import json
import time as clock
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from mtsbench.metrics.contrast import contrast
from numpy.typing import NDArray

from mtsbench.comparison.resampled_tests import nadeau_bengio, paired_t
from mtsbench.metrics.concordance import concordance

HERE = Path(__file__).parent
SEED = 2026
VARIABLES, FOLDS, REPEATS, PENALTY, POPULATION = 5, 5, 10, 1.0, 20_000
EFFECTS = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
FIGURES = {
    "nadeau_bengio": "Nadeau-Bengio, 5 folds x 10 repeats (default)",
    "naive": "paired t on the same 50 differences (refused)",
    "clustered_jackknife": "patient-clustered jackknife over all folds (shown beside it)",
    "robust": "both agree (`robust`)",
    "held_out_type_one": "jackknife contrast, one held-out cohort",
    "held_out_coverage": "coverage of its 95 % interval",
}
Array = NDArray[np.float64]


def patients(count: int, random: np.random.Generator) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(N, 10) variables, days and events of new patients; about 56 % events."""
    variables = random.normal(size=(count, 2 * VARIABLES))
    hazard = np.exp(variables @ np.concatenate([EFFECTS, EFFECTS]))
    event_time = random.exponential(1000 / hazard)
    censored = random.exponential(1300, size=count)
    return variables, np.minimum(event_time, censored), event_time <= censored


def ridge_cox(variables: Array, time: Array, event: NDArray[np.bool_]) -> Array:
    """(F, P) coefficients of F training sets at once (F, N, P), by Newton's method."""
    order = np.argsort(-time, axis=1)
    x = np.take_along_axis(variables, order[:, :, None], axis=1)
    d = np.take_along_axis(event, order, axis=1).astype(float)
    beta = np.zeros((len(x), x.shape[2]))
    for _ in range(6):
        weight = np.exp(np.einsum("fnp,fp->fn", x, beta))
        total = np.cumsum(weight, axis=1)
        mean = np.cumsum(weight[:, :, None] * x, axis=1) / total[:, :, None]
        square = np.cumsum(weight[:, :, None, None] * x[..., None] * x[:, :, None], axis=1)
        square = square / total[:, :, None, None] - mean[..., None] * mean[:, :, None]
        gradient = np.einsum("fn,fnp->fp", d, x - mean) - PENALTY * beta
        hessian = np.einsum("fn,fnpq->fpq", d, square) + PENALTY * np.eye(x.shape[2])
        beta += np.linalg.solve(hessian, gradient[..., None])[..., 0]
    return beta


def deal(count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """(50, N / 5) rows tested in each fold of each repeat."""
    return np.concatenate([random.permutation(count).reshape(FOLDS, -1) for _ in range(REPEATS)])


def cross_validated(count: int, random: np.random.Generator) -> dict[str, bool]:
    """Whether each test calls the two equal methods different on one dataset."""
    variables, time, event = patients(count, random)
    test = deal(count, random)
    train = np.stack([np.setdiff1d(np.arange(count), rows) for rows in test])
    halves = (slice(0, VARIABLES), slice(VARIABLES, None))
    risks = [
        np.einsum(
            "fnp,fp->fn",
            variables[test][..., half],
            ridge_cox(variables[train][..., half], time[train], event[train]),
        )
        for half in halves
    ]
    values = np.array(
        [
            [concordance(r[f], time[rows], event[rows]).value for f, rows in enumerate(test)]
            for r in risks
        ]
    )
    rows = test.ravel()
    stratum = np.repeat(np.arange(len(test)), test.shape[1])
    whole = [concordance(r.ravel(), time[rows], event[rows], strata=stratum) for r in risks]
    fitted = contrast(
        (whole[0].value, whole[1].value),
        (whole[0].influence, whole[1].influence),
        patient=rows,
    )
    corrected = nadeau_bengio(values[1] - values[0], test_share=1 / (FOLDS - 1))
    return {
        "nadeau_bengio": corrected.p < 0.05,
        "naive": paired_t(values[1] - values[0]).p < 0.05,
        "clustered_jackknife": fitted.p < 0.05,
        "robust": corrected.p < 0.05 and fitted.p < 0.05 and corrected.mean * fitted.value > 0,
    }


def held_out(count: int, random: np.random.Generator) -> dict[str, bool]:
    """The jackknife contrast of two frozen models in one new cohort of the same size."""
    variables, time, event = patients(count, random)
    new, new_time, new_event = patients(count, random)
    many, many_time, many_event = patients(POPULATION, random)
    found, truth = [], []
    for half in (slice(0, VARIABLES), slice(VARIABLES, None)):
        beta = ridge_cox(variables[None, :, half], time[None], event[None])[0]
        found.append(concordance(new[:, half] @ beta, new_time, new_event))
        truth.append(concordance(many[:, half] @ beta, many_time, many_event).value)
    test = contrast((found[0].value, found[1].value), (found[0].influence, found[1].influence))
    low, high = test.interval
    return {
        "held_out_type_one": test.p < 0.05,
        "held_out_coverage": low <= truth[1] - truth[0] <= high,
    }


def one_dataset(count: int, number: int) -> dict[str, bool]:
    """All figures of one simulated dataset."""
    random = np.random.default_rng([SEED, count, number])
    return {**cross_validated(count, random), **held_out(count, random)}


def simulate(count: int, datasets: int, processes: int) -> dict[str, float]:
    """Share of datasets where each statement is true, with the number of patients."""
    with ProcessPoolExecutor(processes) as pool:
        found = list(pool.map(partial(one_dataset, count), range(datasets), chunksize=20))
    return {name: float(np.mean([one[name] for one in found])) for name in FIGURES}


def table(results: dict[str, dict[str, float]], datasets: int) -> list[str]:
    """Markdown: one row a figure, one column a cohort size."""
    lines = [
        f"| {datasets} datasets each | {' | '.join(f'n = {n}' for n in results)} |",
        "|---|" + "---|" * len(results),
    ]
    for name, title in FIGURES.items():
        cells = (f"{100 * found[name]:.1f} %" for found in results.values())
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Simulate, then write `results.json` and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--datasets", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    start = clock.perf_counter()
    results = {str(n): simulate(n, chosen.datasets, chosen.processes) for n in (100, 200)}
    print(f"{clock.perf_counter() - start:.0f} s")
    kept = {"datasets": chosen.datasets, "seed": SEED, "shares": results}
    (HERE / "results.json").write_text(json.dumps(kept, indent=1) + "\n")
    page = HERE / "README.md"
    begin, end = "<!-- results -->\n", "<!-- end of results -->"
    before, _, rest = page.read_text().partition(begin)
    after = rest.partition(end)[2]
    page.write_text(
        before + begin + "\n".join(table(results, chosen.datasets)) + "\n" + end + after
    )


if __name__ == "__main__":
    main()
