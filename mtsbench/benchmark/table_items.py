"""Work on processors alone: features of a region, concordance, bootstrap."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtsbench.benchmark.records import Measurement
from mtsbench.benchmark.timing import repeat
from mtsbench.benchmark.training_part import native_in_memory, prepare, rows
from mtsbench.comparison.bootstrap import bootstrap_differences
from mtsbench.metrics.antolini import antolini_c
from mtsbench.metrics.brier import integrated_brier_score
from mtsbench.metrics.censoring import choose_tau, evaluation_grid
from mtsbench.metrics.concordance import concordance, uno_c
from mtsbench.metrics.curves import survival_at
from mtsbench.plugins import load_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mtsbench.benchmark.records import Protocol

RADIOMICS = "radiomics-coxnet"
DAYS = 3650.0
GRID_DAYS = 100


def radiomics(protocol: Protocol) -> Measurement:
    """Features of one patient inside the true mask, and the risk that a fitted model gives them.

    The feature plugin is asked as any model is. Its linear risk is a small part of the time.
    """
    with tempfile.TemporaryDirectory(prefix="mtsbench-benchmark-") as folder:
        part = prepare(RADIOMICS, load_components(), Path(folder), voxels=32, device="cpu")
        patients = native_in_memory(part.cohort)
        model = part.experiment.new_model()
        half = len(patients) // 2
        model.fit(rows(patients, slice(half)), rows(patients, slice(half, None)), part.context)
        one = rows(patients, slice(1)).cohort
        found = repeat(lambda: model.predict(one), protocol)
    case = one.read_native(one.case_ids[0])
    mask = case.mask
    assert mask is not None  # the cohort shows masks, and the model was fitted inside them
    volume = float(np.count_nonzero(mask.array) * np.prod(mask.grid.spacing) / 1000)
    return found.model_copy(update={"details": {"region_ml": volume}})


def harrell(protocol: Protocol, *, patients: int) -> Measurement:
    """Harrell's C with pair counts and influence."""
    risk, time, event = follow_up(patients)
    return repeat(lambda: concordance(risk, time, event), protocol)


def uno(protocol: Protocol, *, patients: int) -> Measurement:
    """Uno's C, the censoring distribution included."""
    risk, time, event = follow_up(patients)
    tau = choose_tau(time, event)
    return repeat(lambda: uno_c(risk, time, event, tau=tau), protocol)


def antolini(protocol: Protocol, *, patients: int) -> Measurement:
    """Antolini's C of whole curves."""
    risk, time, event = follow_up(patients)
    days, curves = survival_curves(risk)
    return repeat(lambda: antolini_c(curves, days, time, event, reading="linear"), protocol)


def brier(protocol: Protocol, *, patients: int) -> Measurement:
    """Integrated Brier score up to tau, the censoring distribution included."""
    risk, time, event = follow_up(patients)
    grid = evaluation_grid(choose_tau(time, event))
    days, curves = survival_curves(risk)
    on_grid = survival_at(grid, curves, days, reading="linear")
    return repeat(lambda: integrated_brier_score(on_grid, grid, time, event), protocol)


def bootstrap(protocol: Protocol, *, patients: int, samples: int) -> Measurement:
    """Difference of two models' C in samples of patients."""
    risk, time, event = follow_up(patients)
    other = risk + np.random.default_rng(1).normal(0, 1, patients)

    def draw() -> NDArray[np.float64]:
        random = np.random.default_rng(2)
        return bootstrap_differences((risk, other), time, event, random=random, samples=samples)

    return repeat(draw, protocol)


def follow_up(
    patients: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Random risk, days and event: exponential onset, half censored or so, whole days."""
    random = np.random.default_rng(0)
    risk = random.normal(0, 1, patients)
    onset = random.exponential(1500 * np.exp(-risk))
    censored = random.uniform(0, DAYS, patients)
    time = np.ceil(np.minimum(onset, censored))
    return risk, time, onset <= censored


def survival_curves(
    risk: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Days and the exponential survival (N, T) that belongs to the risks of `follow_up`."""
    days = np.linspace(0, DAYS, GRID_DAYS)
    return days, np.exp(-days / 1500 * np.exp(risk)[:, None])
