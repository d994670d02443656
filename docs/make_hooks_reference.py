"""Writes docs/hooks.md from the source of hooks, records and interfaces.

    python docs/make_hooks_reference.py

With `--record` also tests/oracles/plugin_api.json, the names that may not go before the next minor
version. Reads the text of the modules and imports none of them, so that it needs nothing installed.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "hooks.md"
RECORDED = ROOT / "tests" / "oracles" / "plugin_api.json"
CLASSES = {
    "components": "Records",
    "interfaces": "Interfaces",
    "events": "Executors and trackers",
    "data": "What flows",
    "composition": "Compositions",
}
HEADER = """\
<!-- Written by docs/make_hooks_reference.py from the modules it names; edit those. -->
# Hooks and interfaces
"""
Definition = ast.FunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class Docstring:
    """A google-style docstring in parts.

    Attributes:
        text: What stands before the first section.
        entries: Section name, as `Attributes`, to the text of each of its names.
    """

    text: str
    entries: dict[str, dict[str, str]]


def make_reference() -> str:
    """The page as Markdown."""
    parts = [HEADER, *_hooks()]
    for module, title in CLASSES.items():
        about = _docstring(_parse(module)).text
        parts.append(f"## {title}\n\nFrom `mtsbench/{module}.py`. {about}\n")
        parts += [_class(node) for node in _classes(module)]
    return "\n".join(parts).rstrip() + "\n"


def promised() -> list[str]:
    """What a plugin may rely on: hooks, fields, and methods with the names of their arguments."""
    hooks = [node.name for node in _parse("hookspecs").body if isinstance(node, ast.FunctionDef)]
    fields, methods = [], []
    for node in (node for module in CLASSES for node in _classes(module)):
        for one in node.body:
            if isinstance(one, ast.AnnAssign):
                fields.append(f"{node.name}.{ast.unparse(one.target)}")
            elif isinstance(one, ast.FunctionDef) and not _internal(one.name):
                methods.append(f"{node.name}.{one.name}")
                methods += [f"{node.name}.{one.name}({arg.arg})" for arg in one.args.args[1:]]
    return sorted([*hooks, *fields, *methods])


def _hooks() -> Iterator[str]:
    module = _parse("hookspecs")
    yield f"{_docstring(module).text}\n"
    yield "| hook | yields | |\n|---|---|---|"
    interfaces = {node.name for one in ("interfaces", "events") for node in _classes(one)}
    interfaces |= {"Composition"}
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            record, *built = _names(node.returns)
            links = [f"[{one}](#{one.lower()})" for one in built if one in interfaces]
            yields = f"[{record}](#{record.lower()}) of {' or '.join(links)}"
            yield f"| `{node.name}` | {yields} | {_docstring(node).text} |"
    yield ""


def _names(returns: ast.expr | None) -> list[str]:
    """`Iterable[Component[Metric]]` to Component, FoldMetric, PatientMetric."""
    assert returns is not None
    aliases = {
        ast.unparse(node.targets[0]): ast.unparse(node.value)
        for node in _parse("interfaces").body
        if isinstance(node, ast.Assign)
    }
    names = re.findall(r"\w+", ast.unparse(returns).removeprefix("Iterable"))
    return [one for name in names for one in re.findall(r"\w+", aliases.get(name, name))]


def _class(node: ast.ClassDef) -> str:
    """A heading, the docstring, and one line for each field and method."""
    doc = _docstring(node)
    lines = [f"### `{node.name}`", "", f"*{_sort_of(node)}.* {doc.text}", ""]
    described = doc.entries.get("Attributes", {})
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            name = ast.unparse(statement.target)
            lines.append(_item(_field(statement), described.get(name, "")))
        elif isinstance(statement, ast.FunctionDef) and not _internal(statement.name):
            method = _docstring(statement)
            text = " ".join(" ".join([method.text, *_raised(method)]).split())
            lines.append(_item(_signature(statement), text))
    raised = [f"{text}\n" for text in _raised(doc)]
    return "\n".join([*lines, *([""] if lines[-1] else []), *raised])


def _sort_of(node: ast.ClassDef) -> str:
    bases = [ast.unparse(base).partition("[")[0] for base in node.bases]
    if "Protocol" in bases:
        return "Protocol"
    bases = [base for base in bases if base != "Generic"]
    return f"Frozen record, extends {', '.join(bases)}" if bases else "Frozen record"


def _field(node: ast.AnnAssign) -> str:
    default = "" if node.value is None else f" = {_default(node.value)}"
    return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}{default}"


def _default(value: ast.expr) -> str:
    """A field's default; what `default_factory` makes is written as a call."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        made = ast.unparse(value.keywords[0].value)
        return "{}" if made == "dict" else f"{made}()"
    return ast.unparse(value)


def _signature(node: ast.FunctionDef) -> str:
    arguments = ast.unparse(node.args)
    arguments = re.sub(r"^self(, )?", "", arguments)
    returns = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    return f"{node.name}({arguments}){returns}"


def _item(code: str, text: str) -> str:
    return f"- `{code}`" + (f": {text}" if text else "")


def _raised(doc: Docstring) -> list[str]:
    return [f"Raises `{name}`: {text}" for name, text in doc.entries.get("Raises", {}).items()]


def _docstring(node: Definition) -> Docstring:
    text = cleandoc(ast.get_docstring(node) or "")
    head, *sections = re.split(r"^(Attributes|Args|Returns|Raises|Source):\n", text, flags=re.M)
    names = sections[::2]
    entries = {name: _entries(body) for name, body in zip(names, sections[1::2], strict=True)}
    return Docstring(text=_filled(head), entries=entries)


def _entries(body: str) -> dict[str, str]:
    """`name: text` of a section; a deeper line goes on with the text."""
    found = re.findall(r"^(\w[\w, ]*): ((?:.*\n?)(?:^ +.*\n?)*)", textwrap.dedent(body), re.M)
    return {name: _filled(text) for name, text in found}


def _filled(text: str) -> str:
    """Paragraphs on one line each; an indented block stays as it is."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(
        one if one.startswith("    ") else " ".join(one.split()) for one in paragraphs
    ).strip()


def _classes(module: str) -> list[ast.ClassDef]:
    return [
        node
        for node in _parse(module).body
        if isinstance(node, ast.ClassDef) and not _internal(node.name)
    ]


def _internal(name: str) -> bool:
    return name.startswith("_") and name != "__call__"


def _parse(module: str) -> ast.Module:
    return ast.parse((ROOT / "mtsbench" / f"{module}.py").read_text())


if __name__ == "__main__":
    PAGE.write_text(make_reference())
    if sys.argv[1:] == ["--record"]:
        RECORDED.write_text(json.dumps(promised(), indent=1) + "\n")
