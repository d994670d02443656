"""Tables of what `verdict.py` found, for its page and for the manual."""

from __future__ import annotations

from simulated_methods import EQUAL

SIZES = ((60, 12), (60, 30), (120, 60), (150, 30), (200, 75))  # patients, expected events
ERRORS = {
    "naive": "paired t over the folds (not offered)",
    "corrected": "corrected test",
    "fitted": "jackknife of the fitted models",
    "verdict": "verdict (`robust`)",
}
COVERAGE = {
    "c_index": "C of a model",
    "fitted": "difference of the fitted models",
    "method": "difference of the methods",
}


def equal_table(results: list[dict[str, object]], scenario: str) -> list[str]:
    """Markdown: one row a size and protocol of a scenario."""
    rows = [one for one in results if one["scenario"] == scenario]
    head = [*(f"errs: {name}" for name in ("paired t", "corrected", "fitted", "verdict"))]
    head += ["covers: C", "fitted", "method", "detectable by verdict", "found"]
    lines = [
        f"| {scenario}: patients / events, folds x repeats | {' | '.join(head)} |",
        "|---|" + "---|" * len(head),
    ]
    keys = [f"error_{name}" for name in ERRORS] + [f"covered_{name}" for name in COVERAGE]
    for one in rows:
        cells = [f"{100 * float(one[key]):.1f} %" for key in keys]
        cells += [f"{one['detectable_verdict']:.2f}", f"{100 * float(one['power_verdict']):.0f} %"]
        lines.append(f"| {one['size']} | {' | '.join(cells)} |")
    return lines


def short_table(results: list[dict[str, object]]) -> list[str]:
    """Markdown for the manual: errors where both models see different things, the worst case."""
    sizes = [f"{patients} / {events}" for patients, events in SIZES]
    found = {one["size"]: one for one in results if one["scenario"] == EQUAL[0].name}
    lines = [
        f'| "the two differ", which is wrong; patients / events | {" | ".join(sizes)} |',
        "|---|" + "---|" * len(sizes),
    ]
    for name, key, protocol in (
        ("verdict, 5 folds x 3 repeats", "error_verdict", "5 x 3"),
        ("corrected test, 5 x 3", "error_corrected", "5 x 3"),
        ("corrected test, 5 x 10", "error_corrected", "5 x 10"),
        ("usual paired t-test over the folds, 5 x 10 (not offered)", "error_naive", "5 x 10"),
    ):
        cells = [f"{100 * float(found[f'{size}, {protocol}'][key]):.1f} %" for size in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def unequal_table(results: list[dict[str, object]]) -> list[str]:
    """Markdown: one row a cohort in which B really is better."""
    lines = [
        "| B sees more: patients / events, folds x repeats | true difference | detectable by "
        "verdict | found | covers: fitted | method |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one['size']} | {one['true']:.3f} | {one['detectable_verdict']:.3f} | "
        f"{100 * float(one['power_verdict']):.0f} % | {100 * float(one['covered_fitted']):.1f} % | "
        f"{100 * float(one['covered_method']):.1f} % |"
        for one in results
    ]
    return lines
