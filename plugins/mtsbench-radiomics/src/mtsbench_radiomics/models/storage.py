"""How a fitted table model lies on disk: JSON, and for ensembles of trees a training table."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pandas as pd
import pydantic

from mtsbench.errors import CheckpointError
from mtsbench_radiomics.estimators.design import Design
from mtsbench_radiomics.estimators.icare import VotingFit
from mtsbench_radiomics.estimators.linear import LinearFit
from mtsbench_radiomics.estimators.marginal import MarginalFit
from mtsbench_radiomics.models.preparation import Preparation
from mtsbench_radiomics.models.tuning import Choice

if TYPE_CHECKING:
    from mtsbench_radiomics.estimators.design import Fitted

STATE, TRAINING = "table_model.json", "training_table.parquet"
FEATURE = "feature:"
SAME = 1e-9
AGAIN = "train the model again or restore the file"

StoredFit = LinearFit | VotingFit | MarginalFit


class StoredModel(pydantic.BaseModel):
    """What the JSON file holds.

    Attributes:
        method: The model's name and options; a folder of another method is refused.
        seed: Of the fit.
        missing: Training case to why its features were imputed.
        fit: None for an ensemble of trees, which is fitted again from the training table.
        training_sha256: Checksum of the training table's file, where there is one.
        libraries: Versions with which the model was fitted.
        sha256: Checksum of all the rest.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    method: str
    seed: int
    missing: dict[str, str]
    preparation: Preparation
    choice: Choice
    fit: Annotated[StoredFit, pydantic.Field(discriminator="kind")] | None
    training_sha256: str | None
    libraries: dict[str, str]
    sha256: str = ""

    def digest(self) -> str:
        """What `sha256` must be."""
        text = self.model_dump_json(exclude={"sha256"})
        return hashlib.sha256(text.encode()).hexdigest()


def library_versions() -> dict[str, str]:
    """The libraries that decide what a fit gives."""
    return {name: version(name) for name in ("scikit-survival", "scikit-learn", "numpy")}


def write_state(folder: Path, state: StoredModel) -> None:
    """Write the JSON file."""
    sealed = state.model_copy(update={"sha256": state.digest()})
    (folder / STATE).write_text(sealed.model_dump_json(indent=1))


def read_state(folder: Path, method: str) -> StoredModel:
    """The stored state of a model of this method.

    Raises:
        CheckpointError: The file is missing or damaged, or of another method.
    """
    path = folder / STATE
    try:
        state = StoredModel.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"{path} is missing; expected a model that was saved") from None
    except pydantic.ValidationError as error:
        raise CheckpointError(f"{path} is damaged ({error.errors()[0]['msg']}); {AGAIN}") from error
    if state.digest() != state.sha256:
        raise CheckpointError(f"{path} is damaged: its checksum differs; {AGAIN}")
    if state.method != method:
        raise CheckpointError(
            f"{path} holds the model {state.method}, but the model asked for is {method}; use the "
            "options it was trained with"
        )
    return state


def write_training(folder: Path, design: Design, fitted: Fitted) -> str:
    """Write the training table with the fitted risks; the file's checksum.

    Case ids are left out: the fit does not need them.
    """
    columns: dict[str, object] = {
        "time": design.time,
        "event": design.event,
        "risk": fitted.risk(design.values),
    }
    for name, column in zip(design.names, design.values.T, strict=True):
        columns[FEATURE + name] = column
    pd.DataFrame(columns).to_parquet(folder / TRAINING, index=False)
    return _sha256(folder / TRAINING)


def read_training(folder: Path, state: StoredModel) -> tuple[Design, np.ndarray]:
    """The training table and the risks (N,) that a fit must give again.

    Raises:
        CheckpointError: The file is missing or is not the one that was written.
    """
    path = folder / TRAINING
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; the model is fitted again from it")
    if _sha256(path) != state.training_sha256:
        raise CheckpointError(f"{path} is damaged: its checksum is not that in {STATE}; {AGAIN}")
    frame = pd.read_parquet(path)
    names = state.preparation.names
    design = Design(
        names=names,
        values=frame[[FEATURE + name for name in names]].to_numpy(dtype=np.float64),
        time=frame["time"].to_numpy(dtype=np.float64),
        event=frame["event"].to_numpy(dtype=np.bool_),
    )
    return design, frame["risk"].to_numpy(dtype=np.float64)


def check_same_fit(folder: Path, state: StoredModel, found: np.ndarray, stored: np.ndarray) -> None:
    """Refuse a second fit that is not the first.

    Raises:
        CheckpointError: The training risks (N,) differ.
    """
    difference = float(np.abs(found - stored).max())
    if difference > SAME * max(1.0, float(np.abs(stored).max())):
        then = ", ".join(f"{name} {number}" for name, number in state.libraries.items())
        now = ", ".join(f"{name} {number}" for name, number in library_versions().items())
        raise CheckpointError(
            f"{folder / TRAINING}: fitted again, the model gives risks that differ by up to "
            f"{difference:.3g}. It was trained with {then}; installed are {now}. Install the "
            "former or train the model again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
