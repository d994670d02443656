"""What is extracted, and how; read from a versioned TOML file in IBSI terms."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Annotated, Literal

import pydantic
from pydantic import Field

STANDARD = "radiomics-1.toml"
Positive = Annotated[float, Field(gt=0)]
IntensityClass = Literal["firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"]


class _Settings(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Interpolation(_Settings):
    """The grid that features are measured on."""

    spacing: Positive
    margin: Annotated[float, Field(ge=0)]


class Filters(_Settings):
    """Images besides the original one."""

    wavelet: bool
    log_sigma: tuple[Positive, ...]


class Classes(_Settings):
    """Families of features; shape is measured once, the others on each image."""

    shape: bool
    intensity: tuple[IntensityClass, ...]


class RadiomicsSettings(_Settings):
    """Everything that decides a feature's value, apart from image, mask and library.

    Attributes:
        discretisation: Channel to bin width in its unit; a channel that is not named has no
            features.
    """

    version: int
    interpolation: Interpolation
    discretisation: dict[str, Positive]
    filters: Filters
    classes: Classes


def standard_settings() -> RadiomicsSettings:
    """The settings that come with the package."""
    text = files(__package__).joinpath(STANDARD).read_text()
    return RadiomicsSettings.model_validate(tomllib.loads(text))
