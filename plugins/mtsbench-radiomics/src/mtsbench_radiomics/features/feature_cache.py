"""Features on disk, named for all that they depend on."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pydantic

from mtsbench_radiomics.features.extraction import CaseFeatures

if TYPE_CHECKING:
    from mtsbench.data import Case
    from mtsbench.volumes import Volume
    from mtsbench_radiomics.features.settings import RadiomicsSettings

FORMAT = 2  # raise it whenever the same inputs would give other features
FOLDER = "radiomics"
_log = logging.getLogger(__name__)


class _Entry(pydantic.BaseModel):
    """What is stored of a case.

    Attributes:
        sha256: Of the values and the reason: a changed number is noticed.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    values: dict[str, float]
    reason: str | None
    sha256: str = ""

    def sum(self) -> str:
        """What `sha256` must be."""
        return hashlib.sha256(self.model_dump_json(exclude={"sha256"}).encode()).hexdigest()

    def check(self) -> None:
        """ValueError if it is not what was written."""
        if self.sha256 != self.sum():
            raise ValueError("its checksum differs")


def cached(
    folder: Path | None,
    case: Case,
    mask: Volume,
    settings: RadiomicsSettings,
    extract: Callable[[Case, Volume, RadiomicsSettings], CaseFeatures],
) -> CaseFeatures:
    """Stored features of these very voxels, else those that `extract` gives, which are stored.

    A damaged file is replaced, with a warning in the log.
    """
    if folder is None:
        return extract(case, mask, settings)
    path = folder / FOLDER / f"{_key(case, mask, settings)}.json"
    try:
        entry = _Entry.model_validate_json(path.read_bytes())
        entry.check()
        return CaseFeatures(values=entry.values, reason=entry.reason)
    except FileNotFoundError:
        pass
    except ValueError as error:  # pydantic's are such too
        _log.warning(
            "case %r: %s is damaged (%s); the features are extracted again",
            case.case_id,
            path,
            str(error).splitlines()[0],
        )
    features = extract(case, mask, settings)
    entry = _Entry(values=dict(features.values), reason=features.reason)
    _write(path, entry.model_copy(update={"sha256": entry.sum()}))
    return features


def _key(case: Case, mask: Volume, settings: RadiomicsSettings) -> str:
    digest = hashlib.sha256()
    facts = {
        "format": FORMAT,
        "flash-radiomics": version("flash-radiomics"),
        "settings": settings.model_dump(mode="json"),
    }
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, volume in (*sorted(case.images.items()), ("mask", mask)):
        array = np.ascontiguousarray(volume.array)
        digest.update(f"{name} {volume.grid} {array.dtype} {array.shape}".encode())
        digest.update(array.view(np.uint8).data)
    return digest.hexdigest()


def _write(path: Path, entry: _Entry) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    try:
        temporary.write_text(entry.model_dump_json())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
