"""What a component can do beyond what every component of its kind must do.

A component declares a capability by having the members that the capability's protocol lists. They
are asked for as `hasattr` does, which sees whatever the component answers for: a torch module keeps
buffers, parameters and submodules outside of its own attributes. Since Python 3.12 `isinstance`
with a protocol looks past those and would answer, without a word, that a head has no curves.
"""

from __future__ import annotations

from typing import TypeGuard

from mtsbench.interfaces import (
    CurveHead,
    DeepInside,
    FoldMetric,
    KnownHazard,
    KnownMasks,
    OneSize,
    PatientMetric,
    SmallestSize,
    TakesNetworks,
)


def missing_members(component: object, protocol: type) -> tuple[str, ...]:
    """Public members of a protocol that a component lacks, in the protocol's order."""
    listed = (*getattr(protocol, "__annotations__", {}), *vars(protocol))
    return tuple(
        name for name in listed if not name.startswith("_") and not hasattr(component, name)
    )


def gives_curves(head: object) -> TypeGuard[CurveHead]:
    """Whether a head gives survival curves."""
    return not missing_members(head, CurveHead)


def has_smallest_size(backbone: object) -> TypeGuard[SmallestSize]:
    """Whether a backbone takes no small image."""
    return not missing_members(backbone, SmallestSize)


def has_one_size(backbone: object) -> TypeGuard[OneSize]:
    """Whether a backbone takes images of one size only."""
    return not missing_members(backbone, OneSize)


def has_network_inside(model: object) -> TypeGuard[DeepInside]:
    """Whether a model that is no composition trains one as a part of itself."""
    return not missing_members(model, DeepInside)


def takes_networks(model: object) -> TypeGuard[TakesNetworks]:
    """Whether core makes the networks inside a model."""
    return not missing_members(model, TakesNetworks)


def is_fold_metric(metric: object) -> TypeGuard[FoldMetric]:
    """Whether a metric has a value for a test fold."""
    return not missing_members(metric, FoldMetric)


def is_patient_metric(metric: object) -> TypeGuard[PatientMetric]:
    """Whether a metric has a value for each patient's mask."""
    return not missing_members(metric, PatientMetric)


def knows_hazard(dataset: object) -> TypeGuard[KnownHazard]:
    """Whether a dataset is simulated and can tell the true hazard."""
    return not missing_members(dataset, KnownHazard)


def knows_masks(dataset: object) -> TypeGuard[KnownMasks]:
    """Whether a dataset can tell which cases have a mask without reading them."""
    return not missing_members(dataset, KnownMasks)
