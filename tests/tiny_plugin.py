"""Announces what `tiny.py` holds, as an installed plugin does; see the fixture `tiny_installed`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mtsbench.hookspecs import hookimpl

spec = importlib.util.spec_from_file_location("tiny", Path(__file__).parent / "tiny.py")
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)
ANNOUNCED = [one for plugin in tiny.components().plugins for one in plugin.announced]


@hookimpl
def mtsbench_datasets():
    return [one.component for one in ANNOUNCED if one.kind == "dataset"]


@hookimpl
def mtsbench_models():
    return [one.component for one in ANNOUNCED if one.component.name == "uptake"]
