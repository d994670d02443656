"""One item in a process of its own, so that its end is not the benchmark's."""

from __future__ import annotations

import multiprocessing
import os
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.benchmark.records import ItemResult, Measurement
from mtsbench.errors import MtsbenchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from mtsbench.benchmark.items import Item
    from mtsbench.benchmark.records import Protocol
    from mtsbench.plugins import Components

STATISTICS = Path("/proc/stat")


def measure_alone(item: Item, protocol: Protocol, components: Components) -> ItemResult:
    """Measure an item, or say why that cannot be done."""
    missing = [(kind, name) for kind, name in item.needs if name not in components.names(kind)]
    if missing:
        kind, name = missing[0]
        return _result(item, reason=f"{kind} {name} is not installed")
    before, started = processor_seconds(), time.monotonic()
    found = in_a_process(item.measure, protocol)
    elapsed, after = time.monotonic() - started, processor_seconds()
    others = None
    if before is not None and after is not None:
        share = (after - before) / elapsed / (os.cpu_count() or 1)
        others = round(min(1.0, max(0.0, share)), 3)
    if isinstance(found, Measurement):
        return _result(item, found=found, others=others)
    return _result(item, reason=found, others=others)


def in_a_process(
    measure: Callable[[Protocol], Measurement], protocol: Protocol
) -> Measurement | str:
    """What `measure` found in a new process, or in one line why it found nothing."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, measure, protocol), daemon=True)
    process.start()
    there.close()
    try:
        answer: Measurement | str = here.recv()
    except EOFError:
        process.join()
        return _how_it_ended(process.exitcode)
    finally:
        process.join()
        here.close()
    return answer


def processor_seconds() -> float | None:
    """Processor time that other programs have used; its differences are what counts.

    All that the system counts as busy, less what this process and its ended children used.
    """
    if not STATISTICS.exists():
        return None
    ticks = [int(number) for number in STATISTICS.read_text().splitlines()[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    busy = (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return busy - sum(used.ru_utime + used.ru_stime for used in own)


def _answer(
    there: Connection, measure: Callable[[Protocol], Measurement], protocol: Protocol
) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        there.send(measure(protocol))
    except BaseException as error:
        there.send(_one_line(error))
        if not isinstance(error, Exception):
            raise


def _end_with_parent() -> None:
    """An item whose benchmark was killed would go on beside the next one."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a started process
    parent.join()
    os._exit(1)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return f"out of memory: {text}" if text else "out of memory"
    return text if isinstance(error, MtsbenchError) else f"{type(error).__name__}: {text}"


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        hint = ", as a system does that is short of memory" if code == -9 else ""
        return f"the process was ended by signal {-code}{hint}"
    return f"the process ended with code {code} and no result"


def _result(
    item: Item,
    *,
    found: Measurement | None = None,
    reason: str | None = None,
    others: float | None = None,
) -> ItemResult:
    return ItemResult(
        name=item.name,
        what=item.what,
        data=item.data,
        device=item.device,
        found=found,
        reason=reason,
        others=others,
    )
