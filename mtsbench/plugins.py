"""Finds installed plugins and keeps what they announce; a broken one never hides another."""

from __future__ import annotations

import inspect
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

import pluggy

from mtsbench import __version__, builtin, hookspecs
from mtsbench.announcements import CORE, Announced, Conflict, LoadFailure, Plugin
from mtsbench.components import KINDS, Component, Kind, ModelComponent
from mtsbench.errors import (
    MtsbenchError,
    OptionError,
    PluginConflictError,
    PluginError,
    UnknownComponentError,
    one_line,
)
from mtsbench.options import Value, did_you_mean, option_types, validate

GROUP = "mtsbench"
HOOK_PREFIX = "mtsbench_"
NAMES_IN_MESSAGE = 12
NO_OPTIONS: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Components:
    """All that is installed, by kind and name."""

    plugins: tuple[Plugin, ...]

    @property
    def failures(self) -> tuple[LoadFailure, ...]:
        """Plugins that could not be loaded."""
        return tuple(one.failure for one in self.plugins if one.failure is not None)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Names announced more than once."""
        return tuple(
            Conflict(kind=kind, name=name, announced=tuple(found))
            for (kind, name), found in self._announced.items()
            if len(found) > 1
        )

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Names of a kind, sorted, without those in conflict."""
        return tuple(
            name
            for (found_kind, name), found in self._by_name.items()
            if found_kind == kind and len(found) == 1
        )

    def all(self, kind: Kind) -> tuple[Announced, ...]:
        """Components of a kind, sorted by name, without those in conflict."""
        return tuple(self._by_name[kind, name][0] for name in self.names(kind))

    def matching(self, text: str) -> Components:
        """Only the components whose names contain this text, in upper or lower case."""
        wanted = text.lower()
        return Components(
            plugins=tuple(
                replace(
                    plugin,
                    announced=tuple(
                        one for one in plugin.announced if wanted in one.component.name
                    ),
                )
                for plugin in self.plugins
            )
        )

    def get(self, kind: Kind, name: str) -> Announced:
        """The component of this kind and name.

        Raises:
            UnknownComponentError: No plugin that could be loaded announces it.
            PluginConflictError: More than one does.
        """
        found = self._by_name.get((kind, name), ())
        if len(found) == 1:
            return found[0]
        if found:
            raise PluginConflictError(str(Conflict(kind=kind, name=name, announced=tuple(found))))
        raise UnknownComponentError(self._unknown(kind, name))

    def options(
        self, kind: Kind, name: str, given: Mapping[str, object] = NO_OPTIONS
    ) -> dict[str, Value]:
        """Every option of a component: the given values, checked, else the defaults.

        Raises:
            OptionError: An option does not exist or its value does not fit.
            UnknownComponentError, PluginConflictError: See `get`.
        """
        return validate(f"{kind} {name!r}", self.get(kind, name).component.build, given)

    def build(
        self,
        kind: Kind,
        name: str,
        *supplied: object,
        options: Mapping[str, object] = NO_OPTIONS,
    ) -> object:
        """Make a component.

        Args:
            kind: The component's kind.
            name: The component's name.
            supplied: What core gives to a component of this kind; see `mtsbench.hookspecs`.
            options: Options that differ from the defaults.

        Raises:
            PluginError: `build` raised something that is not an MtsbenchError.
            OptionError: See `options`.
            UnknownComponentError, PluginConflictError: See `get`.
        """
        found = self.get(kind, name)
        checked = self.options(kind, name, options)
        try:
            return found.component.build(*supplied, **checked)
        except MtsbenchError:
            raise
        except Exception as error:
            raise PluginError(
                f"{kind} {name!r} ({found.distribution} {found.version}) cannot be built: "
                f"{one_line(error)}"
            ) from error

    @cached_property
    def _by_name(self) -> Mapping[tuple[Kind, str], list[Announced]]:
        """As announced, but a name of core's own is core's alone."""
        kept = {(one.kind, one.name): list(one.kept) for one in self.conflicts if one.kept}
        return {**self._announced, **kept}

    @cached_property
    def _announced(self) -> Mapping[tuple[Kind, str], list[Announced]]:
        found: defaultdict[tuple[Kind, str], list[Announced]] = defaultdict(list)
        for plugin in self.plugins:
            for one in plugin.announced:
                found[one.kind, one.component.name].append(one)
        return dict(sorted(found.items()))

    def _unknown(self, kind: Kind, name: str) -> str:
        names = self.names(kind)
        installed = ", ".join(names[:NAMES_IN_MESSAGE]) or "none"
        if len(names) > NAMES_IN_MESSAGE:
            installed += (
                f" and {len(names) - NAMES_IN_MESSAGE} more (`mtsbench list {plural(kind)}`)"
            )
        sentences = [
            f"no {kind} is called {name!r}.{did_you_mean(name, names)}",
            f"Installed: {installed}.",
            *(f"{failure}." for failure in self.failures),
            *(
                f"Plugin {one.entry_point!r} is switched off by MTSBENCH_DISABLE."
                for one in self.plugins
                if one.disabled
            ),
        ]
        return " ".join(sentences)


