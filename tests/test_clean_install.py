"""Each package, installed from its wheel beside core and nothing that it does not declare.

The environment is new and holds the wheels of core, of the plugin and of the plugins that it
requires. Every other distribution is linked into it from the environment of the tests, but only
those that follow from the declared requirements. So this shows that a wheel is complete, that the
plugin needs no other one of this repository, and that nothing undeclared is imported. It does not
show that the version ranges can be resolved, or that their lower ends work.
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
OWN = {"mtsbench": ROOT, **{path.name: path for path in (ROOT / "plugins").iterdir()}}
# What is checked within a test; the rest of these packages takes many minutes.
ONLY = {"mtsbench-radiomics": "clinical", "mtsbench-singletask": "deepconvsurv"}
HEAVY = "torch", "numpy", "pandas", "scipy", "SimpleITK", "sklearn", "monai", "pycox"
LISTING = f"""
import sys
from mtsbench.cli import main
try:
    main()
finally:
    print("imported", [one for one in {HEAVY} if one in sys.modules], file=sys.stderr)
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(names: list[str], extras: frozenset[str] = frozenset()) -> dict[str, Distribution]:
    """The named distributions and all that follow from their requirements."""
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, frozenset[str]]] = set()
    todo = [(normal(name), extras) for name in names]
    while todo:
        name, wanted = todo.pop()
        if (name, wanted) in asked:
            continue
        asked.add((name, wanted))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # needed on another platform only
            continue
        for line in found[name].requires or ():
            one = Requirement(line)
            sets = [{"extra": extra} for extra in wanted] or [{"extra": ""}]
            if one.marker is None or any(one.marker.evaluate(given) for given in sets):
                todo.append((normal(one.name), frozenset(one.extras)))
    return found


def link(found: Distribution, folder: Path) -> None:
    """Link what a distribution put at the top of site-packages."""
    for top in {path.parts[0] for path in found.files or ()} - {"..", "__pycache__"}:
        source, target = Path(str(found.locate_file(top))), folder / top
        if source.exists() and not target.exists():
            target.symlink_to(source)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Builds the wheel of a package of this repository, once."""
    folder, built = tmp_path_factory.mktemp("wheels"), {}

    def build(name: str) -> Path:
        if name not in built:
            command = "wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir"
            subprocess.run(
                [sys.executable, "-m", "pip", *command.split(), str(folder), str(OWN[name])],
                check=True,
                capture_output=True,
            )
            (built[name],) = folder.glob(f"{name.replace('-', '_')}-*.whl")
        return built[name]

    return build


@pytest.fixture
def install(wheel, tmp_path):
    """A new environment with these packages and what they declare; gives its Python."""

    def make(*names: str, without: tuple[str, ...] = ()) -> Path:
        venv.create(tmp_path / "venv", with_pip=False)
        python = tmp_path / "venv" / "bin" / "python"
        links = tmp_path / "links"
        links.mkdir()
        needed = required(list(names))
        for name, found in needed.items():
            if name not in OWN and name not in without:
                link(found, links)
        (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
        (site / "dependencies.pth").write_text(f"{links}\n")
        wheels = [str(wheel(name)) for name in needed if name in OWN]
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
                *("--no-deps", "--no-index", *wheels),
            ],
            check=True,
            capture_output=True,
        )
        return python

    return make


def call(python: Path, *command: str, cwd: Path, **environment: str):
    return subprocess.run(
        [str(python), *command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": "", "HOME": str(cwd), "MTSBENCH_STRICT": "1", **environment},
    )


def listing(python: Path, cwd: Path) -> list[str]:
    """The lines of `mtsbench list plugins`, which must import nothing heavy."""
    listed = call(python, "-c", LISTING, "list", "plugins", cwd=cwd, COLUMNS="300")

    assert listed.returncode == 0, listed.stderr
    assert listed.stderr.splitlines()[-1] == "imported []"
    return listed.stdout.splitlines()


def test_core_alone_lists_without_torch_even_where_there_is_none(install, tmp_path):
    python = install("mtsbench", without=("torch", "numpy", "scipy"))

    lines = listing(python, tmp_path)
    metrics = call(python, "-m", "mtsbench", "list", "metrics", cwd=tmp_path)

    assert [line.split()[0] for line in lines] == ["PLUGIN", "builtin"]
    assert "harrell-c" in metrics.stdout
    assert call(python, "-c", "import torch", cwd=tmp_path).returncode == 1


def test_core_alone_keeps_its_own_promises(install, tmp_path):
    python = install("mtsbench")

    checked = call(python, "-m", "mtsbench", "plugins", "check", "mtsbench", cwd=tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    "name",
    [
        "mtsbench-heads",
        *(
            pytest.param(name, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])
            for name in sorted(OWN)
            if name not in ("mtsbench", "mtsbench-heads")
        ),
    ],
)
def test_a_plugin_alone_is_listed_and_keeps_its_promises(install, tmp_path, name):
    python = install(name)
    own = {normal(one) for one in required([name]) if one in OWN}

    lines = listing(python, tmp_path)
    checked = call(
        python,
        *("-m", "mtsbench", "plugins", "check", name),
        *("--seconds", "1500", "--only", ONLY.get(name, "")),
        cwd=tmp_path,
    )

    assert {line.split()[1] for line in lines[1:]} == own
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "broken" not in checked.stdout


def test_what_is_not_declared_cannot_be_imported(install, tmp_path):
    python = install("mtsbench-heads")

    for name in ("mtsbench_deepmts", "mtsbench_cohorts", "sksurv", "timm_3d", "pytest"):
        assert call(python, "-c", f"import {name}", cwd=tmp_path).returncode == 1
    assert call(python, "-c", "import mtsbench_heads, pycox, torch", cwd=tmp_path).returncode == 0
