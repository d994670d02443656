"""A dataset in memory and a model without a network: what the runner needs, in milliseconds.

Loaded by the fixture `tiny`; nothing else imports it.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
from rich.console import Console

from mtsbench.announcements import Announced, Plugin
from mtsbench.builtin import mtsbench_metrics
from mtsbench.comparison.comparable import read_run
from mtsbench.comparison.summary import score_names, summarise
from mtsbench.components import Component, ModelComponent
from mtsbench.composition import Composition, Part, TrainingSettings
from mtsbench.data import Case, ClinicalVariable, Outcomes, Predictions
from mtsbench.errors import CheckpointError, NotFittedError
from mtsbench.experiment import Request, resolve
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.plugins import Components
from mtsbench.progress import Progress
from mtsbench.report.run_page import write_run_page
from mtsbench.runner import RunOptions, run
from mtsbench.splits import make_splits
from mtsbench.store import RunStore
from mtsbench.tracking import Trackers
from mtsbench.volumes import Grid, Volume

URL = "https://example.org"
PET = Grid(size=(8, 8, 8), spacing=(4.0, 4.0, 4.0))
CT = Grid(size=(16, 16, 16), spacing=(2.0, 2.0, 2.0), origin=(-1.0, -1.0, -1.0))


class TinyDataset:
    """Case n has uptake n in a cube, and the higher the uptake, the earlier the event."""

    channels = ("pet_suv", "ct_hu")
    clinical_variables = (ClinicalVariable(name="age", kind="numeric"),)
    endpoints = ("pfs",)
    simulated = False
    natural_spacing = (4.0, 4.0, 4.0)
    natural_size = (16, 16, 16)
    test_centre = "field-of-view"

    def __init__(self, cases: int, broken: str = "") -> None:
        self.case_ids = tuple(f"T{number:02d}" for number in range(cases))
        self.broken = broken

    def load(self, case_id: str) -> Case:
        number = self.case_ids.index(case_id)
        pet = np.zeros(PET.size, np.float32)
        pet[2:6, 2:6, 2:6] = np.nan if case_id == self.broken else 1 + number
        mask = np.zeros(CT.size, np.uint8)
        mask[4:12, 4:12, 4:12] = 1
        return Case(
            case_id=case_id,
            images={
                "pet_suv": Volume(array=pet, grid=PET),
                "ct_hu": Volume(array=np.zeros(CT.size, np.int16), grid=CT),
            },
            mask=Volume(array=mask, grid=CT),
            clinical={"age": 40.0 + number},
        )

    def outcomes(self, endpoint: str) -> Outcomes:
        count = len(self.case_ids)
        return Outcomes(
            endpoint=endpoint,
            case_ids=self.case_ids,
            time=np.arange(count, 0, -1) * 10.0,
            event=np.arange(count) % 3 > 0,
        )

    def centres(self):
        return {}

    def case_fingerprint(self, case_id: str) -> str:
        return f"tiny {case_id} {self.broken}"

    def fingerprint(self) -> str:
        return f"tiny {len(self.case_ids)} {self.broken}"


class UptakeModel:
    """Risk is the mean uptake; the tumour is where uptake is above the mean.

    `fails` is a case that cannot be learnt from; as CASE:SIGNAL it kills the process of the trial
    that tests this case.
    """

    def __init__(self, fails: str) -> None:
        self.fails = fails
        self.scale: float | None = None

    def fit(self, train, validation, context) -> None:
        if self.fails and self.fails in train.cohort.case_ids:
            raise RuntimeError(f"cannot learn from {self.fails}")
        victim, _, signal = self.fails.partition(":")
        if signal and victim not in (*train.cohort.case_ids, *validation.cohort.case_ids):
            os.kill(os.getpid(), int(signal))
        self.scale = 1.0
        context.log(0, {"loss": 0.5, "validation_c_index": 0.5})

    def predict(self, cohort) -> Predictions:
        if self.scale is None:
            raise NotFittedError("fit first")
        cases = [cohort[row] for row in range(len(cohort))]
        return Predictions(
            case_ids=cohort.case_ids,
            risk=np.array([self.scale * float(case.image[0].mean()) for case in cases]),
            tumour_probability=tuple(
                (c.image[0] > c.image[0].mean()) * np.float32(1) for c in cases
            ),
        )

    def save(self, folder) -> None:
        if self.scale is None:
            raise NotFittedError("fit first")
        (folder / "scale.json").write_text(json.dumps(self.scale))

    def load(self, folder) -> None:
        if not (folder / "scale.json").is_file():
            raise CheckpointError("no scale.json")
        self.scale = json.loads((folder / "scale.json").read_text())


def build_dataset(root, *, cases: int = 24, broken: str = ""):
    return TinyDataset(cases, broken)


def build_model(*, fails: str = ""):
    return UptakeModel(fails)


class DeepInside(UptakeModel):
    composition = Composition(
        backbone=Part(name="net"),
        head=Part(name="net"),
        losses=(),
        training=TrainingSettings(epochs=77),
        paper_size=(16, 32, 48),
    )


def components(
    *, needs=frozenset(), with_parts: bool = False, dataset=build_dataset, model=build_model
) -> Components:
    announced = [
        ("dataset", Component(name="tiny", summary="Tiny", build=dataset, reference=URL)),
        (
            "model",
            ModelComponent(
                name="uptake",
                summary="Uptake",
                build=model,
                reference=URL,
                produces=frozenset({"risk", "mask"}),
                needs=needs,
            ),
        ),
        (
            "model",
            ModelComponent(
                name="deep-inside",
                summary="With a network",
                build=lambda: DeepInside(""),
                reference=URL,
            ),
        ),
        *(
            (kind, Component(name="net", summary="Net", build=list, reference=URL))
            for kind in ("backbone", "head")
            if with_parts
        ),
        *(("metric", record) for record in mtsbench_metrics()),
    ]
    return Components(
        plugins=(
            Plugin(
                entry_point="tiny",
                distribution="tiny",
                version="1.0",
                announced=tuple(
                    Announced(component=record, kind=kind, distribution="tiny", version="1.0")
                    for kind, record in announced
                ),
            ),
        )
    )


def follow(folder: Path, trackers, **settings) -> tuple[RunStore, str]:
    """Do a run of three trials with these trackers: its store, and what the user was told."""
    installed = components()
    experiment = resolve(
        Request(
            model="uptake", dataset="tiny", preset="standard", folds=3, repeats=1, settings=settings
        ),
        installed,
    )
    splits = make_splits(experiment.dataset.outcomes("pfs"), experiment.protocol, {})
    store = RunStore(folder / "run")
    progress = Progress(Console(file=io.StringIO(), width=400))
    with Trackers(trackers, progress.warn) as followed:
        options = RunOptions(
            cache_folder=folder / "cache",
            workers=2,
            save_masks=False,
            progress=progress,
            trackers=followed,
        )
        run(experiment, splits, build_metrics(installed), store, options)
        finished = read_run(store)
        page = write_run_page(finished, store.folder)
        scores = {name: summarise(finished, name) for name in score_names(finished)}
        followed.run_finished(page, scores)
    return store, progress.console.file.getvalue()
