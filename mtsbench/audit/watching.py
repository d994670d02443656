"""Notes what a model asks a dataset for while it is fitted or predicts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mtsbench.errors import PluginError
from mtsbench.preprocessing import CaseCache

if TYPE_CHECKING:
    from mtsbench.interfaces import Dataset

SECRETS = ("outcomes", "oracle_risk", "factors")


@dataclass(kw_only=True)
class Noted:
    """What was asked for, in order, each with the place in the code that asked.

    Attributes:
        secrets: Outcomes or the known hazard.
        cases: Test cases.
        fitted: Whether `fit` came to its end.
    """

    secrets: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    fitted: bool = False


@contextmanager
def secrets_withheld(dataset: Dataset, noted: Noted) -> Iterator[None]:
    """In the block every dataset of this class refuses to tell outcomes.

    The methods of the class are replaced, so that a dataset that a model builds for itself refuses
    too. What the dataset asks of itself is let through. Not seen is a model that reads the file,
    or the dataset's attributes: `mtsbench.audit.sealed` is for those.

    Raises:
        PluginError: In the code that asks.
    """

    def refuse(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def refused(self: object, *arguments: object, **named: object) -> object:
            asking = sys._getframe(1)
            if asking.f_locals.get("self") is self:
                return original(self, *arguments, **named)
            place = f"{Path(asking.f_code.co_filename).name}:{asking.f_lineno}"
            noted.secrets.append(f"{name} at {place}")
            raise PluginError(
                f"{place} asks the dataset for {name} while a model is fitted or predicts; a "
                "model sees the outcomes that `fit` is given and no others"
            )

        return refused

    with ExitStack() as stack:
        for name in SECRETS:
            if hasattr(type(dataset), name):
                stack.enter_context(_replaced(type(dataset), name, refuse))
        yield


@contextmanager
def cases_noted(dataset: Dataset, test: frozenset[str], noted: Noted) -> Iterator[None]:
    """In the block every reading of a test case is noted; it is not refused."""

    def note(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def seen(self: object, case_id: str, *arguments: object, **named: object) -> object:
            if case_id in test:
                noted.cases.append(case_id)
            return original(self, case_id, *arguments, **named)

        return seen

    with _replaced(type(dataset), "load", note), _replaced(CaseCache, "read", note):
        yield


@contextmanager
def _replaced(
    owner: type, name: str, make: Callable[[str, Callable[..., object]], Callable[..., object]]
) -> Iterator[None]:
    """The method of a class is another one in the block."""
    defining = next(one for one in owner.__mro__ if name in vars(one))
    original = vars(defining)[name]
    setattr(defining, name, make(name, original))
    try:
        yield
    finally:
        setattr(defining, name, original)
