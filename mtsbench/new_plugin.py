"""Writes the package of a new plugin, which passes its own check as it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from mtsbench.errors import OptionError
from mtsbench.options import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
PREFIX = "mtsbench-"


@dataclass(frozen=True, kw_only=True)
class _Begin:
    """How `plugin.py` announces a kind: the class it builds, and with what."""

    built: str
    arguments: str
    call: str
    summary: str
    hook: str
    reference: str = "https://doi.org/10.1111/j.2517-6161.1972.tb00899.x"
    record: str = "Component"
    declared: str = ""


BEGINNINGS = {
    "loss": _Begin(
        built="CoxLoss",
        arguments="*, scale: float = 1.0",
        call="CoxLoss(scale)",
        summary="Cox negative log partial likelihood with Breslow ties",
        hook="losses",
    ),
    "head": _Begin(
        built="LinearHead",
        arguments=(
            "channels: dict[str, tuple[int, ...]], clinical_features: int, *, dropout: float = 0.2"
        ),
        call="LinearHead(channels, clinical_features, dropout)",
        summary="Pooled features to a log risk",
        hook="heads",
    ),
    "backbone": _Begin(
        built="SmallBackbone",
        arguments="channels: int, *, width: int = 8",
        call="SmallBackbone(channels, width)",
        summary="Two convolutions and a tumour map",
        hook="backbones",
    ),
    "dataset": _Begin(
        built="MyCohort",
        arguments="root: Path | None, *, cases: int = 60",
        call="MyCohort(root, cases)",
        summary="A simulated cohort whose uptake decides the outcome",
        hook="datasets",
    ),
    "model": _Begin(
        built="RidgeModel",
        arguments="*, penalty: float = 1.0",
        call="RidgeModel(penalty)",
        summary="Ridge regression on mean intensities and clinical features",
        hook="models",
        record="ModelComponent",
        declared='\n        produces=frozenset({"risk"}),\n        needs=frozenset({"image"}),',
    ),
    "metric": _Begin(
        built="RankCorrelation",
        arguments="",
        call="RankCorrelation()",
        summary="Rank correlation of risk and early events",
        hook="metrics",
    ),
    "executor": _Begin(
        built="Processes",
        arguments="*, workers: int = 1",
        call="Processes(workers)",
        summary="Trials in processes of this machine",
        hook="executors",
        reference="https://docs.python.org/3/library/concurrent.futures.html",
    ),
    "tracker": _Begin(
        built="TextTracker",
        arguments='runs: Path, *, folder: str = "text-tracker"',
        call="TextTracker(runs / folder)",
        summary="A text file of what happened in each run",
        hook="trackers",
        reference="https://docs.python.org/3/library/pathlib.html",
    ),
}


def write_package(name: str, kind: str, into: Path) -> Path:
    """Write the package `mtsbench-NAME` with one component NAME.

    Args:
        name: Lower-case words joined by `-`; a leading `mtsbench-` is taken off.
        kind: One of `BEGINNINGS`.
        into: The package's folder is made here.

    Returns:
        The package's folder.

    Raises:
        OptionError: A malformed name, an unknown kind, or a folder that exists.
    """
    name = name.removeprefix(PREFIX)
    if not NAME.fullmatch(name):
        raise OptionError(
            f"a plugin's name is lower-case words joined by '-', like my-loss, got {name!r}"
        )
    if kind not in BEGINNINGS:
        raise OptionError(
            f"no kind is called {kind!r}.{did_you_mean(kind, BEGINNINGS)} "
            f"Kinds: {', '.join(BEGINNINGS)}."
        )
    folder = into / f"{PREFIX}{name}"
    if folder.exists():
        raise OptionError(f"{folder} exists already; choose another name or --into, or remove it")
    for path, text in _package(name, kind).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def _package(name: str, kind: str) -> dict[str, str]:
    """Path in the package to text."""
    package = f"{PREFIX}{name}".replace("-", "_")
    begin = BEGINNINGS[kind]
    words = {
        **vars(begin),
        "name": name,
        "kind": kind,
        "title": kind.title(),
        "distribution": f"{PREFIX}{name}",
        "package": package,
        "protocol": kind.title(),
        "contract": f"{kind.title()}Contract",
        "contracts": ", ".join(sorted((f"{kind.title()}Contract", "PluginContract"))),
    }

    def fill(template: str) -> str:
        return Template(
            (files("mtsbench") / "templates" / f"{template}.txt").read_text()
        ).substitute(words)

    plugin = fill("plugin.py")
    if kind in ("dataset", "tracker"):
        plugin = plugin.replace(
            "if TYPE_CHECKING:\n", "if TYPE_CHECKING:\n    from pathlib import Path\n\n"
        )
    return {
        "pyproject.toml": fill("pyproject.toml"),
        "README.md": fill("README.md"),
        ".github/workflows/check.yml": fill("ci.yml"),
        f"src/{package}/__init__.py": f'"""A {kind} for mtsbench."""\n',
        f"src/{package}/plugin.py": plugin,
        f"src/{package}/{kind}.py": fill(f"{kind}.py"),
        f"tests/test_{package}.py": fill("test.py"),
    }
