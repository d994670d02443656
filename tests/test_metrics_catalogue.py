from __future__ import annotations

import pytest

from mtsbench import builtin
from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.errors import PluginConflictError, PluginError
from mtsbench.metrics.catalogue import build_metrics
from mtsbench.metrics.segmentation import Dice
from mtsbench.metrics.survival import HarrellC
from mtsbench.plugins import Components


def installed(*metrics: Component[object]) -> Components:
    return Components(
        plugins=tuple(
            Plugin(
                entry_point=f"plugin{number}",
                distribution=f"distribution{number}",
                version="1",
                announced=(
                    Announced(
                        component=metric,
                        kind="metric",
                        distribution=f"distribution{number}",
                        version="1",
                    ),
                ),
            )
            for number, metric in enumerate(metrics)
        )
    )


def metric(name: str, build) -> Component[object]:
    return Component(name=name, summary="x", build=build, reference="https://example.org/")


def test_cores_own_metrics_are_sorted_by_what_they_are_computed_on():
    metrics = build_metrics(installed(*builtin.mtsbench_metrics()))

    concordances = ["antolini-c", "harrell-c", "uno-c"]
    assert sorted(metrics.within_fold) == sorted([*concordances, "auc", "ibs", "ipa"])
    assert sorted(metrics.per_patient) == [
        "detection",
        "dice",
        "hd95",
        "surface-dice",
        "volume-error",
    ]
    assert isinstance(metrics.within_fold["harrell-c"], HarrellC)
    assert isinstance(metrics.per_patient["dice"], Dice)


def test_a_metric_of_a_plugin_is_scored_beside_cores_own():
    metrics = build_metrics(installed(*builtin.mtsbench_metrics(), metric("overlap", Dice)))

    assert list(metrics.per_patient)[:2] == ["detection", "dice"]
    assert isinstance(metrics.per_patient["overlap"], Dice)


def test_a_metric_that_computes_nothing_is_refused():
    with pytest.raises(
        PluginError,
        match="'odd' must have a method within_fold or per_patient, got a dict with neither",
    ):
        build_metrics(installed(metric("odd", lambda: {})))


def test_two_metrics_of_one_name_are_refused_rather_than_left_out():
    both = installed(metric("dice", Dice), metric("dice", Dice))

    with pytest.raises(
        PluginConflictError, match="'dice' is announced by distribution0 1 and distribution1 1"
    ):
        build_metrics(both)
