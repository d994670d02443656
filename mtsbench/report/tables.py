"""Terminal tables of one run and of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from mtsbench.comparison.labels import row_labels
from mtsbench.comparison.summary import Part, mean_seconds, score_names, summarise
from mtsbench.report.numbers import detectable_text, interval_text, p_text, verdict_text

if TYPE_CHECKING:
    import pandas as pd

    from mtsbench.comparison.analysis import Analysis
    from mtsbench.comparison.comparable import FinishedRun
    from mtsbench.records import RunDescription, StoredScore, TrialRecord


def title(description: RunDescription) -> str:
    """`npc (SIMULATED) · pfs · preset demo · 150 cases, 74 events`."""
    question = description.question
    simulated = " (SIMULATED)" if description.simulated else ""
    return (
        f"{question['dataset']}{simulated} · {question['endpoint']} · preset "
        f"{question['preset']} · {description.cases} cases, {description.events} events"
    )


# A terminal has no room for these beside the others; records, `--json` and pages hold them.
SECONDARY = frozenset(
    {
        *("uno-c", "antolini-c", "auc", "ibs", "ipa"),
        *("hd95", "surface-dice", "volume-error", "detection"),
    }
)


def primary(names: Iterable[str]) -> tuple[str, ...]:
    """Core's two first metrics, and those of other packages."""
    return tuple(name for name in names if name not in SECONDARY)


DETECTABLE = "detectable by test / verdict"


def run_table(run: FinishedRun) -> Table:
    """One row a trial and a last row of means; the oracle's columns where it is known.

    `s` is the trial's wall-clock time in seconds, `cases` and `events` those of its test fold.
    """
    table = Table(title=f"{run.label} on {title(run.description)}", title_justify="left")
    metrics, oracle = primary(score_names(run)), primary(score_names(run, "oracle"))
    many_repeats = len({record.repeat for record in run.records}) > 1
    many_seeds = len({record.seed for record in run.records}) > 1
    # In a narrow terminal "fold" breaks what does not fit; rich's default would cut digits off.
    table.add_column("fold", overflow="fold")
    columns = ("cases", "events", *metrics, *(f"oracle {name}" for name in oracle), "s")
    for name in columns:
        table.add_column(name, justify="right", overflow="fold")
    for record in run.records:
        label = f"{record.repeat}." if many_repeats else ""
        label += str(record.fold) + (f" seed {record.seed}" if many_seeds else "")
        table.add_row(label, *_cells(record, metrics, oracle))
    table.add_section()
    seconds = sum(sum(record.phase_seconds.values()) for record in run.records)
    summaries = [summarise(run, name) for name in metrics]
    summaries += [summarise(run, name, "oracle") for name in oracle]
    table.add_row("mean", "", "", *(one.mean_text() for one in summaries), "")
    table.add_row("SD", "", "", *(one.spread_text() for one in summaries), "")
    table.add_row("sum", "", "", *("" for _ in summaries), f"{seconds:.0f}")
    return table


def comparison_table(runs: Sequence[FinishedRun]) -> Table:
    """One row a run: mean and spread of every metric, training seconds, mask use.

    Runs of one model are told apart as `row_labels` has it.
    """
    table = Table(title=title(runs[0].description), title_justify="left")
    metrics = primary(dict.fromkeys(name for run in runs for name in score_names(run)))
    table.add_column("model", overflow="fold")
    for name in (*metrics, "fit s/trial"):
        table.add_column(name, justify="right", overflow="fold")
    for run, label in zip(runs, row_labels(runs), strict=True):
        fit = mean_seconds(run, "fit")
        table.add_row(
            label,
            *(summarise(run, name).text() if name in score_names(run) else "–" for name in metrics),
            "–" if fit is None else f"{fit:.0f}",
        )
    oracle = score_names(runs[0], "oracle")
    if oracle:
        table.add_section()
        table.add_row(
            "oracle (true hazard)",
            *(
                summarise(runs[0], name, "oracle").text() if name in oracle else "–"
                for name in metrics
            ),
            "–",
        )
    return table


