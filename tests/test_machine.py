from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from mtsbench import machine


@pytest.fixture
def checkout(tmp_path):
    """The module as a file of another checkout, and git in that checkout."""
    package = tmp_path / "mtsbench"
    package.mkdir()
    copy = shutil.copy(machine.__file__, package)
    spec = importlib.util.spec_from_file_location("machine_of_another_checkout", copy)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    return module, git, tmp_path


def test_an_installed_package_has_no_git_state(checkout):
    module, _, _ = checkout

    assert module.git_state() is None


def test_the_git_state_is_the_commit_and_whether_files_were_changed(checkout):
    module, git, folder = checkout
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    commit = git("rev-parse", "HEAD")

    (folder / ".gitignore").write_text("__pycache__\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "second")
    assert git("rev-parse", "HEAD") != commit
    assert module.git_state() == git("rev-parse", "HEAD")

    (folder / "mtsbench" / "new.py").write_text("")
    assert module.git_state() == git("rev-parse", "HEAD") + "+changes"


def test_a_checkout_that_git_cannot_read_has_no_git_state(checkout):
    module, git, _ = checkout
    git("init", "--quiet")

    assert module.git_state() is None


def test_peak_memory_is_in_mebibytes():
    script = (
        "from mtsbench.machine import peak_memory_mib\n"
        "before = peak_memory_mib()\n"
        "block = b'x' * (100 * 1024**2)\n"
        "print(before, peak_memory_mib())\n"
    )
    # Linux hands the peak of a process on to what it starts; the shell between has a small one.
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
    )

    before, after = (float(number) for number in done.stdout.split())
    assert 90 < after - before < 120


def test_the_platform_names_what_does_the_arithmetic():
    import torch

    found = machine.platform_versions()

    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["torch"] == version("torch")
    assert found["threads"] == str(torch.get_num_threads())
    assert {"system", "numpy", "scipy", "SimpleITK"} <= found.keys()
    assert ("cuda_device" in found) == torch.cuda.is_available()
    assert Path(machine.__file__).name not in str(found)
