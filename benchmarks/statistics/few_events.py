"""Intervals of frozen models in external cohorts of few events, by simulation with known truth.

    python benchmarks/statistics/few_events.py [--cohorts 3000] [--processes 2]

Two frozen scores are tested in a cohort that neither was trained on, as `mtsbench external` does.
Counted is how often the interval of C, and that of the difference of two equally good scores, hold
the truth, by the number of events. Writes `few_events.json` and its table in `README.md`.
"""

from __future__ import annotations

import argparse
import time as clock
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from results import write_results, write_tables
from scipy.stats import norm

from mtsbench.errors import UndefinedMetricError
from mtsbench.metrics.concordance import Concordance, concordance
from mtsbench.metrics.sampled_concordance import contrast, frozen

SEED, POPULATION = 2026, 20_000
NORMAL = float(norm.ppf(0.975))
BINS = ((0, 5), (6, 8), (9, 12), (13, 20), (21, 40), (41, 75))  # events
STRENGTHS = (0.0, 0.7, 1.5)  # log hazard ratio per standard deviation: C of about 0.5, 0.65, 0.8
SHARED = (0.2, 0.7)  # correlation of the two scores
FOLLOW_UP = (60.0, 150.0, 400.0, 1500.0)  # days; the longer, the more events
FIGURES = {
    "normal_c": "usual normal interval of C",
    "c": "interval of C",
    "normal_difference": "usual normal interval of a difference",
    "difference": "interval of a difference",
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Cohorts of one kind."""

    patients: int
    strength: float
    shared: float
    follow_up: float
    number: int


def cohort(
    setting: Setting, count: int, random: np.random.Generator
) -> tuple[Concordance, Concordance, int]:
    """C of both scores in a new cohort, and its events."""
    common = np.sqrt(setting.shared) * random.normal(size=count)
    own = np.sqrt(1 - setting.shared) * random.normal(size=(2, count))
    scores = common + own
    hazard = setting.strength * scores.sum(axis=0) / np.sqrt(2 + 2 * setting.shared)
    event_time = random.exponential(1000 / np.exp(hazard))
    censored = random.uniform(0.2, 1, size=count) * setting.follow_up
    time, event = np.minimum(event_time, censored), event_time <= censored
    first, second = (concordance(one, time, event) for one in scores)
    return first, second, int(first.leader.sum())


def holds(interval: tuple[float, float], truth: float) -> bool:
    """Whether an interval holds the truth."""
    return interval[0] <= truth <= interval[1]


def one_setting(task: tuple[Setting, int]) -> list[tuple[int, dict[str, bool | None]]]:
    """Events of each cohort, and whether each interval held; None where there is no interval."""
    setting, cohorts = task
    random = np.random.default_rng([SEED, setting.number])
    truth = cohort(setting, POPULATION, random)[0].value
    found: list[tuple[int, dict[str, bool | None]]] = []
    while len(found) < cohorts:
        try:
            first, second, events = cohort(setting, setting.patients, random)
        except UndefinedMetricError:
            continue  # a cohort without a comparable pair has no C
        reach = NORMAL * first.standard_error()
        change = second.influence - first.influence
        reach_both = NORMAL * float(np.sqrt((change**2).sum()))
        difference = second.value - first.value
        held: dict[str, bool | None] = {
            "normal_c": holds((first.value - reach, first.value + reach), truth),
            "normal_difference": abs(difference) <= reach_both,
            "c": None,
            "difference": None,
        }
        try:
            held["c"] = holds(frozen(first).interval(), truth)
            held["difference"] = holds(contrast(frozen(first), frozen(second)).interval, 0.0)
        except UndefinedMetricError:
            pass
        found.append((events, held))
    return found


def summarise(found: list[tuple[int, dict[str, bool | None]]]) -> list[dict[str, object]]:
    """Coverage by the number of events."""
    rows: list[dict[str, object]] = []
    for low, high in BINS:
        inside = [held for events, held in found if low <= events <= high]
        row: dict[str, object] = {"events": f"{low} to {high}", "cohorts": len(inside)}
        for name in FIGURES:
            known = [held[name] for held in inside if held[name] is not None]
            row[name] = float(np.mean(known)) if known else None
            row[f"{name}_given"] = len(known) / len(inside)
        rows.append(row)
    return rows


def table(rows: list[dict[str, object]]) -> list[str]:
    """Markdown: one row a range of events."""
    lines = [
        f"| events | cohorts | {' | '.join(FIGURES.values())} | intervals given |",
        "|---|---|" + "---|" * (len(FIGURES) + 1),
    ]
    for row in rows:
        cells = ["none" if row[n] is None else f"{100 * float(row[n]):.1f} %" for n in FIGURES]  # type: ignore[arg-type]
        given = f"{100 * float(row['c_given']):.1f} %"  # type: ignore[arg-type]
        lines.append(f"| {row['events']} | {row['cohorts']} | {' | '.join(cells)} | {given} |")
    return lines


def main() -> None:
    """Simulate, then write `few_events.json` and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cohorts", type=int, default=1000, help="of each kind")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    start = clock.perf_counter()
    kinds = [
        (patients, strength, shared, follow_up)
        for patients in (60, 150)
        for strength in STRENGTHS
        for shared in SHARED
        for follow_up in FOLLOW_UP
    ]
    tasks = [
        (
            Setting(
                patients=patients, strength=strength, shared=shared, follow_up=days, number=number
            ),
            chosen.cohorts,
        )
        for number, (patients, strength, shared, days) in enumerate(kinds)
    ]
    with ProcessPoolExecutor(chosen.processes) as pool:
        found = [one for part in pool.map(one_setting, tasks) for one in part]
    rows = summarise(found)
    print(f"{clock.perf_counter() - start:.0f} s")
    kept = {"cohorts": len(found), "seed": SEED, "rows": rows}
    write_results("few_events.json", kept)
    write_tables({"few events": table(rows)})


if __name__ == "__main__":
    main()
