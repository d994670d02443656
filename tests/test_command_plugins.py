"""`mtsbench plugins`: list, check and new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mtsbench.errors import OptionError, UnknownComponentError
from mtsbench.new_plugin import BEGINNINGS, write_package
from mtsbench.plugins import load_components
from mtsbench.testing.checking import check_plugin
from mtsbench.testing.packaging import find_plugin

DATA = Path(__file__).parent / "data"


def call(*arguments: str, folders: tuple[Path, ...] = (), **environment: str):
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mtsbench", "plugins", *arguments],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*map(str, folders), *filter(None, sys.path)]),
            **environment,
        },
    )


def put_in_place(package: Path) -> Path:
    """What an installer would do with a package, without the network: returns the folder."""
    name = package.name.removeprefix("mtsbench-")
    module = package.name.replace("-", "_")
    metadata = package / "src" / f"{module}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 0.1.0\n"
        "Requires-Dist: mtsbench>=0.1,<0.2\n"
    )
    (metadata / "entry_points.txt").write_text(f"[mtsbench]\n{name} = {module}.plugin\n")
    return package / "src"


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_new_package_passes_its_check_as_it_is_written(kind, tmp_path, install, monkeypatch):
    install()
    folder = write_package(f"begin-{kind}", kind, tmp_path)
    monkeypatch.syspath_prepend(put_in_place(folder))
    components = load_components(strict=False)

    checked = list(check_plugin(find_plugin(components, folder.name), components))

    assert not components.failures
    assert [one for one in checked if one.status not in ("kept", "not applicable")] == []
    kept = sum(one.status == "kept" for one in checked if one.kind == kind)
    assert kept >= (3 if kind == "executor" else 5)


def test_a_new_package_is_checked_and_tested_in_fresh_processes(tmp_path):
    written = call("new", "fresh", "--kind", "loss", "--into", str(tmp_path))
    source = put_in_place(tmp_path / "mtsbench-fresh")

    checked = call("check", "mtsbench-fresh", "--json", folders=(source,))
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(source), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert written.returncode == 0, written.stderr
    assert "mtsbench plugins check mtsbench-fresh" in written.stdout
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert json.loads(checked.stdout)["kept"] is True
    assert tested.returncode == 0, tested.stdout
    assert "17 passed, 3 skipped" in tested.stdout


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_new_package_is_well_formed_and_asks_for_few_lines(kind, tmp_path):
    folder = write_package("shape", kind, tmp_path)

    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", str(folder)],
        capture_output=True,
        text=True,
    )
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    code = (folder / "src" / "mtsbench_shape" / f"{kind}.py").read_text().splitlines()
    assert done.returncode == 0, done.stdout
    assert names == sorted(
        [
            ".github",
            ".github/workflows/check.yml",
            "README.md",
            "pyproject.toml",
            "src/mtsbench_shape/__init__.py",
            f"src/mtsbench_shape/{kind}.py",
            "src/mtsbench_shape/plugin.py",
            "tests/test_mtsbench_shape.py",
        ]
    )
    assert kind in ("dataset", "model") or len([one for one in code if one.strip()]) <= 40
    assert not [path for path in names if "$" in path]


def test_the_prefix_of_a_name_is_not_doubled(tmp_path):
    assert write_package("mtsbench-mine", "loss", tmp_path) == tmp_path / "mtsbench-mine"


@pytest.mark.parametrize("name", ["My-Loss", "my_loss", "-loss", "", "3d", "../up"])
def test_a_malformed_name_is_refused(name, tmp_path):
    with pytest.raises(OptionError, match=r"lower-case words joined by '-', like my-loss, got"):
        write_package(name, "loss", tmp_path)

    assert not list(tmp_path.iterdir())


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(
        OptionError, match=r"no kind is called 'los'\. Did you mean 'loss'\? Kinds: loss, head"
    ):
        write_package("mine", "los", tmp_path)


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "mtsbench-mine").mkdir()

    with pytest.raises(OptionError, match="exists already; choose another name or --into"):
        write_package("mine", "loss", tmp_path)

    assert not list((tmp_path / "mtsbench-mine").iterdir())


def test_a_mistake_in_the_request_is_one_line_with_exit_code_2(tmp_path):
    done = call("new", "My", "--kind", "loss", "--into", str(tmp_path))

    assert done.returncode == 2
    assert done.stderr.startswith("mtsbench: error: a plugin's name is lower-case words")


def test_broken_promises_are_shown_with_exit_code_3():
    done = call("check", "example-working", folders=(DATA / "working",))

    assert done.returncode == 3
    assert "broken" in done.stdout
    assert "does not require mtsbench" in " ".join(done.stdout.split())
    assert "example-working 1.2.0:" in done.stdout


def test_an_unknown_plugin_is_refused(install):
    install("working")

    with pytest.raises(
        UnknownComponentError,
        match=r"no plugin is called 'example-workin'\. Did you mean 'example-working'\?",
    ):
        find_plugin(load_components(), "example-workin")


def test_a_plugin_that_is_switched_off_is_not_checked():
    done = call("check", "working", folders=(DATA / "working",), MTSBENCH_DISABLE="working")

    assert done.returncode == 2
    assert "is switched off by MTSBENCH_DISABLE; take it out there" in done.stderr


def test_listing_shows_versions_components_and_failures_and_goes_on():
    done = call("list", folders=(DATA / "working", DATA / "import_error"), COLUMNS="160")
    as_json = json.loads(call("list", "--json", folders=(DATA / "import_error",)).stdout)

    assert done.returncode == 0
    assert "example-working 1.2.0" in done.stdout
    assert "2 losses" in done.stdout
    assert "failed: ModuleNotFoundError" in done.stdout
    assert as_json["failures"][0]["distribution"] == "example-import-error"
