"""`report.html` of one run: one file that opens offline."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mtsbench.checksums import write_whole
from mtsbench.comparison.summary import score_names, summarise
from mtsbench.report.recipe_text import recipe_rows
from mtsbench.report.tables import score_text, title
from mtsbench.store import RunStore
from mtsbench.trial_files import read_log

if TYPE_CHECKING:
    from mtsbench.comparison.comparable import FinishedRun

PAGE = "report.html"
CURVES = {"validation_c_index": "C-index", "validation_dice": "Dice"}
# Okabe and Ito's palette, told apart by the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def write_run_page(run: FinishedRun, folder: Path) -> Path:
    """Write `report.html` into the run's folder and return its path."""
    metrics, oracle = score_names(run), score_names(run, "oracle")
    environment = Environment(
        loader=PackageLoader("mtsbench.report", "."), autoescape=True, undefined=StrictUndefined
    )
    page = environment.get_template("run_page.html.j2").render(
        label=run.label,
        title=title(run.description),
        simulated=run.description.simulated,
        columns=("test cases", "events", *metrics, *(f"oracle {name}" for name in oracle)),
        rows=[
            (
                f"repeat {r.repeat}, fold {r.fold}, seed {r.seed}",
                r.cases["test"],
                r.events["test"],
                *(score_text(r.scores.get(name)) for name in metrics),
                *(score_text(r.oracle.get(name)) for name in oracle),
            )
            for r in run.records
        ],
        means=(
            "mean ± SD",
            "",
            "",
            *(summarise(run, name).text() for name in metrics),
            *(summarise(run, name, "oracle").text() for name in oracle),
        ),
        failures=run.failures,
        figure=_training_curves(run, folder),
        recipe=run.description.recipe,
        changes=recipe_rows(run.description),
        facts=_facts(run),
    )
    path = folder / PAGE
    write_whole(path, page.encode())
    return path


def _training_curves(run: FinishedRun, folder: Path) -> Markup | None:
    """Validation scores by epoch, one line a trial, as inline SVG; None if nothing was logged."""
    from matplotlib.figure import Figure

    store = RunStore(folder)
    logs = {
        f"{record.repeat}.{record.fold} seed {record.seed}": read_log(store.trial_folder(record))
        for record in run.records
    }
    curves = [name for name in CURVES if any(name in e for log in logs.values() for _, e in log)]
    if not curves:
        return None
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves, strict=True):
        for position, (label, log) in enumerate(logs.items()):
            points = [(epoch + 1, values[name]) for epoch, values in log if name in values]
            colour = COLOURS[position % len(COLOURS)]
            axes.plot(*zip(*points, strict=True), label=label, color=colour)
        axes.set(xlabel="epoch", ylabel=f"validation {CURVES[name]}")
        axes.spines[["top", "right"]].set_visible(False)
    axes.legend(title="trial", frameon=False, fontsize="small")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    return Markup(svg[svg.index("<svg") :])


def _facts(run: FinishedRun) -> list[tuple[str, str]]:
    question, method = run.description.question, run.description.method
    facts = [("run", run.description.name)]
    for source in (question, method):
        for name, value in source.items():
            items = value.items() if isinstance(value, dict) else ((None, value),)
            facts.extend((f"{name}: {key}" if key else name, _plain(item)) for key, item in items)
    facts.append(("splits", run.description.splits_sha256))
    if run.records:
        facts.append(("device", run.records[0].device))
        facts.extend(run.records[0].platform.items())
        facts.append(("code", run.records[0].git or "installed package"))
    for record in run.records:
        trial = f"warning of repeat {record.repeat} fold {record.fold} seed {record.seed}"
        facts.extend((trial, note) for note in record.notes)
    return facts


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
