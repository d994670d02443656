"""What a tracker lists by name: the choices behind a run, and the scores of a trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from mtsbench.records import RunDescription, StoredScore, TrialRecord

Plain = str | int | float | bool


def choices(description: RunDescription) -> dict[str, Plain]:
    """Name to value of all that was asked and of the method, e.g. `training.epochs` to 60.

    What is no number, text or truth value is written as JSON.
    """
    return {
        **dict(_flat("", description.question)),
        **dict(_flat("", description.method)),
        **dict(_flat("dataset_options", description.dataset_options)),
        "simulated": description.simulated,
    }


def all_scores(record: TrialRecord) -> dict[str, StoredScore]:
    """Name to score of a trial, e.g. `score/harrell-c`, `oracle/harrell-c`, `recovery/volume`."""
    parts = {"score": record.scores, "oracle": record.oracle, "recovery": record.recovery}
    return {
        f"{part}/{name}": score for part, scores in parts.items() for name, score in scores.items()
    }


def _flat(name: str, value: JsonValue) -> Iterator[tuple[str, Plain]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{name}.{key}" if name else key, item)
    else:
        yield name, value if isinstance(value, Plain) else json.dumps(value)