def difference_table(analysis: Analysis) -> Table | None:
    """Differences in C from the reference; None without one.

    `method` is Nadeau-Bengio's 95 % interval, `p Holm` its p adjusted over the rows, `fitted` the
    jackknife's interval; the last column says which true difference the corrected test, and the
    verdict, would find with a chance of 80 %.
    """
    if analysis.reference is None:
        return None
    table = Table(title=f"C-index minus that of {analysis.reference.name}", title_justify="left")
    table.add_column("model", overflow="fold", min_width=12)
    # Wide enough that no word and no number breaks; the names of models take what is left.
    widths = {"diff.": 5, "method": 7, "p Holm": 6, "fitted": 7, "robust": 7, DETECTABLE: 11}
    for name, width in widths.items():
        table.add_column(name, justify="right", overflow="fold", width=width)
    for one in analysis.comparisons.values():
        test, fitted = one.algorithm, one.fitted
        table.add_row(
            one.label,
            "–" if one.difference is None else f"{one.difference:+.2f}",
            "–" if test is None else interval_text(test.interval),
            "–" if one.adjusted_p is None else p_text(one.adjusted_p),
            "–" if fitted is None else interval_text(fitted.interval),
            verdict_text(one),
            " / ".join(
                detectable_text(one, found)
                for found in (one.detectable.test, one.detectable.verdict)
            ),
        )
    return table


def difference_notes(analysis: Analysis) -> tuple[str, ...]:
    """What stands below the differences: missing tests, few events, what the columns say."""
    compared = analysis.comparisons.values()
    if not compared:
        return ()
    reasons: dict[str, list[str]] = {}
    for one in compared:
        for reason in one.undefined:
            reasons.setdefault(reason, []).append(one.label)
    notes = [
        reason if len(labels) == len(compared) else f"{', '.join(labels)}: {reason}"
        for reason, labels in reasons.items()
    ]
    tested = [one for one in compared if one.algorithm and one.fitted]
    notes += dict.fromkeys(f"! {one.few_events}" for one in tested if one.few_events)
    if tested:
        notes.append(
            "detectable: the true difference that is found with a chance of 80 %; none: not even "
            "one of 0.50"
        )
    return tuple(notes)


def recovery_table(runs: Sequence[FinishedRun]) -> Table | None:
    """How far each model's risk follows the known factors; None where the hazard is not known.

    One row a run with the mean over trials of the rank correlation, a dash where it is not defined
    (a constant risk); the last is the true risk's.
    """
    factors = score_names(runs[0], "oracle_recovery")
    if not factors:
        return None
    table = Table(
        title="SIMULATED hazard: Spearman correlation of risk and factor", title_justify="left"
    )
    table.add_column("model", overflow="fold", min_width=16)
    for factor in factors:
        # Six factors must fit 80 columns.
        table.add_column(factor.replace("_", " "), justify="right", overflow="fold", max_width=7)
    for run, label in zip(runs, row_labels(runs), strict=True):
        table.add_row(label, *(_correlation(run, name, "recovery") for name in factors))
    table.add_section()
    truth = (_correlation(runs[0], name, "oracle_recovery") for name in factors)
    table.add_row("oracle (true hazard)", *truth)
    return table


def _correlation(run: FinishedRun, factor: str, part: Part) -> str:
    mean = summarise(run, factor, part).mean
    return "–" if mean is None else f"{mean:.2f}"


def risk_table(predictions: pd.DataFrame) -> Table:
    """The riskiest cases first; only the order of risks is meaningful."""
    table = Table(title="highest risk first", title_justify="left")
    table.add_column("case", overflow="fold")
    table.add_column("risk", justify="right", overflow="fold")
    for row in predictions.itertuples():
        table.add_row(str(row.case_id), f"{row.risk:.4f}")
    return table


def _cells(record: TrialRecord, metrics: Sequence[str], oracle: Sequence[str]) -> tuple[str, ...]:
    return (
        str(record.cases["test"]),
        str(record.events["test"]),
        *(score_text(record.scores.get(name)) for name in metrics),
        *(score_text(record.oracle.get(name)) for name in oracle),
        f"{sum(record.phase_seconds.values()):.0f}",
    )


def score_text(score: StoredScore | None) -> str:
    """Three decimals, `undefined`, or a dash where the trial has no such score."""
    if score is None:
        return "–"
    return "undefined" if score.value is None else f"{score.value:.3f}"
