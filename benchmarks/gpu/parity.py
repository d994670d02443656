"""Is it right? The GPU against the CPU in float64, and what a run could get wrong on a GPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from against_cpu import ROWS, differences
from day import Day
from variants import new_step, prepared

from mtsbench.benchmark.training_part import TrainingPart
from mtsbench.data import Cohort
from mtsbench.engine.inference import infer
from mtsbench.engine.memory import case_memory
from mtsbench.engine.precision import tensor_cores
from mtsbench.engine.slots import read_case
from mtsbench.engine.sources import HeldCohort, StreamedCohort
from mtsbench.engine.step import TrainingStep

SIZE = 32


def parity(day: Day) -> None:
    """One step on the GPU against the CPU; batches; rounding of risks; memory of a second trial."""
    with prepared(day, SIZE) as part:
        cohort = part.cohort.cohort
        # Each finding is kept when it is there: what comes after it may fail.
        day.keep("parity", {"wrong_batches": wrong_batches(day, cohort)})
        for training in (False, True):
            day.keep("parity", differences(day, part, training=training))
        step = new_step(part, day.device)
        with tensor_cores(day.device, "auto"):
            for _ in range(30 if day.cuda else 2):
                loss = step(0)["loss"]
            waits = host_waits(day, lambda: step(0))
        day.keep("parity", {"host_waits_in_a_step": waits, "loss_after_30_steps": float(loss)})
        day.keep("parity", risks_and_curves(day, step, part))
        if day.cuda:
            found = memory_of_two_trials(day)
            day.keep("parity", {"case_memory_gib_first_and_second_trial": found})


def wrong_batches(day: Day, cohort: Cohort) -> int:
    """Batches of both sources, while the network's stream is kept busy, that are not the files."""
    sources = (
        HeldCohort(cohort, day.device, read_case(cohort, 0)),
        StreamedCohort(cohort, day.device),
    )
    random, wrong = np.random.default_rng(0), 0
    side = 4096 if day.cuda else 64
    busy = torch.randn(side, side, device=day.device)
    for _ in range(40 if day.cuda else 3):
        rows = random.integers(0, len(cohort), len(ROWS))
        for source in sources:
            source.expect(rows)
        for _ in range(4):
            busy = busy @ busy / side**0.5
        given = [source.batch(rows).image for source in sources]
        truth = np.stack([cohort[int(row)].image for row in rows])
        wrong += sum(not np.array_equal(one.cpu().numpy(), truth) for one in given)
    return wrong


def host_waits(day: Day, action: Callable[[], object]) -> dict[str, int]:
    """Where in Python the host waited for the device, and how often; torch's own watch on CUDA."""
    places: dict[str, int] = {}
    if not day.cuda:
        return places

    def note(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        place = f"{'/'.join(Path(filename).parts[-2:])}:{lineno}"
        places[place] = places.get(place, 0) + 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        torch.cuda.set_sync_debug_mode("warn")
        try:
            action()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return places


def risks_and_curves(day: Day, step: TrainingStep, part: TrainingPart) -> dict[str, object]:
    """How many risks are told apart in each precision, and whether the head's curves are given."""
    cohort = part.cohort.cohort
    found: dict[str, object] = {"cases": len(cohort)}
    for precision in ("fp32", "auto", "bf16"):
        with tensor_cores(day.device, precision):
            inferred = infer(step.network, cohort, day.device, len(ROWS), precision=precision)
        found[f"distinct_risks_{precision}"] = len(np.unique(inferred.risk))
    # Missing if the engine does not see that the head has curves.
    whole = infer(step.network, cohort, day.device, len(ROWS), in_full=True)
    found["survival_reading"] = whole.survival_reading
    return found


def memory_of_two_trials(day: Day) -> list[float]:
    """GiB for the cases of a trial, before and after another one has used and freed memory."""
    first = case_memory(None, day.device)
    ballast = torch.empty(40 * 2**30, dtype=torch.uint8, device=day.device)
    del ballast  # stays with torch's allocator, as after a first trial
    return [first / 2**30, case_memory(None, day.device) / 2**30]
