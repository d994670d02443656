"""The command line: global options, errors in one line, `list` and `show`.

Importing this module must stay cheap, because `mtsbench --help` does: a command imports what it
needs inside its function.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from mtsbench import __version__
from mtsbench.commands.audit import audit
from mtsbench.commands.benchmark import benchmark
from mtsbench.commands.compare import compare
from mtsbench.commands.external import external
from mtsbench.commands.plugins import plugins
from mtsbench.commands.predict import predict
from mtsbench.commands.profile import profile
from mtsbench.commands.run import run
from mtsbench.commands.runs import runs
from mtsbench.errors import MtsbenchError, OptionError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")]


@dataclass
class Invocation:
    """What the global options say; lives as long as one call of the program."""

    debug: bool = False


def main() -> None:
    """Run the command line of this process."""
    run_application(app, None)


def run_application(application: typer.Typer, arguments: Sequence[str] | None) -> None:
    """Run a command line and leave with its exit code.

    Args:
        application: Its callback is `global_options`.
        arguments: Without the program's name; None takes those of this process.

    Raises:
        SystemExit: Code 0 when done, 1 after an internal error, 2 after a mistake in the request
            or the data, 130 when interrupted.
    """
    invocation = Invocation()
    try:
        application(args=arguments, prog_name="mtsbench", obj=invocation)
    except MtsbenchError as error:
        if invocation.debug:
            traceback.print_exc()
        _complain(f"error: {error}")
        sys.exit(2)
    except Exception as error:
        advice = "please report it"
        if invocation.debug:
            traceback.print_exc()
        else:
            advice = "run again with --debug (mtsbench --debug COMMAND ...) and report it"
        _complain(f"internal error: {type(error).__name__}: {error}; {advice}")
        sys.exit(1)


def _complain(message: str) -> None:
    print(f"mtsbench: {' '.join(message.split())}", file=sys.stderr)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mtsbench {__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Compare survival and tumour segmentation models on the same patients and splits."""
    context.ensure_object(Invocation).debug = debug


@app.command("list")
def list_components(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="datasets, backbones, heads, losses, models, metrics, executors, trackers "
            "or plugins.",
        ),
    ] = None,
    text: Annotated[
        str, typer.Option("--filter", help="Only names that contain this.", metavar="TEXT")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """List what is installed: everything, one kind, or the plugins."""
    from mtsbench.listing import list_json, parse_kind, print_list, terminal, warn
    from mtsbench.plugins import load_components

    wanted = None if kind is None else parse_kind(kind)
    components = load_components().matching(text)
    if as_json:
        print(json.dumps(list_json(components, wanted), indent=2))
        return
    print_list(components, wanted, terminal())
    warn(components)


@app.command()
def show(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="dataset, model, loss, ...")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `mtsbench list` gives it.")],
    as_json: JsonFlag = False,
) -> None:
    """Show one component: options, source, reference, and the parts of a deep model."""
    from mtsbench.listing import component_json, parse_kind, print_component, terminal
    from mtsbench.plugins import load_components

    wanted = parse_kind(kind)
    if wanted == "plugin":
        raise OptionError("`show` knows components, not plugins; see `mtsbench list plugins`")
    components = load_components()
    if as_json:
        print(json.dumps(component_json(components, wanted, name), indent=2))
        return
    print_component(components, wanted, name, terminal())


app.command()(run)
app.add_typer(runs, name="runs")
app.command()(compare)
app.command()(predict)
app.command()(external)
app.command()(profile)
app.command()(audit)
app.command()(benchmark)
app.add_typer(plugins, name="plugins")
