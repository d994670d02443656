"""The metrics of a run, sorted by what they may be computed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtsbench.errors import PluginConflictError, PluginError
from mtsbench.interfaces import FoldMetric, PatientMetric

if TYPE_CHECKING:
    from mtsbench.plugins import Components


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Metrics by name: of a test fold's risks, and of each patient's mask."""

    within_fold: Mapping[str, FoldMetric]
    per_patient: Mapping[str, PatientMetric]


def build_metrics(components: Components) -> Metrics:
    """Build every installed metric with its default options.

    Raises:
        PluginConflictError: Two plugins announce one metric.
        PluginError: A metric has neither `within_fold` nor `per_patient`.
    """
    for conflict in components.conflicts:
        if conflict.kind == "metric":
            raise PluginConflictError(str(conflict))
    within_fold: dict[str, FoldMetric] = {}
    per_patient: dict[str, PatientMetric] = {}
    for name in components.names("metric"):
        metric = components.build("metric", name)
        if isinstance(metric, FoldMetric):
            within_fold[name] = metric
        elif isinstance(metric, PatientMetric):
            per_patient[name] = metric
        else:
            raise PluginError(
                f"metric {name!r} must have a method within_fold or per_patient, "
                f"got a {type(metric).__name__} with neither"
            )
    return Metrics(within_fold=within_fold, per_patient=per_patient)
