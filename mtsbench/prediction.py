"""A finished trial's model applied to patients without outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd
import pydantic

from mtsbench.errors import CheckpointError, DataError
from mtsbench.experiment import model_maker
from mtsbench.preprocessing import CaseCache, Preprocessing
from mtsbench.records import RunDescription
from mtsbench.trial_files import MODEL, PREPROCESSING, predictions_table, write_masks

if TYPE_CHECKING:
    from mtsbench.interfaces import Dataset
    from mtsbench.plugins import Components
    from mtsbench.progress import Progress


def apply_checkpoint(
    checkpoint: Path,
    components: Components,
    *,
    dataset_name: str | None,
    data_root: Path | None,
    dataset_options: Mapping[str, str],
    out: Path,
    device: str,
    cache_folder: Path,
    workers: int,
    progress: Progress,
) -> pd.DataFrame:
    """Predict every case of a dataset and write `risk.csv` and, if segmented, `masks/`.

    Returns:
        One row a case, highest risk first.

    Raises:
        CheckpointError: The folder is no finished trial, or a file of it is damaged.
        DataError: The patients lack a channel the model was trained on, or cannot be read.
    """
    trained = _read_description(checkpoint)
    name = dataset_name or str(trained.question["dataset"])
    dataset = cast("Dataset", components.build("dataset", name, data_root, options=dataset_options))
    preprocessing = Preprocessing.from_json(_read(checkpoint / PREPROCESSING))
    missing = [c for c in preprocessing.channels if c not in dataset.channels]
    if missing:
        raise DataError(
            f"the model was trained on channel {missing[0]!r}, but dataset {name!r} has only "
            f"{', '.join(dataset.channels)}"
        )
    model = model_maker(
        str(trained.method["model"]),
        cast("Mapping[str, str]", trained.method["options"]),
        components,
        device,
    )()
    model.load(checkpoint)
    cache = CaseCache(cache_folder, dataset, preprocessing.settings)
    with progress.preparing() as advance:
        cache.prepare(
            preprocessing.held_out_requests(dataset.case_ids), workers=workers, progress=advance
        )
    cohort = preprocessing.cohort(
        cache,
        dataset,
        dataset.case_ids,
        role="held-out",
        with_mask=bool(trained.method["needs_mask_at_test"]),
    )
    predictions = model.predict(cohort)
    out.mkdir(parents=True, exist_ok=True)
    table = predictions_table(predictions, None).sort_values("risk", ascending=False)
    table.to_csv(out / "risk.csv", index=False)
    if predictions.tumour_probability is not None:
        write_masks(out / "masks", predictions, cohort, dataset)
    return table


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(
            f"{path} does not exist; --checkpoint takes the folder of a finished trial, "
            "runs/RUN/trials/KEY"
        ) from None


def _read_description(checkpoint: Path) -> RunDescription:
    try:
        return RunDescription.model_validate_json(_read(checkpoint / MODEL))
    except pydantic.ValidationError as error:
        raise CheckpointError(
            f"{checkpoint / MODEL} is damaged ({error.errors()[0]['msg']}); "
            "train the model again or restore the file"
        ) from error
