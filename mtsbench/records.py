"""The schema of what a run and its trials leave on disk."""

from __future__ import annotations

from typing import Literal

import pydantic

from mtsbench.errors import DataError

# Raised where an older mtsbench could not read what this one writes, or wrote it otherwise.
SCHEMA_VERSION: Literal[2] = 2
RECORD, DESCRIPTION = "record.json", "run.json"
SPLITS, OUTCOMES = "splits.json", "outcomes.parquet"


class _Stored(pydantic.BaseModel):
    # Strict: the text "False" is no truth value, and no number is a NaN.
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class StoredScore(_Stored):
    """A score, or the reason why it is undefined; `cases` tells how many values it averages."""

    value: float | None
    reason: str | None = None
    cases: int | None = None


class TrialRecord(_Stored):
    """One finished trial.

    Attributes:
        scores: Metric to score on the test fold.
        oracle: Scores of the true risk on the same test fold, for simulated data.
        recovery: Factor of a known hazard to the rank correlation of the predicted risk with it.
        oracle_recovery: The same of the true risk.
        phase_seconds: Wall-clock seconds of `prepare`, `fit`, `predict`, `predict training`
            (risks of the other cases, for cut points) and `score`.
        peak_memory_mib: Largest resident memory of the process until the trial ended.
        method_sha256: Of the model, options, recipe, geometry and versions in `run.json`.
        notes: What the trial warned of, each warning once.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    key: str
    repeat: int
    fold: int
    seed: int
    split_sha256: str
    method_sha256: str
    cases: dict[str, int]
    events: dict[str, int]
    scores: dict[str, StoredScore]
    oracle: dict[str, StoredScore]
    recovery: dict[str, StoredScore] = {}
    oracle_recovery: dict[str, StoredScore] = {}
    simulated: bool
    phase_seconds: dict[str, float]
    peak_memory_mib: float
    device: str
    platform: dict[str, str]
    git: str | None
    notes: tuple[str, ...] = ()


class FailedTrial(_Stored):
    """A trial that crashed; it is counted, shown, and tried again by the next run."""

    schema_version: Literal[2] = SCHEMA_VERSION
    key: str
    repeat: int
    fold: int
    seed: int
    error: str
    traceback: str


class StoredProjection(_Stored):
    """How long the whole run of a profiled model would take, from its measured step.

    Attributes:
        steps: Optimiser steps of all trials if none stops early.
        seconds: Of the steps, of validation after every epoch and of all predictions, one trial
            after another; without preparing and scoring the cases.
        low: The same with the first quartile of the measured steps, `high` with the third.
    """

    trials: int
    steps: int
    seconds: float
    low: float
    high: float


class StoredProfile(_Stored):
    """What training steps of a run's model cost, measured by `mtsbench profile`.

    Attributes:
        step: Median seconds of a step; `spread` is the distance of its quartiles.
        phases: Median seconds of each phase of a step.
        volumes: Cases trained on per second.
        inference: Seconds per case.
        memory: MiB: largest resident memory of the process, or allocated on a CUDA device.
        flops: Operations of a step; `bytes` read and written by its operators.
        bandwidth: Bytes per second that the machine copies; `matrix_rate` its operations per
            second in a matrix product.
        limit: `memory` or `arithmetic`, whichever bounds the step; `share` of it is reached.
        energy: Joules a step; None where nothing tells, for the reason `no_energy`.
        platform: As in a trial's record.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    device: str
    steps: int
    step: float
    spread: float
    phases: dict[str, float]
    volumes: float
    inference: float
    memory: float
    parameters: int
    flops: float
    bytes: float
    bandwidth: float
    matrix_rate: float
    limit: str
    share: float
    energy: float | None
    no_energy: str | None
    platform: dict[str, str]
    projection: StoredProjection | None = None


class RecipeChange(_Stored):
    """A training setting that is not the model's published one.

    Attributes:
        by: `preset demo`, or `--set` where the user set it.
    """

    name: str
    published: pydantic.JsonValue
    used: pydantic.JsonValue
    by: str


class Recipe(_Stored):
    """How a run trains: as its model was published, but for these changes."""

    changes: tuple[RecipeChange, ...]


class RunDescription(_Stored):
    """One run: the question asked, the method that answers it, and the trials expected.

    Attributes:
        recipe: None where the model is not trained by the engine.
        tau: Last day that is scored, in days, from the outcomes alone; None where follow-up is
            too short for one.
        horizon: Day of single-day metrics.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    name: str
    question: dict[str, pydantic.JsonValue]
    method: dict[str, pydantic.JsonValue]
    dataset_options: dict[str, pydantic.JsonValue]
    splits_sha256: str
    simulated: bool
    cases: int
    events: int
    without_outcome: int
    trials: int
    tau: float | None = None
    horizon: float | None = None
    recipe: Recipe | None = None

    def seeds(self) -> tuple[int, ...]:
        """Training seeds of the protocol. DataError where the question names none."""
        protocol = self.question.get("protocol")
        seeds = protocol.get("seeds") if isinstance(protocol, dict) else None
        if not isinstance(seeds, list):
            raise DataError(
                f"{DESCRIPTION} of the run {self.name} names no seeds; give its `mtsbench run` "
                "command again with another --out"
            )
        return tuple(seed for seed in seeds if isinstance(seed, int))
