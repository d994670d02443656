"""`mtsbench plugins`: what is installed, whether it keeps its promises, and a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

plugins = typer.Typer(no_args_is_help=True, help="List, check and begin plugins.")
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]
BROKEN = 3


@plugins.command("list")
def list_plugins(as_json: JsonFlag = False) -> None:
    """List the installed plugins: distribution, version, components, load failures."""
    from mtsbench.listing import list_json, print_list, problems, terminal
    from mtsbench.plugins import load_components

    components = load_components()
    if as_json:
        print(json.dumps(list_json(components, "plugin"), indent=2))
        return
    console = terminal()
    print_list(components, "plugin", console)
    for problem in problems(components):
        console.print(problem, soft_wrap=True)


@plugins.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Distribution or entry point.")],
    only: Annotated[
        str, typer.Option(help="Only components whose names contain this.", metavar="TEXT")
    ] = "",
    seconds: Annotated[
        float, typer.Option(help="What is not done by then is reported as not run.", min=0)
    ] = 60.0,
    every: Annotated[bool, typer.Option("--all", help="A row for each kept promise.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check every promise of a plugin's components; exit code 3 if one is not kept."""
    from rich.console import Console

    from mtsbench.errors import PluginError
    from mtsbench.listing import terminal
    from mtsbench.plugins import load_components
    from mtsbench.testing.checking import check_plugin
    from mtsbench.testing.packaging import find_plugin
    from mtsbench.testing.promises import all_kept, promise_table, promises_json, summary

    components = load_components(strict=False)
    plugin = find_plugin(components, name)
    if plugin.disabled:
        raise PluginError(
            f"plugin {plugin.entry_point!r} is switched off by MTSBENCH_DISABLE; take it out there"
        )
    with Console(stderr=True).status("checking") as status:
        found = check_plugin(
            plugin, components, only=only, seconds=seconds, watch=lambda what: status.update(what)
        )
        checked = list(found)
    if as_json:
        print(json.dumps(promises_json(plugin.entry_point, checked), indent=2))
    else:
        console = terminal()
        console.print(promise_table(checked, every=every))
        took = sum(one.seconds for one in checked)
        console.print(f"{plugin.distribution} {plugin.version}: {summary(checked)} in {took:.0f} s")
    if not all_kept(checked):
        raise typer.Exit(BROKEN)


@plugins.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case words joined by '-', e.g. my-loss.")
    ],
    kind: Annotated[
        str,
        typer.Option(help="loss, head, backbone, dataset, model, metric, executor or tracker."),
    ],
    into: Annotated[Path, typer.Option(help="Folder in which the package is made.")] = Path(),
) -> None:
    """Write a package with one component that passes its check as it is written."""
    from mtsbench.listing import terminal
    from mtsbench.new_plugin import write_package

    folder = write_package(name, kind, into)
    console = terminal()
    console.print(f"written: {folder}", soft_wrap=True)
    console.print(
        f"next: pip install -e {folder} && mtsbench plugins check {folder.name}", soft_wrap=True
    )
