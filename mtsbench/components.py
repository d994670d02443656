"""The records with which a plugin announces its components."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar, get_args

from mtsbench.errors import PluginError

T_co = TypeVar("T_co", covariant=True)

NAME_PATTERN = re.compile(r"[a-z0-9]+(?:[-:._][a-z0-9]+)*")
Kind = Literal["dataset", "backbone", "head", "loss", "model", "metric", "executor", "tracker"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Product = Literal["risk", "survival", "mask"]
Need = Literal["image", "pet_suv", "ct_hu", "training-masks", "clinical"]


@dataclass(frozen=True, kw_only=True)
class Component(Generic[T_co]):
    """One thing a plugin offers, announced without building it.

    Attributes:
        name: Lower-case words joined by `-`; `:`, `.` and `_` may join parts of a family name.
        summary: One line of at most 80 characters for `mtsbench list`.
        build: Makes the component. Positional parameters are what core supplies (see
            `mtsbench.hookspecs`); keyword-only parameters are the component's options: each
            needs a type and a default, and is set with `--set name=value`. Import heavy packages
            inside it.
        reference: DOI or URL of the paper or software.
        facts: What `mtsbench show` tells besides, e.g. {"parameters": "33,166,785"}.

    Raises:
        PluginError: A malformed name, an empty or long summary, a reference that is no URL.
    """

    name: str
    summary: str
    build: Callable[..., T_co]
    reference: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise PluginError(
                f"component name must be lower-case words joined by '-', got {self.name!r}"
            )
        if not 0 < len(self.summary) <= 80 or "\n" in self.summary:
            raise PluginError(
                f"component {self.name!r} needs a one-line summary of 1 to 80 characters, "
                f"got {len(self.summary)}"
            )
        if not self.reference.startswith(("https://", "http://")):
            raise PluginError(
                f"component {self.name!r} needs a DOI or other URL as reference, "
                f"got {self.reference!r}"
            )


@dataclass(frozen=True, kw_only=True)
class ModelComponent(Component[T_co]):
    """A model, with what it needs and gives.

    Attributes:
        needs: What a dataset must have: any image, a channel of this name, tumour masks of all
            training cases, or clinical variables.
        needs_mask_at_test: Reads the true tumour mask of a *test* case.
        needs_gpu: Cannot be trained on a CPU in a useful time even with preset `demo`.
        produces: What `Predictions` of this model hold.
        ranks_cases: False for a method that gives every case the same risk, as the Kaplan-Meier
            curve of the cohort does.
    """

    produces: frozenset[Product] = frozenset({"risk"})
    needs: frozenset[Need] = frozenset()
    needs_mask_at_test: bool = False
    needs_gpu: bool = False
    ranks_cases: bool = True
