"""What a plugin can announce. Hooks only announce components; none takes part in a run.

A plugin is a module with some of these functions, marked with `mtsbench.hookspecs.hookimpl`,
and an entry point of group `mtsbench` that names the module:

    [project.entry-points.mtsbench]
    my-plugin = "my_package.plugin"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from mtsbench.components import Component, ModelComponent
    from mtsbench.composition import Composition
    from mtsbench.interfaces import (
        Backbone,
        Dataset,
        Executor,
        Head,
        Loss,
        Metric,
        Model,
        Tracker,
    )

hookspec = pluggy.HookspecMarker("mtsbench")
hookimpl = pluggy.HookimplMarker("mtsbench")


@hookspec
def mtsbench_datasets() -> Iterable[Component[Dataset]]:
    """Datasets for `--dataset`. `build(root)` gets the folder of `--data-root`, or None."""
    return ()


@hookspec
def mtsbench_backbones() -> Iterable[Component[Backbone]]:
    """Networks from image to feature maps. `build(channels)` gets the number of input channels."""
    return ()


@hookspec
def mtsbench_heads() -> Iterable[Component[Head]]:
    """Survival heads. `build(channels, clinical_features)`: the backbones' `channels`, and F."""
    return ()


@hookspec
def mtsbench_losses() -> Iterable[Component[Loss]]:
    """Losses on a network's outputs. `build()` gets options only."""
    return ()


@hookspec
def mtsbench_models() -> Iterable[ModelComponent[Model | Composition]]:
    """Models for `--model`. `build()` gets options only; a deep model returns a Composition."""
    return ()


@hookspec
def mtsbench_metrics() -> Iterable[Component[Metric]]:
    """Metrics of the record. `build()` gets options only."""
    return ()


@hookspec
def mtsbench_executors() -> Iterable[Component[Executor]]:
    """Ways to run trials. `build()` gets options only."""
    return ()


@hookspec
def mtsbench_trackers() -> Iterable[Component[Tracker]]:
    """Trackers for `--track`. `build(runs)` gets the folder of all runs, which may not exist."""
    return ()
