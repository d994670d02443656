"""Weights on disk: safetensors beside a JSON description with their checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import pydantic
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mtsbench.composition import Precision
from mtsbench.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS, DESCRIPTION = "checkpoint.safetensors", "network.json"


class NetworkDescription(pydantic.BaseModel):
    """What must be known to build the network that the weights belong to, and to predict with it.

    Attributes:
        format: Of this file.
        parts: What decides the function that the weights parametrise.
        channels: Image channels that the network sees.
        clinical_features: Clinical features that the network sees.
        precision: In which it was fitted; None in files of format 1, which do not say it.
        batch_size: Cases at once; None in files of format 1.
        weights_sha256: Checksum of the weights' file.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    format: Literal[1, 2] = 2
    parts: dict[str, str]
    channels: int
    clinical_features: int
    precision: Precision | None = None
    batch_size: Annotated[int, pydantic.Field(ge=1)] | None = None
    weights_sha256: str

    @pydantic.model_validator(mode="after")
    def _says_how_to_predict(self) -> Self:
        if self.format > 1 and (self.precision is None or self.batch_size is None):
            raise ValueError("precision and batch_size are missing")
        return self


def save_network(
    network: nn.Module,
    folder: Path,
    *,
    parts: dict[str, str],
    channels: int,
    clinical_features: int,
    precision: Precision,
    batch_size: int,
) -> None:
    """Write weights and description into an existing folder."""
    state = {name: value.contiguous().cpu() for name, value in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    description = NetworkDescription(
        parts=parts,
        channels=channels,
        clinical_features=clinical_features,
        precision=precision,
        batch_size=batch_size,
        weights_sha256=_sha256(folder / WEIGHTS),
    )
    (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2))


def read_description(folder: Path, parts: dict[str, str]) -> NetworkDescription:
    """The description of a stored network, checked against the weights beside it.

    Raises:
        CheckpointError: A file is missing or damaged, or the network has other parts.
    """
    for name in (DESCRIPTION, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder / name} is missing; a checkpoint holds both files")
    try:
        description = NetworkDescription.model_validate_json((folder / DESCRIPTION).read_bytes())
    except pydantic.ValidationError as error:
        raise CheckpointError(
            f"{folder / DESCRIPTION} is damaged ({error.error_count()} faults, first: "
            f"{error.errors()[0]['msg']}); train the model again or restore the file"
        ) from error
    if _sha256(folder / WEIGHTS) != description.weights_sha256:
        raise CheckpointError(
            f"{folder / WEIGHTS} is damaged: its checksum is not the one in {DESCRIPTION}; "
            "train the model again or restore the file"
        )
    if description.parts != parts:
        raise CheckpointError(
            f"{folder} holds a network of {description.parts}, but the model is made of {parts}; "
            "use the options the checkpoint was trained with"
        )
    return description


def load_weights(network: nn.Module, folder: Path) -> None:
    """Load the stored weights into a network of the same shape.

    Raises:
        CheckpointError: The file cannot be read or its tensors do not fit the network.
    """
    try:
        state: dict[str, Tensor] = load_file(folder / WEIGHTS)
        network.load_state_dict(state)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise CheckpointError(
            f"{folder / WEIGHTS} does not fit the network: {_first_fault(error)}; was it "
            "trained with another version of the plugin?"
        ) from error


def _first_fault(error: Exception) -> str:
    """What is wrong; torch says it in the lines after "Error(s) in loading state_dict"."""
    lines = str(error).splitlines()
    return lines[min(1, len(lines) - 1)].strip().rstrip(".")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
