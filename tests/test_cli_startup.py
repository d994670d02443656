from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer

from mtsbench import __version__
from mtsbench.cli import global_options, run_application
from mtsbench.errors import DataError

DATA = Path(__file__).parent / "data"
HEAVY = ("torch", "numpy", "pandas", "SimpleITK", "scipy", "matplotlib")
REPORT = """
import sys
from mtsbench.cli import main
try:
    main()
finally:
    print([name for name in %r if name in sys.modules], file=sys.stderr)
"""


def call(*arguments: str, folders: tuple[str, ...] = (), **environment: str):
    """The command line in a process of its own, with fake distributions only."""
    installed = ",".join(entry_point.name for entry_point in entry_points(group="mtsbench"))
    return subprocess.run(
        [sys.executable, "-c", "from mtsbench.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(DATA / folder) for folder in folders),
            "MTSBENCH_DISABLE": installed,
            "MTSBENCH_STRICT": "0",
            **environment,
        },
    )


def imported(*arguments: str) -> str:
    """Which heavy packages a command of the real installation imports."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT % (HEAVY,), *arguments], capture_output=True, text=True
    )
    return done.stderr.splitlines()[-1]


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_imports_no_heavy_package():
    assert imported("--help") == "[]"


def test_help_takes_less_than_half_a_second():
    """Of processor time: wall-clock time would measure what else the machine does."""

    def once() -> float:
        start = children_seconds()
        subprocess.run(
            [sys.executable, "-c", "from mtsbench.cli import main; main()", "--help"],
            capture_output=True,
            check=True,
        )
        return children_seconds() - start

    assert min(once() for _ in range(3)) < 0.5


def test_listing_and_showing_import_no_torch():
    listed = subprocess.run(
        [sys.executable, "-c", "from mtsbench.cli import main; main()", "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    models = [model["name"] for model in json.loads(listed.stdout)["models"]]

    commands = [("list",), ("list", "plugins"), ("show", "metric", "dice")]
    commands += [("show", "model", name) for name in models[:2]]
    for command in commands:
        assert "torch" not in imported(*command), command


def test_the_version_is_printed():
    assert call("--version").stdout == f"mtsbench {__version__}\n"


def test_no_command_shows_the_help():
    done = call()

    assert "Usage: mtsbench" in done.stdout + done.stderr


def test_output_for_a_program_has_no_escape_codes_and_failures_go_to_stderr():
    done = call("list", "models", folders=("working", "import_error"))

    assert done.returncode == 0
    assert "zebra" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr.splitlines() == [
        "mtsbench: warning: Plugin 'unimportable' (example-import-error 0.1) failed to load: "
        "ModuleNotFoundError: No module named 'a_package_that_nobody_installs'"
    ]


def test_json_is_all_that_is_printed():
    done = call("list", "--json", folders=("working", "import_error"))

    assert json.loads(done.stdout)["failures"][0]["entry_point"] == "unimportable"
    assert done.stderr == ""


def test_a_component_is_shown_as_json():
    done = call("show", "models", "parts", "--json", folders=("working",))

    assert json.loads(done.stdout)["composition"]["mask_link"] == "soft"


def test_a_mistake_is_one_line_and_code_2():
    done = call("show", "model", "prats", folders=("working",))

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("mtsbench: error: no model is called 'prats'. Did you mean 'parts'?")


def test_a_plugin_cannot_be_shown():
    done = call("show", "plugin", "working")

    assert "error: `show` knows components, not plugins; see `mtsbench list plugins`" in done.stderr


def test_debug_adds_the_traceback_of_a_mistake():
    done = call("--debug", "show", "model", "prats", folders=("working",))

    assert done.returncode == 2
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("mtsbench: error: no model is called")


def test_a_failure_is_fatal_when_strict():
    done = call("list", folders=("import_error",), MTSBENCH_STRICT="1")

    assert done.returncode == 2
    assert "failed to load: ModuleNotFoundError" in done.stderr


@pytest.fixture
def failing():
    """An application whose commands fail in every way."""
    application = typer.Typer(pretty_exceptions_enable=False)
    application.callback()(global_options)

    @application.command()
    def crash():
        raise KeyError("missing\nkey")

    @application.command()
    def refuse():
        raise DataError("case 'a'\nhas no file")

    @application.command()
    def interrupt():
        raise KeyboardInterrupt

    @application.command()
    def succeed():
        print("done")

    return application


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        (
            "crash",
            1,
            r"mtsbench: internal error: KeyError: 'missing\nkey'; run again with --debug "
            "(mtsbench --debug COMMAND ...) and report it",
        ),
        ("refuse", 2, "mtsbench: error: case 'a' has no file"),
        ("interrupt", 130, ""),
        ("succeed", 0, ""),
    ],
)
def test_every_end_has_its_exit_code_and_at_most_one_line(failing, capsys, command, code, line):
    with pytest.raises(SystemExit) as stop:
        run_application(failing, [command])

    assert stop.value.code == code
    assert capsys.readouterr().err.strip() == line


def test_debug_shows_the_traceback_of_an_internal_error(failing, capsys):
    with pytest.raises(SystemExit) as stop:
        run_application(failing, ["--debug", "crash"])

    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error
    assert error.splitlines()[-1].endswith("; please report it")
