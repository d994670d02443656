"""What `mtsbench list` and `mtsbench show` print, as tables and as JSON."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal, TextIO, cast

from rich.console import Console
from rich.table import Table

from mtsbench.announcements import Announced, Plugin
from mtsbench.components import KINDS, Component, Kind, ModelComponent
from mtsbench.composition import Composition, Part
from mtsbench.errors import OptionError
from mtsbench.options import Option, did_you_mean, field_table, format_value, option_table
from mtsbench.plugins import Components, plural
from mtsbench.protocol import training_budget
from mtsbench.recipe import recipe_lines, recipe_of
from mtsbench.records import Recipe

Json = str | int | float | bool | None | Sequence["Json"] | dict[str, "Json"]
Listed = Kind | Literal["plugin"]
# A longer name takes a second line rather than the whole width.
NAME_WIDTH = 48
LARGE_FAMILY = 20
HOW_TO_SET: Mapping[Kind, str] = {
    "model": "--set NAME=VALUE",
    "dataset": "--set dataset.NAME=VALUE",
    "backbone": "--set backbone.NAME=VALUE, or survival_network.NAME",
    "head": "--set head.NAME=VALUE",
    "loss": "--set survival_loss.NAME=VALUE, or segmentation_loss.NAME",
    "tracker": "--set tracker.{name}.NAME=VALUE",
}


def terminal(file: TextIO | None = None) -> Console:
    """Standard output, or another file; 80 columns where it is no terminal."""
    # Component names and type texts hold colons and brackets, which are no markup.
    return Console(file=file, markup=False, emoji=False, highlight=False)


def parse_kind(text: str) -> Listed:
    """The kind meant by its name in singular or plural.

    Raises:
        OptionError: No such kind.
    """
    plurals = {**{plural(kind): kind for kind in KINDS}, "plugins": "plugin"}
    found = text if text in plurals.values() else plurals.get(text)
    if found is None:
        raise OptionError(
            f"no kind is called {text!r}.{did_you_mean(text, plurals)} Kinds: {', '.join(plurals)}."
        )
    return cast("Listed", found)


def print_list(components: Components, wanted: Listed | None, console: Console) -> None:
    """One table of a kind or of the plugins, or all kinds with names and summaries only."""
    if wanted == "plugin":
        console.print(_plugin_table(components))
    elif wanted is not None:
        _print_kind(components, wanted, console)
    else:
        width = max(len(name) for kind in KINDS for name in ("", *components.names(kind)))
        for kind in KINDS:
            console.print(f"{plural(kind)} ({len(components.names(kind))})", style="bold")
            table = _table("", "")
            for name, summary in _by_family(components.all(kind)):
                table.add_row(f"  {name}", summary)
            table.columns[0].width = min(width + 2, NAME_WIDTH)
            console.print(table)


def _by_family(found: Sequence[Announced]) -> list[tuple[str, str]]:
    """Name and summary of each; a large family `PREFIX:...` becomes one line."""
    families = Counter(one.component.name.partition(":")[0] for one in found)
    rows: dict[str, str] = {}
    for one in found:
        prefix, colon, _ = one.component.name.partition(":")
        count = families[prefix]
        if colon and count > LARGE_FAMILY:
            advice = f"`mtsbench list {plural(one.kind)} --filter {prefix}:`"
            rows[f"{prefix}:..."] = f"{count} {plural(one.kind)}, see {advice}"
        else:
            rows[one.component.name] = one.component.summary
    return list(rows.items())


def list_json(components: Components, wanted: Listed | None) -> dict[str, Json]:
    """The same as `print_list`, and always the failures and conflicts."""
    kinds = KINDS if wanted is None else tuple(kind for kind in KINDS if kind == wanted)
    listed: dict[str, Json] = {
        plural(kind): [_announced_json(one) for one in components.all(kind)] for kind in kinds
    }
    if wanted == "plugin":
        listed["plugins"] = [_plugin_json(one) for one in components.plugins]
    listed["failures"] = [asdict(one) for one in components.failures]
    listed["conflicts"] = [str(one) for one in components.conflicts]
    return listed


def problems(components: Components) -> tuple[str, ...]:
    """One line for each plugin that failed and each name in conflict."""
    return tuple(str(one) for one in (*components.failures, *components.conflicts))


def warn(components: Components) -> None:
    """Tell on standard error what is broken; everything else goes on."""
    for problem in problems(components):
        print(f"mtsbench: warning: {' '.join(problem.split())}", file=sys.stderr)


def print_component(components: Components, kind: Kind, name: str, console: Console) -> None:
    """A component with its source and options; a deep model also with its parts.

    Raises:
        UnknownComponentError, PluginConflictError: See `Components.get`.
        PluginError: The composition of a deep model cannot be built.
    """
    found = components.get(kind, name)
    console.print(f"{kind} {name}", style="bold", soft_wrap=True)
    console.print(found.component.summary)
    console.print()
    facts = _table("", "")
    facts.add_row("reference", found.component.reference)
    facts.add_row("from", f"{found.distribution} {found.version}")
    if isinstance(found.component, ModelComponent):
        facts.add_row("produces", ", ".join(sorted(found.component.produces)))
        facts.add_row("needs", _needs(found.component) or "nothing")
    for name, value in found.component.facts.items():
        facts.add_row(name, value)
    console.print(facts)
    how = HOW_TO_SET.get(kind, "at their defaults")
    heading = f"options ({how.format(name=found.component.name)})"
    _print_options(heading, option_table(found.component.build), console)
    composition = _composition(components, found)
    if composition is not None:
        _print_composition(composition, console)


def component_json(components: Components, kind: Kind, name: str) -> dict[str, Json]:
    """The same as `print_component`."""
    found = components.get(kind, name)
    composition = _composition(components, found)
    return {
        "kind": kind,
        **_announced_json(found),
        "options": _options_json(option_table(found.component.build)),
        "composition": None if composition is None else _composition_json(composition),
    }


def _print_kind(components: Components, kind: Kind, console: Console) -> None:
    found = components.all(kind)
    if not found:
        console.print(f"no {kind} is installed")
        return
    # Narrow terminals have room for one more column; `show` tells the rest.
    table = _table("NAME", "SUMMARY", "NEEDS" if kind == "model" else "FROM")
    for one in found:
        component = one.component
        last = _needs(component) or "-" if kind == "model" else one.distribution
        table.add_row(component.name, component.summary, last)
    table.columns[0].width = min(max(len(one.component.name) for one in found), NAME_WIDTH)
    console.print(table)


def _plugin_table(components: Components) -> Table:
    table = _table("PLUGIN", "FROM", "ANNOUNCES", "STATUS")
    for plugin in components.plugins:
        counts = Counter(one.kind for one in plugin.announced)
        announces = (
            f"{count} {kind if count == 1 else plural(kind)}" for kind, count in counts.items()
        )
        table.add_row(
            plugin.entry_point,
            f"{plugin.distribution} {plugin.version}",
            ", ".join(announces) or "-",
            _status(plugin, components),
        )
    return table


def _status(plugin: Plugin, components: Components) -> str:
    if plugin.disabled:
        return "switched off by MTSBENCH_DISABLE"
    if plugin.failure is not None:
        return f"failed: {plugin.failure.cause}"
    withheld = [
        f"{conflict.kind} {conflict.name!r}"
        for conflict in components.conflicts
        if any(one in plugin.announced for one in conflict.withheld)
    ]
    return f"in conflict: {', '.join(withheld)}" if withheld else "ok"


def _needs(model: Component[object]) -> str:
    assert isinstance(model, ModelComponent)  # load_components checks it for every model
    needs = {
        **{need.replace("-", " "): True for need in sorted(model.needs)},
        "GPU": model.needs_gpu,
        "TRUE MASK OF TEST CASES": model.needs_mask_at_test,
    }
    return ", ".join(name for name, needed in needs.items() if needed)


def _composition(components: Components, found: Announced) -> Composition | None:
    """The parts of a deep model, told by the return type of its `build`.

    Another model is not built: that could import heavy packages, only to print a table.
    """
    returns = inspect.signature(found.component.build).return_annotation
    if found.kind != "model" or str(returns).rpartition(".")[2].strip("'>") != "Composition":
        return None
    return cast("Composition", components.build("model", found.component.name))


def _print_options(title: str, options: Sequence[Option], console: Console) -> None:
    console.print()
    console.print(title, style="bold")
    if not options:
        console.print("  none")
        return
    table = _table("  NAME", "TYPE", "DEFAULT", "")
    for option in options:
        table.add_row(
            f"  {option.name}", option.type, format_value(option.default), option.description or ""
        )
    table.columns[0].width = min(2 + max(len(one.name) for one in options), NAME_WIDTH)
    console.print(table)


def _print_composition(composition: Composition, console: Console) -> None:
    console.print()
    console.print("parts (--set ROLE.NAME=VALUE, e.g. head.NAME, survival_loss.NAME)", style="bold")
    table = _table("", "")
    table.add_row("  backbone", _part_text(composition.backbone))
    if composition.survival_network is not None:
        table.add_row("  survival_network", _part_text(composition.survival_network))
        table.add_row("  mask link", composition.mask_link)
    sees = "" if composition.backbone_features else " (does not see the backbone's features)"
    if composition.channels is not None:
        table.add_row("  sees channels", ", ".join(composition.channels))
    if composition.region != "whole":
        table.add_row("  sees", "the voxels inside the true tumour mask only")
    table.add_row("  head", _part_text(composition.head) + sees)
    for item in composition.losses:
        table.add_row(f"  {item.task}_loss", f"{item.weight:g} x {_part_text(item.loss)}")
    size = " x ".join(str(count) for count in composition.paper_size)
    spacing = " x ".join(f"{step:g}" for step in composition.paper_spacing)
    table.add_row("  paper geometry", f"{size} voxels of {spacing} mm (D, H, W)")
    console.print(table)
    title = "published training (--set training.NAME=VALUE)"
    _print_options(title, field_table(composition.training), console)
    console.print()
    for line in recipe_lines(_demo_recipe(composition)):
        console.print(line)


def _demo_recipe(composition: Composition) -> Recipe | None:
    """What preset `demo` makes of the published recipe; the other presets train as published."""
    return recipe_of(composition, training_budget("demo", composition.training), "demo")


def _part_text(part: Part) -> str:
    options = ", ".join(f"{name}={format_value(value)}" for name, value in part.options.items())
    return f"{part.name} ({options})" if options else part.name


def _table(*headers: str) -> Table:
    """Borderless; the first column holds names, which are folded and never cut."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(headers))
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _announced_json(found: Announced) -> dict[str, Json]:
    component = found.component
    facts: dict[str, Json] = {
        "name": component.name,
        "summary": component.summary,
        "reference": component.reference,
        "distribution": found.distribution,
        "version": found.version,
        "facts": dict(component.facts),
    }
    if isinstance(component, ModelComponent):
        facts["produces"] = sorted(component.produces)
        facts["needs"] = sorted(component.needs)
        facts["needs_mask_at_test"] = component.needs_mask_at_test
        facts["needs_gpu"] = component.needs_gpu
    return facts


def _plugin_json(plugin: Plugin) -> dict[str, Json]:
    return {
        "entry_point": plugin.entry_point,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "components": [f"{one.kind} {one.component.name}" for one in plugin.announced],
        "failure": None if plugin.failure is None else plugin.failure.cause,
        "disabled": plugin.disabled,
    }


def _options_json(options: Sequence[Option]) -> Json:
    return [cast("dict[str, Json]", asdict(option)) for option in options]


def _composition_json(composition: Composition) -> dict[str, Json]:
    second = composition.survival_network
    return {
        "backbone": _part_json(composition.backbone),
        "survival_network": None if second is None else _part_json(second),
        "mask_link": composition.mask_link,
        "channels": composition.channels,
        "region": composition.region,
        "backbone_features": composition.backbone_features,
        "head": _part_json(composition.head),
        "losses": [{**_part_json(item.loss), "weight": item.weight} for item in composition.losses],
        "training": cast("dict[str, Json]", asdict(composition.training)),
        "demo_changes": list(recipe_lines(_demo_recipe(composition))),
        "paper_size": composition.paper_size,
        "paper_spacing": composition.paper_spacing,
    }


def _part_json(part: Part) -> dict[str, Json]:
    return {"name": part.name, "options": dict(part.options)}
