"""The methods of a comparison in plain words, with its numbers, and what it does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from mtsbench.report.missing_text import left_out_lines
from mtsbench.report.recipe_text import emphasis_limits, recipe_sentences

if TYPE_CHECKING:
    from mtsbench.comparison.analysis import Analysis

MOST_NOTES = 5  # of a model; its own page lists all


def methods_paragraph(analysis: Analysis) -> str:
    """What a paper would say of how these results were made."""
    about, question = analysis.description, analysis.description.question
    protocol = cast("Mapping[str, object]", question["protocol"])
    seeds = len(cast("list[int]", protocol["seeds"]))
    trials = f"{_count(protocol['repeats'], 'repeat')} of {protocol['folds']}-fold cross-validation"
    simulated = " The cohort is simulated." if about.simulated else ""
    text = (
        f"{len(analysis.entries)} models were compared on {about.cases} cases of the dataset "
        f"{question['dataset']} ({about.events} events; endpoint {question['endpoint']}; "
        f"{about.without_outcome} further cases without outcome were left out).{simulated} "
        f"All models were trained and tested on identical splits ({trials}, stratified by event "
        f"and, where known, by centre; splits {about.splits_sha256[:12]}) with "
        f"{_count(seeds, 'training seed')} and preset {question['preset']}; "
        f"{float(cast('float', protocol.get('validation_share', 0.2))):.0%} of the cases outside "
        "the test fold served early stopping and tuning. Everything learnt, from intensity "
        "statistics to cut points, was learnt inside the training part, and no model had access "
        f"to outcomes of test cases. {_departures(analysis)}"
        "The primary metric was Harrell's C within test folds, averaged over seeds inside each "
        "fold. "
    )
    if about.tau is not None and about.horizon is not None:
        text += (
            f"Metrics of survival curves were integrated up to tau = {about.tau:.0f} days and "
            f"single-day metrics read at {about.horizon:.0f} days, both chosen from the outcomes "
            "alone; censoring weights came from the whole cohort. "
        )
    if analysis.reference is None:
        return text + "No reference was declared, so no difference was tested."
    return text + _tests(analysis, analysis.reference.label)


def _tests(analysis: Analysis, reference: str) -> str:
    """How differences were tested, or why only those of the fitted models were."""
    jackknife = (
        "conditional on the fitted models, by the patient-clustered jackknife (two-sample form, t "
        "with one degree of freedom less than events)"
    )
    compared = f"Each model was compared with {reference}, declared before looking, "
    tests = [one.algorithm for one in analysis.comparisons.values() if one.algorithm is not None]
    if not tests:
        return _without_test(compared, jackknife)
    return (
        f"{compared}by the Nadeau-Bengio corrected resampled t-test "
        f"({tests[0].degrees_of_freedom} degrees of freedom: at most twice the folds) with Holm's "
        f"adjustment over {_count(len(tests), 'comparison')}, by the Bayesian correlated t-test "
        f"with differences within 0.01 taken as equivalent, and, {jackknife}. A difference is "
        "called robust only when the first and the last agree. All other metrics are exploratory."
    )


def _without_test(compared: str, jackknife: str) -> str:
    """Too few test folds, or none with a difference that varies."""
    return (
        f"{compared}{jackknife}. The methods themselves were not tested, for the reason given "
        "with each comparison. All other metrics are exploratory."
    )


def limits(analysis: Analysis) -> tuple[str, ...]:
    """What a reader must not take from this report."""
    about = analysis.description
    found = [
        "Cross-validation says how methods do at this sample size, not how one frozen model does "
        "in another hospital; that needs an external cohort.",
        "A difference that is not found is not equality: compare it with the one that is "
        "detectable by the verdict.",
        "Intervals of the leaderboard are of patients, with the fitted models fixed; two that "
        "overlap may still differ, and two that do not are not thereby tested.",
        "Events of other causes are treated as censoring.",
    ]
    protocol = cast("Mapping[str, object]", about.question["protocol"])
    if len(cast("list[int]", protocol["seeds"])) == 1:
        found.append("One training seed: the variance between trainings was not measured.")
    if protocol["repeats"] == 1:
        found.append(
            "One repeat: the corrected test has few degrees of freedom and little power, and below "
            "five test folds there is none."
        )
    found += sorted(
        {f"{one.few_events}." for one in analysis.comparisons.values() if one.few_events}
    )
    if about.question["preset"] == "demo":
        found.append(
            "Preset demo trains networks for a fraction of their published budget on coarse "
            "volumes: it shows the program, not the worth of the methods."
        )
    if about.simulated:
        found.append("The data are simulated; nothing here says anything about patients.")
    if any(entry.run.description.method["needs_mask_at_test"] for entry in analysis.entries):
        found.append(
            "Some models were given the true tumour mask of test patients, which no new patient "
            "has; they are marked."
        )
    found += emphasis_limits(analysis)
    found += _notes(analysis)
    undefined = [one for one in analysis.comparisons.values() if one.undefined]
    found += [f"{one.label}: {'; '.join(one.undefined)}." for one in undefined]
    return tuple(found)


def _departures(analysis: Analysis) -> str:
    """From the published recipes and from the protocol; empty or with a blank behind it."""
    sentences = (*recipe_sentences(analysis), *left_out_lines(analysis))
    return "".join(f"{one} " for one in sentences)


def _notes(analysis: Analysis) -> list[str]:
    """What trials warned of, with the number of trials of each model that did."""
    found = []
    for entry in analysis.entries:
        records = entry.run.records
        warned = Counter(note for record in records for note in record.notes)
        found += [
            f"{entry.label}, {times} of {_count(len(records), 'trial')}: {note}."
            for note, times in warned.most_common(MOST_NOTES)
        ]
        if len(warned) > MOST_NOTES:
            more = _count(len(warned) - MOST_NOTES, "further warning")
            found.append(f"{entry.label}: {more}, listed on the page of the run.")
    return found


def _count(number: object, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
