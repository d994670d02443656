"""Options of a component: the keyword-only parameters of its `build`, read, shown and checked."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import (
    TYPE_CHECKING,
    Annotated,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from mtsbench.errors import OptionError, PluginError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Settings = TypeVar("Settings", bound=DataclassInstance)

Value = bool | int | float | str | None | tuple["Value", ...]
NONE_TEXT = "none"
# Marks a setting or an option (in its `Annotated` type) that came later: while it has its default,
# a trial's key is what it was before.
UNSAID = types.MappingProxyType({"unsaid while default": True})
# A tuple of tuples is written 0:0.001,80:0.0001.
TUPLE_SEPARATORS = ",:"
LIMIT_WORDS = {
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "multiple_of": "a multiple of",
    "min_length": "of length >=",
    "max_length": "of length <=",
    "pattern": "matching",
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One row of `mtsbench show`."""

    name: str
    type: str
    default: Value
    description: str | None = None


def option_types(build: Callable[..., object]) -> dict[str, tuple[object, Value]]:
    """Name to (type, default) of each option, in the order of the signature.

    Raises:
        PluginError: A keyword-only parameter lacks a type or a default, or its type cannot be read.
    """
    found = [
        parameter
        for parameter in inspect.signature(build).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for parameter in found:
        if parameter.empty in (parameter.annotation, parameter.default):
            raise PluginError(f"option {parameter.name!r} needs a type and a default")
    # Only the options' types are read: those of positional parameters may be importable for type
    # checkers alone.
    holder = type("Options", (), {"__annotations__": {one.name: one.annotation for one in found}})
    try:
        hints = get_type_hints(holder, globalns=_globals(build), include_extras=True)
    except NameError as error:
        raise PluginError(
            f"the type of an option cannot be read: {error}; import it outside TYPE_CHECKING"
        ) from error
    return {one.name: (hints[one.name], one.default) for one in found}


def option_table(build: Callable[..., object]) -> tuple[Option, ...]:
    """The options of a component as `mtsbench show` lists them; raises as `option_types` does."""
    return tuple(
        _option(name, hint, default) for name, (hint, default) in option_types(build).items()
    )


def field_table(settings: DataclassInstance) -> tuple[Option, ...]:
    """The fields of a settings record, with this record's values as defaults."""
    hints = get_type_hints(type(settings), include_extras=True)
    return tuple(_option(name, hint, getattr(settings, name)) for name, hint in hints.items())


def validate(
    label: str, build: Callable[..., object], given: Mapping[str, object]
) -> dict[str, Value]:
    """Every option of a component: the given values, checked and converted, else the defaults.

    Args:
        label: How messages name the component, e.g. "model 'deepmts'".
        build: The component's `build`.
        given: Text of the command line is converted to the option's type; `none` stands for None,
            and items of a tuple are separated by commas (those of inner tuples by colons).

    Raises:
        OptionError: An option does not exist or its value does not fit.
        PluginError: See `option_types`.
    """
    parameters = option_types(build)
    hints = {name: hint for name, (hint, _) in parameters.items()}
    defaults = {name: default for name, (_, default) in parameters.items()}
    return defaults | _checked(label, hints, given)


def said_options(build: Callable[..., object], values: Mapping[str, Value]) -> dict[str, Value]:
    """The options that enter a key: one marked `UNSAID` only where it differs from its default."""
    return {
        name: values[name]
        for name, (hint, default) in option_types(build).items()
        if UNSAID not in getattr(hint, "__metadata__", ()) or values[name] != default
    }


def replace_fields(settings: Settings, given: Mapping[str, object], label: str) -> Settings:
    """A copy of a frozen record with some fields replaced, checked as options are.

    Args:
        settings: The record to copy.
        given: Field name to new value; text is converted as in `validate`.
        label: How messages name the record, e.g. "training".

    Raises:
        OptionError: A field does not exist, its value does not fit, or the record refuses it.
    """
    hints = get_type_hints(type(settings), include_extras=True)
    changes = _checked(label, hints, given)
    try:
        return replace(settings, **changes)
    except ValueError as error:
        raise OptionError(f"{label}: {error}") from error


def parse_assignments(texts: Sequence[str]) -> dict[str, str]:
    """The NAME=VALUE texts of `--set`.

    Raises:
        OptionError: A text without `=` or without a name, or one name twice.
    """
    assignments: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise OptionError(f"--set needs NAME=VALUE, got {text!r}")
        if name in assignments:
            raise OptionError(
                f"--set gives {name!r} twice, {assignments[name]!r} and {value.strip()!r}; keep one"
            )
        assignments[name] = value.strip()
    return assignments


def split_settings(
    settings: Mapping[str, str], namespace: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Assignments of `--set`: those of a namespace, without their prefix, and all others."""
    prefix = f"{namespace}."
    own = {key: value for key, value in settings.items() if key.startswith(prefix)}
    others = {key: value for key, value in settings.items() if key not in own}
    return {key.removeprefix(prefix): value for key, value in own.items()}, others


def format_value(value: object) -> str:
    """A value as `--set` takes it."""
    return _format(value, TUPLE_SEPARATORS)


def describe_type(hint: object) -> str:
    """A type and its limits for help and messages, e.g. `float in [0, 1)`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        from pydantic.fields import FieldInfo

        field = FieldInfo.from_annotation(cast("type[object]", hint))
        limits = _describe_limits(field.metadata)
        return " ".join(filter(None, (describe_type(arguments[0]), limits)))
    if origin in (Union, types.UnionType):
        return " or ".join(describe_type(member) for member in arguments)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in arguments)
    if origin is tuple:
        return _describe_tuple(arguments, TUPLE_SEPARATORS)
    if hint in (None, type(None)):
        return NONE_TEXT
    return getattr(hint, "__name__", str(hint))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The sentence ` Did you mean ...?` for the known name most like this one, or nothing."""
    close = get_close_matches(name.lower(), list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _option(name: str, hint: object, default: Value) -> Option:
    from pydantic.fields import FieldInfo

    description = FieldInfo.from_annotation(cast("type[object]", hint)).description
    return Option(name=name, type=describe_type(hint), default=default, description=description)


def _globals(build: Callable[..., object]) -> dict[str, object]:
    """Where the type names in the signature of `build` are defined."""
    while isinstance(build, functools.partial):
        build = build.func
    function: object = inspect.unwrap(build)
    if isinstance(function, type):
        function = function.__init__  # type: ignore[misc]
    elif not hasattr(function, "__globals__"):
        function = type(function).__call__
    return getattr(function, "__globals__", {})


def _checked(
    label: str, hints: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, Value]:
    for name in given:
        if name not in hints:
            raise OptionError(
                f"{label} has no option {name!r}.{did_you_mean(name, hints)} "
                f"Options: {', '.join(hints) or 'none'}."
            )
    return {name: _check(label, name, hints[name], value) for name, value in given.items()}


def _check(label: str, name: str, hint: object, value: object) -> Value:
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    adapter: TypeAdapter[Value] = TypeAdapter(
        cast("type[Value]", hint), config=ConfigDict(allow_inf_nan=False)
    )
    read = _read(value, hint, TUPLE_SEPARATORS) if isinstance(value, str) else value
    try:
        return adapter.validate_python(read)
    except ValidationError as error:
        first = error.errors()[0]
        own_rule = (
            f": {first['msg']}" if first["type"] in ("value_error", "assertion_error") else ""
        )
        raise OptionError(
            f"option {name!r} of {label} must be {describe_type(hint)}, got {value!r}{own_rule}"
        ) from error


def _read(text: str, hint: object, separators: str) -> object:
    """Text as pydantic can convert it: None and tuples have no text form of their own there."""
    members = _members(hint)
    if type(None) in members and text.lower() == NONE_TEXT:
        return None
    arguments = next((get_args(one) for one in members if get_origin(one) is tuple), None)
    if arguments is None or str in members or not separators:
        return text
    parts = text.split(separators[0]) if text else []
    items = arguments[:1] * len(parts) if Ellipsis in arguments else arguments
    if len(items) != len(parts):
        return parts
    return [
        _read(part.strip(), item, separators[1:]) for part, item in zip(parts, items, strict=True)
    ]


def _members(hint: object) -> tuple[object, ...]:
    """The types a union consists of, without their limits."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _members(get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return tuple(inner for member in get_args(hint) for inner in _members(member))
    return (hint,)


def _format(value: object, separators: str) -> str:
    if value is None:
        return NONE_TEXT
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple) and separators:
        return separators[0].join(_format(item, separators[1:]) for item in value)
    return str(value)


def _describe_tuple(arguments: tuple[object, ...], separators: str) -> str:
    items = arguments[:1] if Ellipsis in arguments else arguments
    inner = [
        _describe_tuple(get_args(item), separators[1:])
        if get_origin(item) is tuple
        else describe_type(item)
        for item in items
    ]
    return separators[:1].join(inner) + (f"{separators[:1]}..." if Ellipsis in arguments else "")


def _describe_limits(limits: Sequence[object]) -> str:
    found = {
        name: getattr(limit, name)
        for limit in limits
        for name in LIMIT_WORDS
        if getattr(limit, name, None) is not None
    }
    texts = []
    if found.keys() & {"ge", "gt"} and found.keys() & {"le", "lt"}:
        opening = f"[{found.pop('ge')}" if "ge" in found else f"({found.pop('gt')}"
        closing = f"{found.pop('le')}]" if "le" in found else f"{found.pop('lt')})"
        texts.append(f"in {opening}, {closing}")
    texts += [f"{words} {found[name]}" for name, words in LIMIT_WORDS.items() if name in found]
    return ", ".join(texts)