def plural(kind: Kind) -> str:
    """The kind as hooks and `mtsbench list` call it."""
    return "losses" if kind == "loss" else f"{kind}s"


def load_components(*, strict: bool | None = None) -> Components:
    """Load every installed plugin and core's own metrics.

    The environment variable MTSBENCH_DISABLE lists entry points to leave out, separated by commas.

    Args:
        strict: Whether a failure or a conflict is an error; None asks the environment variable
            MTSBENCH_STRICT (0 or 1).

    Raises:
        PluginError: `strict`, and a plugin cannot be loaded.
        PluginConflictError: `strict`, and a name is announced twice.
        OptionError: MTSBENCH_STRICT is neither 0 nor 1.
    """
    strict = _strict_by_environment() if strict is None else strict
    disabled = {name.strip() for name in os.environ.get("MTSBENCH_DISABLE", "").split(",")}
    plugins = [
        Plugin(
            entry_point="builtin",
            distribution=CORE,
            version=__version__,
            announced=tuple(_announced(builtin, CORE, __version__)),
        )
    ]
    # entry_points() counts a distribution that lies on sys.path twice once.
    for entry_point in sorted(entry_points(group=GROUP), key=_origin):
        distribution, version, name = _origin(entry_point)
        if name in disabled:
            plugins.append(
                Plugin(entry_point=name, distribution=distribution, version=version, disabled=True)
            )
        else:
            plugins.append(_load(entry_point, strict))
    components = Components(plugins=tuple(plugins))
    if strict and components.conflicts:
        raise PluginConflictError(str(components.conflicts[0]))
    return components


def _strict_by_environment() -> bool:
    found = os.environ.get("MTSBENCH_STRICT", "0")
    if found not in ("", "0", "1"):
        raise OptionError(f"environment variable MTSBENCH_STRICT must be 0 or 1, got {found!r}")
    return found == "1"


def _origin(entry_point: EntryPoint) -> tuple[str, str, str]:
    """Distribution, version and name of an entry point."""
    distribution = entry_point.dist
    if distribution is None:
        return ("unknown", "unknown", entry_point.name)
    return (distribution.name, distribution.version, entry_point.name)


def _load(entry_point: EntryPoint, strict: bool) -> Plugin:
    distribution, version, name = _origin(entry_point)
    announced: tuple[Announced, ...] = ()
    failure = None
    try:
        announced = tuple(_announced(entry_point.load(), distribution, version))
    except (Exception, SystemExit) as error:
        failure = LoadFailure(
            entry_point=name, distribution=distribution, version=version, cause=one_line(error)
        )
        if strict:
            raise PluginError(str(failure)) from error
    return Plugin(
        entry_point=name,
        distribution=distribution,
        version=version,
        announced=announced,
        failure=failure,
    )


def _announced(plugin: object, distribution: str, version: str) -> Iterator[Announced]:
    # A manager of its own: whatever goes wrong here cannot touch another plugin's hooks.
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    _reject_dead_hooks(plugin, manager)
    manager.register(plugin)
    manager.check_pending()
    for kind in KINDS:
        for component in _call(manager, kind):
            yield Announced(
                component=component, kind=kind, distribution=distribution, version=version
            )


def _reject_dead_hooks(plugin: object, manager: pluggy.PluginManager) -> None:
    """A function that looks like a hook but that pluggy would pass over is a mistake."""
    hooks = [f"{HOOK_PREFIX}{plural(kind)}" for kind in KINDS]
    for name in dir(plugin):
        if not name.startswith(HOOK_PREFIX) or not inspect.isroutine(getattr(plugin, name)):
            continue
        if name not in hooks:
            raise PluginError(f"no hook is called {name!r}.{did_you_mean(name, hooks)}")
        if manager.parse_hookimpl_opts(plugin, name) is None:
            raise PluginError(f"{name} is not marked with @mtsbench.hookspecs.hookimpl")


def _call(manager: pluggy.PluginManager, kind: Kind) -> list[Component[object]]:
    """What one plugin announces through one hook, checked."""
    hook = f"{HOOK_PREFIX}{plural(kind)}"
    expected = ModelComponent if kind == "model" else Component
    try:
        records = [record for records in getattr(manager.hook, hook)() for record in records]
    except Exception as error:
        raise PluginError(f"{hook} raised {one_line(error)}") from error
    for record in records:
        if not isinstance(record, expected):
            raise PluginError(
                f"{hook} must give records of type {expected.__name__}, "
                f"got a {type(record).__name__}"
            )
        try:
            option_types(record.build)
        except Exception as error:
            raise PluginError(
                f"`build` of {kind} {record.name!r} cannot be used: {one_line(error)}"
            ) from error
    return records
