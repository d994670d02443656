"""What every contract shares: looking the component up, and refusing to have a check removed."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from mtsbench.components import Component, Kind
from mtsbench.plugins import Components, load_components

CHECK_PREFIX = "test_"


class BrokenPromise(AssertionError):
    """A component does not do what its interface says; the message says what was found."""


class NotApplicable(unittest.SkipTest):
    """A check cannot apply; the reason names the capability that the component declares.

    pytest shows it as a skipped test with its reason.
    """


def ensure(kept: object, message: str) -> None:
    """Go on if the promise is kept.

    Raises:
        BrokenPromise: It is not.
    """
    if not kept:
        raise BrokenPromise(message)


class Contract:
    """Checks of one component, each a method `test_...` whose docstring is the promise.

    Attributes:
        kind: Set by each contract.
        component: Name of the component; an author sets it.
        options: Options that differ from the component's defaults.

    Raises:
        TypeError: A subclass replaces a check without `xfail(reason=..., strict=True)`.
    """

    kind: ClassVar[Kind]
    component: ClassVar[str]
    options: ClassVar[Mapping[str, object]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in vars(cls):
            if name in inherited_checks(cls) and not _expected_to_fail(vars(cls)[name]):
                raise TypeError(
                    f"{cls.__name__} replaces the check {name}; keep it, or mark your version with "
                    "@pytest.mark.xfail(reason=..., strict=True) and call super()"
                )

    @classmethod
    def components(cls) -> Components:
        """Where the component is looked up: everything installed, found once for a class."""
        if "_installed" not in vars(cls):
            cls._installed = load_components()
        return cls._installed

    _installed: ClassVar[Components]

    @classmethod
    def record(cls) -> Component[object]:
        """What the plugin announces of the component.

        Raises:
            TypeError: The class names no component.
            UnknownComponentError, PluginConflictError: See `Components.get`.
        """
        return cls.components().get(cls.kind, cls._named()).component

    @classmethod
    def build(cls, *supplied: object) -> object:
        """A new component, given what core supplies to its kind; raises as `Components.build`."""
        return cls.components().build(cls.kind, cls._named(), *supplied, options=cls.options)

    @classmethod
    def _named(cls) -> str:
        name = getattr(cls, "component", None)
        if name is None:
            raise TypeError(
                f"{cls.__name__} names no {cls.kind}; write component = 'NAME' in its body"
            )
        return str(name)


def inherited_checks(contract: type) -> tuple[str, ...]:
    """Names of the checks that the parents of a contract bring."""
    return tuple(
        name
        for parent in reversed(contract.__mro__[1:])
        for name in vars(parent)
        if name.startswith(CHECK_PREFIX)
    )


def checks_of(contract: type) -> tuple[str, ...]:
    """Names of all checks of a contract, in the order they are written."""
    own = tuple(name for name in vars(contract) if name.startswith(CHECK_PREFIX))
    return tuple(dict.fromkeys((*inherited_checks(contract), *own)))


def _expected_to_fail(check: object) -> bool:
    marks = getattr(check, "pytestmark", ())
    return any(
        mark.name == "xfail" and mark.kwargs.get("reason") and mark.kwargs.get("strict")
        for mark in marks
    )
