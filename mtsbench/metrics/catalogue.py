"""The metrics of a run, sorted by what they may be computed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtsbench.announcements import CORE
from mtsbench.capabilities import is_fold_metric, is_patient_metric
from mtsbench.errors import MtsbenchError

if TYPE_CHECKING:
    from mtsbench.interfaces import FoldMetric, PatientMetric
    from mtsbench.plugins import Components


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Metrics by name: of a test fold's risks, and of each patient's mask.

    Attributes:
        unusable: Why a plugin's metric cannot be computed, in one line; records hold it as the
            reason of an undefined score.
    """

    within_fold: Mapping[str, FoldMetric]
    per_patient: Mapping[str, PatientMetric]
    unusable: Mapping[str, str] = field(default_factory=dict)


def build_metrics(components: Components) -> Metrics:
    """Build every installed metric with its default options.

    A plugin's metric that cannot be used takes no other metric and no run with it.

    Raises:
        MtsbenchError: One of core's own metrics cannot be built.
    """
    within_fold: dict[str, FoldMetric] = {}
    per_patient: dict[str, PatientMetric] = {}
    unusable = {
        one.name: str(one) for one in components.conflicts if one.kind == "metric" and not one.kept
    }
    for announced in components.all("metric"):
        name = announced.component.name
        try:
            metric = components.build("metric", name)
        except MtsbenchError as error:
            if announced.distribution == CORE:
                raise
            unusable[name] = str(error)
            continue
        if is_fold_metric(metric):
            within_fold[name] = metric
        elif is_patient_metric(metric):
            per_patient[name] = metric
        else:
            unusable[name] = (
                f"metric {name!r} must have a method within_fold or per_patient, "
                f"got a {type(metric).__name__} with neither"
            )
    return Metrics(within_fold=within_fold, per_patient=per_patient, unusable=unusable)
