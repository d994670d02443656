"""A finished trial's model applied to patients without outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from mtsbench.checksums import CHECKSUMS, check_folder, write_checksums
from mtsbench.errors import CheckpointError, DamagedFileError, DataError
from mtsbench.machine import peak_memory_mib
from mtsbench.model_building import model_maker
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.records import RunDescription
from mtsbench.stored_files import check_version
from mtsbench.trial_files import MODEL, PREPROCESSING, RISK, predictions_table, write_masks

if TYPE_CHECKING:
    from mtsbench.interfaces import Dataset, Model
    from mtsbench.plugins import Components
    from mtsbench.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished trial's model and the preprocessing fitted with it."""

    description: RunDescription
    preprocessing: Preprocessing
    model: Model


def read_trained(checkpoint: Path, components: Components, device: str) -> Trained:
    """Load what a finished trial trained.

    Raises:
        CheckpointError: The folder is no finished trial, or a file of it is not what was written.
        DataError: Another mtsbench trained it.
        UnknownComponentError: The model's plugin is not installed.
    """
    described = _read(checkpoint / MODEL)
    if not (checkpoint / CHECKSUMS).exists():
        check_version(checkpoint / MODEL, described.encode())
    try:
        check_folder(checkpoint)
    except DamagedFileError as error:
        raise CheckpointError(str(error)) from error
    check_version(checkpoint / MODEL, described.encode())
    description = RunDescription.model_validate_json(described)
    preprocessing = Preprocessing.from_json(_read(checkpoint / PREPROCESSING))
    new_model = model_maker(
        str(description.method["model"]),
        cast("Mapping[str, object]", description.method["options"]),
        components,
        device,
    )
    model = new_model()
    model.load(checkpoint)
    return Trained(description=description, preprocessing=preprocessing, model=model)


def apply(
    trained: Trained,
    dataset: Dataset,
    out: Path,
    *,
    cache_folder: Path,
    workers: int,
    progress: Progress,
) -> pd.DataFrame:
    """Predict every case of a dataset and write `risk.csv` and, if segmented, `masks/`.

    `model.json` beside them says what was trained on what; `checksums.json` guards both.

    Returns:
        One row a case, highest risk first.

    Raises:
        DataError: The patients lack a channel or a clinical variable the model was trained with,
            or cannot be read.
    """
    preprocessing = trained.preprocessing
    _check_same_inputs(preprocessing, dataset)
    cache = CaseCache(cache_folder, dataset, preprocessing.settings)
    with progress.preparing() as advance:
        cache.prepare(
            preprocessing.held_out_requests(dataset.case_ids), workers=workers, progress=advance
        )
    progress.prepared(len(dataset.case_ids), peak_memory_mib())
    cohort = preprocessing.cohort(
        cache,
        dataset,
        dataset.case_ids,
        role="held-out",
        with_mask=bool(trained.description.method["needs_mask_at_test"]),
    )
    predictions = trained.model.predict(cohort)
    out.mkdir(parents=True, exist_ok=True)
    table = predictions_table(predictions, None).sort_values("risk", ascending=False)
    table.to_csv(out / RISK, index=False)
    (out / MODEL).write_text(trained.description.model_dump_json(indent=2))
    write_checksums(out, trained.description.name, (out / RISK, out / MODEL))
    if predictions.tumour_probability is not None:
        write_masks(out / "masks", predictions, cohort, dataset)
    return table


def _check_same_inputs(preprocessing: Preprocessing, dataset: Dataset) -> None:
    channels = [name for name in preprocessing.channels if name not in dataset.channels]
    if channels:
        raise DataError(
            f"the model was trained on channel {channels[0]!r}, but the dataset has only "
            f"{', '.join(dataset.channels)}"
        )
    given = {variable.name for variable in dataset.clinical_variables}
    wanted = [code.variable for code in preprocessing.clinical.codes]
    lacking = [name for name in wanted if name not in given]
    if lacking:
        raise DataError(
            f"the model was trained with the clinical variables {', '.join(wanted)}; the new "
            f"patients have no {', '.join(lacking)}. Add a table with these columns; a cell may "
            "be empty where a value is not known"
        )


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(
            f"{path} does not exist; --checkpoint takes the folder of a finished trial, "
            "runs/RUN/trials/KEY"
        ) from None
