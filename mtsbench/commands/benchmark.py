"""`mtsbench benchmark`: how fast this machine is, by a fixed protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from mtsbench.benchmark.records import BenchmarkRecord, ItemResult


def benchmark(
    device: Annotated[str, typer.Option(help="auto, cpu or cuda[:N].")] = "auto",
    only: Annotated[
        list[str] | None,
        typer.Option(help="Measure this item alone; may be repeated.", metavar="NAME"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder that the record is put into.")] = None,
    warm_up: Annotated[int, typer.Option(help="Repetitions not timed.", min=0)] = 10,
    steps: Annotated[int, typer.Option(help="Repetitions timed.", min=1)] = 70,
    compare: Annotated[
        Path | None,
        typer.Option(help="Measure nothing: write the page of this folder of records."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The record as JSON on stdout.")] = False,
) -> None:
    """Time training, inference, features and statistics; each item alone in a process."""
    from rich.console import Console

    if compare is not None:
        from mtsbench.benchmark.page import write_page

        Console().print(f"page: {write_page(compare)}", highlight=False, soft_wrap=True)
        return
    record = _measure(device, only or [], out, warm_up, steps)
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
    else:
        Console().print(_table(record))
    if out is not None:
        path = out / record.file_name()
        Console(stderr=as_json).print(f"record: {path}", highlight=False, soft_wrap=True)


def _measure(
    device: str, only: list[str], out: Path | None, warm_up: int, steps: int
) -> BenchmarkRecord:
    from rich.console import Console

    from mtsbench.benchmark.items import all_items, choose
    from mtsbench.benchmark.page import seconds_text
    from mtsbench.benchmark.records import Protocol
    from mtsbench.benchmark.running import run_benchmark
    from mtsbench.engine.precision import choose_device
    from mtsbench.plugins import load_components

    chosen = choose_device(device)
    console = Console(stderr=True)

    def report(item: ItemResult) -> None:
        found = item.reason if item.found is None else seconds_text(item.found.median)
        console.print(f"{item.name}: {found}", highlight=False, markup=False)

    return run_benchmark(
        choose(all_items(chosen), only),
        Protocol(warm_up=warm_up, steps=steps),
        load_components(),
        chosen,
        folder=out,
        report=report,
    )


def _table(record: BenchmarkRecord) -> Table:
    from rich.table import Table

    from mtsbench.benchmark.page import seconds_text

    machine, protocol = record.machine, record.protocol
    table = Table(
        title=f"{machine.device}; {machine.processor}, {machine.cores} cores; "
        f"{protocol.warm_up} + {protocol.steps} repetitions",
        title_justify="left",
    )
    for name in ("item", "median", "IQR", "others"):
        table.add_column(name, justify="left" if name == "item" else "right")
    for item in record.items:
        others = "" if item.others is None else f"{item.others:.0%}"
        if item.found is None:
            table.add_row(f"{item.name}: {item.reason}", "–", "–", others)
        else:
            median, spread = seconds_text(item.found.median), seconds_text(item.found.spread)
            table.add_row(item.name, median, spread, others)
    table.caption = "others: share of the processors that other programs used meanwhile"
    return table
