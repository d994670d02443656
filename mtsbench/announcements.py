"""What a plugin announces, and why a plugin or a name offers nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mtsbench.components import Component, Kind


@dataclass(frozen=True, kw_only=True)
class Announced:
    """A component and the distribution that answers for it."""

    component: Component[object]
    kind: Kind
    distribution: str
    version: str


@dataclass(frozen=True, kw_only=True)
class LoadFailure:
    """Why a plugin offers nothing; `cause` is one line."""

    entry_point: str
    distribution: str
    version: str
    cause: str

    def __str__(self) -> str:
        return (
            f"Plugin {self.entry_point!r} ({self.distribution} {self.version}) "
            f"failed to load: {self.cause}"
        )


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Components of one kind and name; none of them is used, so that a result has one author."""

    kind: Kind
    name: str
    announced: tuple[Announced, ...]

    def __str__(self) -> str:
        sources = " and ".join(f"{one.distribution} {one.version}" for one in self.announced)
        return (
            f"{self.kind} {self.name!r} is announced by {sources}; a name needs one author, so it "
            "is withheld: uninstall one, or switch one plugin off with MTSBENCH_DISABLE=PLUGIN "
            "(names: `mtsbench list plugins`)"
        )


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An entry point of group `mtsbench` and what became of it.

    Attributes:
        announced: Everything it announced, components in conflict included.
        disabled: Switched off with MTSBENCH_DISABLE.
    """

    entry_point: str
    distribution: str
    version: str
    announced: tuple[Announced, ...] = ()
    failure: LoadFailure | None = None
    disabled: bool = False
