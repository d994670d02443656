"""Announces what `tiny.py` holds, as an installed plugin does; see the fixture `tiny_installed`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mtsbench.components import Component
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


class InOrder:
    """Runs the trials here, one after another, but not those it is told to lose."""

    def __init__(self, lose: int, breaks: bool) -> None:
        self.lose = lose
        self.breaks = breaks

    def map(self, trials, report):
        if self.breaks:
            raise OSError("no queue here")
        for trial in trials[self.lose :]:
            trial()


def build_executor(*, lose: int = 0, breaks: bool = False):
    return InOrder(lose, breaks)


@hookimpl
def mtsbench_executors():
    yield Component(
        name="in-order", summary="One after another", build=build_executor, reference=tiny.URL
    )
