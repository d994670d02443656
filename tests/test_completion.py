"""What the shell gets when the user presses the tabulator key."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import get_args

import pytest

from mtsbench.commands.completion import PRESETS
from mtsbench.protocol import PresetName

DATA = Path(__file__).parent / "data"
HEAVY = ("torch", "numpy", "pandas", "SimpleITK", "scipy", "matplotlib")
INSTALLED = ",".join(entry_point.name for entry_point in entry_points(group="mtsbench"))
PROGRAM = f"""
import sys
from mtsbench.cli import main
try:
    main()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def complete(line: str, *folders: Path, cwd: Path | None = None) -> tuple[list[str], str]:
    """Candidates for the last word of a line, and what was written to stderr."""
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "MTSBENCH_DISABLE": INSTALLED,
            "MTSBENCH_STRICT": "1",
            "_MTSBENCH_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("mtsbench run --model ", ["parts", "zebra"]),
        ("mtsbench run --model z", ["zebra"]),
        ("mtsbench run --preset ", ["auto", "demo", "standard", "paper"]),
        ("mtsbench profile --preset s", ["standard"]),
        ("mtsbench compare --reference p", ["parts"]),
        ("mtsbench run --track t", ["tensorboard"]),
        ("mtsbench run --dr", ["--dry-run"]),
    ],
)
def test_names_come_from_the_plugins(line, names):
    found, said = complete(line, DATA / "working")

    assert found == names
    assert said == "[]\n", "completion imports nothing heavy and writes nothing"


def test_datasets_are_completed(tiny_installed):
    assert complete("mtsbench run --dataset t", tiny_installed)[0] == ["tiny"]


def test_plugins_that_are_broken_in_every_way_hide_nothing_and_say_nothing(tmp_path):
    noisy = tmp_path / "example_noisy-1.0.dist-info"
    noisy.mkdir()
    (noisy / "METADATA").write_text("Metadata-Version: 2.1\nName: example-noisy\nVersion: 1.0\n")
    (noisy / "entry_points.txt").write_text("[mtsbench]\nnoisy = noisy\n")
    (tmp_path / "noisy.py").write_text(
        "import sys, warnings\nprint('hello')\nprint('trouble', file=sys.stderr)\n"
        "warnings.warn('old')\nraise RuntimeError('no')\n"
    )
    broken = [path for path in DATA.iterdir() if path.is_dir() and path.name != "duplicate"]

    found, said = complete("mtsbench run --model z", *broken, tmp_path)

    assert found == ["zebra"]
    assert said == "[]\n"


def test_names_of_runs_come_from_the_folder_of_runs(tmp_path):
    for folder in ("runs/npc-a", "runs/npc-b", "other/hecktor-a", "runs/notes"):
        (tmp_path / folder).mkdir(parents=True)
        if "notes" not in folder:
            (tmp_path / folder / "run.json").write_text("not read")

    assert complete("mtsbench runs show ", cwd=tmp_path)[0] == ["npc-a", "npc-b"]
    assert complete("mtsbench runs remove npc-a npc-", cwd=tmp_path)[0] == ["npc-b"]
    found, said = complete("mtsbench runs show --out other h", cwd=tmp_path)
    assert (found, said) == (["hecktor-a"], "[]\n")


def test_every_preset_is_offered():
    assert set(PRESETS) == {"auto", *get_args(PresetName)}


def test_the_script_for_a_shell_is_shown(monkeypatch):
    done = subprocess.run(
        [sys.executable, "-m", "mtsbench", "--show-completion", "bash"],
        capture_output=True,
        text=True,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )

    assert done.returncode == 0, done.stderr
    assert "complete -o default -F _mtsbench_completion mtsbench" in done.stdout


def test_bash_completes_with_the_script(tmp_path):
    """The whole way: the script in a real shell, the program on its path."""
    shown = subprocess.run(
        [sys.executable, "-m", "mtsbench", "--show-completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )
    program = tmp_path / "mtsbench"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m mtsbench "$@"\n')
    program.chmod(0o755)
    script = (
        f"{shown.stdout}\nCOMP_WORDS=(mtsbench run --preset d)\nCOMP_CWORD=3\n"
        "_mtsbench_completion mtsbench\necho ${COMPREPLY[@]}\n"
    )

    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )

    assert done.stdout == "demo\n", done.stderr
