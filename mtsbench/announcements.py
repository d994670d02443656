"""What a plugin announces, and why a plugin or a name offers nothing."""

from __future__ import annotations

from dataclasses import dataclass

from mtsbench.components import Component, Kind

CORE = "mtsbench"  # the distribution whose components are not a plugin's


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
    """Components of one kind and name, of which none is used, so that a result has one author.

    A name of core's own stays core's: no plugin can take a metric from every run.
    """

    kind: Kind
    name: str
    announced: tuple[Announced, ...]

    @property
    def kept(self) -> tuple[Announced, ...]:
        """Core's own component, if it is one of them."""
        return tuple(one for one in self.announced if one.distribution == CORE)[:1]

    @property
    def withheld(self) -> tuple[Announced, ...]:
        """Those that cannot be used."""
        return tuple(one for one in self.announced if one not in self.kept)

    def __str__(self) -> str:
        sources = " and ".join(f"{one.distribution} {one.version}" for one in self.announced)
        if self.kept:
            return (
                f"{self.kind} {self.name!r} is announced by {sources}; it is core's own name, so "
                "only core's is used: give the other another name"
            )
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
