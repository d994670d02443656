"""What is extracted, and how; read from a versioned TOML file in IBSI terms."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from mtsbench.errors import OptionError

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
    return _parse(files(__package__).joinpath(STANDARD).read_text(), STANDARD)


def read_settings(path: Path) -> RadiomicsSettings:
    """Settings from a file like `radiomics-1.toml`.

    Raises:
        OptionError: The file cannot be read, or a setting is missing, unknown or does not fit.
    """
    try:
        return _parse(path.read_text(), str(path))
    except (OSError, UnicodeError) as error:
        raise OptionError(f"cannot read {path}: {error}; give a file like {STANDARD}") from error


def _parse(text: str, name: str) -> RadiomicsSettings:
    try:
        return RadiomicsSettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{name} is no TOML ({error}); give a file like {STANDARD}") from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise OptionError(
            f"{name}: {where}: {first['msg']}; give a file like {STANDARD}"
        ) from error
