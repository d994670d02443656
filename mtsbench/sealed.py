"""One JSON file that carries the checksum of what it says."""

from __future__ import annotations

import hashlib
from typing import Generic, TypeVar

import pydantic

Content = TypeVar("Content", bound=pydantic.BaseModel)


class Sealed(pydantic.BaseModel, Generic[Content]):
    """What is stored, and its checksum: a changed value is noticed when it is read.

    Attributes:
        sha256: Of the content as JSON without spaces.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    sha256: str
    content: Content

    @pydantic.model_validator(mode="after")
    def _check(self) -> Sealed[Content]:
        if self.sha256 != _sum(self.content):
            raise ValueError("its checksum differs, so it is not what was written")
        return self


def seal(content: pydantic.BaseModel) -> bytes:
    """The JSON text to store."""
    return (
        Sealed[pydantic.SerializeAsAny[pydantic.BaseModel]](sha256=_sum(content), content=content)
        .model_dump_json(indent=1)
        .encode()
    )


def _sum(content: pydantic.BaseModel) -> str:
    return hashlib.sha256(content.model_dump_json().encode()).hexdigest()
