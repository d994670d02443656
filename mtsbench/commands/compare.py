"""`mtsbench compare`: finished runs side by side, if they may be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.")],
    allow_true_mask: Annotated[
        bool,
        typer.Option(
            "--allow-true-mask",
            help="Let a model that was given true test masks stand beside others, marked.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Summaries as JSON on stdout.")] = False,
) -> None:
    """Show several runs in one table; refuses runs that did not answer the same question."""
    import json

    from rich.console import Console

    from mtsbench.comparison.comparable import check_comparable, read_run
    from mtsbench.comparison.summary import score_names, summarise
    from mtsbench.errors import OptionError
    from mtsbench.report.tables import comparison_table, recovery_table
    from mtsbench.store import RunStore

    if len(runs) < 2:
        raise OptionError(f"compare needs two or more runs, got {len(runs)}")
    finished = [read_run(RunStore(folder)) for folder in runs]
    check_comparable(finished, allow_true_mask=allow_true_mask)
    if not as_json:
        console = Console()
        console.print(comparison_table(finished))
        recovered = recovery_table(finished)
        if recovered is not None:
            console.print(recovered)
        return
    summaries = {
        run.description.name: {
            "model": run.label,
            "given_true_mask": run.description.method["needs_mask_at_test"],
            "metrics": {
                name: {"mean": s.mean, "spread": s.spread, "defined": s.defined, "trials": s.trials}
                for name in score_names(run)
                for s in (summarise(run, name),)
            },
            "recovery": {
                name: summarise(run, name, "recovery").mean for name in score_names(run, "recovery")
            },
        }
        for run in finished
    }
    typer.echo(json.dumps(summaries, indent=2))
