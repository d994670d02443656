from __future__ import annotations

import pytest

from mtsbench import builtin
from mtsbench.announcements import Announced, Plugin
from mtsbench.components import Component
from mtsbench.errors import PluginError
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


def fails():
    raise KeyError("no table")


def test_a_metric_that_cannot_be_used_says_why_and_hides_no_other():
    metrics = build_metrics(
        installed(
            metric("odd", lambda: {}), metric("dice", Dice), metric("broken", lambda: fails())
        )
    )

    assert metrics.unusable == {
        "odd": "metric 'odd' must have a method within_fold or per_patient, got a dict with "
        "neither",
        "broken": "metric 'broken' (distribution2 1) cannot be built: KeyError: 'no table'",
    }
    assert list(metrics.per_patient) == ["dice"]


def test_two_metrics_of_one_name_are_told_rather_than_left_out():
    metrics = build_metrics(installed(metric("dice", Dice), metric("dice", Dice)))

    assert metrics.per_patient == {}
    assert metrics.unusable["dice"].startswith(
        "metric 'dice' is announced by distribution0 1 and distribution1 1; a name needs one author"
    )


def core(*metrics: Component[object]) -> Plugin:
    return Plugin(
        entry_point="builtin",
        distribution="mtsbench",
        version="1",
        announced=tuple(
            Announced(component=one, kind="metric", distribution="mtsbench", version="1")
            for one in metrics
        ),
    )


def test_no_plugin_takes_the_name_of_a_metric_of_core():
    (other,) = installed(metric("dice", lambda: {})).plugins
    found = Components(plugins=(core(metric("dice", Dice)), other))

    assert isinstance(build_metrics(found).per_patient["dice"], Dice)
    assert "it is core's own name, so only core's is used" in str(found.conflicts[0])


def test_a_metric_of_core_that_cannot_be_built_is_an_error():
    with pytest.raises(PluginError, match=r"metric 'dice' .* cannot be built: KeyError"):
        build_metrics(Components(plugins=(core(metric("dice", lambda: fails())),)))
